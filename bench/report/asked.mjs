// The short form of a run: what the project asks of itself and whether it is reached, and where
// sluice is further from the floor relay than it wants to be.
import { summarise, summariseGrowth } from './summary.mjs';
import { figure, markdownTable, spreadText } from './table.mjs';

/** @typedef {import('./document.mjs').Results} Results */
/** @typedef {import('./summary.mjs').MetricSummary} MetricSummary */
/** @typedef {import('../rows/row.mjs').Metric} Metric */

/** How far from the floor relay a row may be, as a share. */
const floorDistanceMax = 0.1;

/** What is asked, as in ">= 1.40 x". @param {Metric} metric */
export function askedText(metric) {
  if (metric.reach !== undefined) {
    return `${metric.better === 'higher' ? '>=' : '<='} ${metric.reach.toFixed(2)} x`;
  }
  return metric.atMost === undefined ? '' : `<= ${metric.atMost} ${metric.unit}`;
}

/** @param {boolean | null} reached */
export const reachedText = (reached) => (reached === null ? '' : reached ? 'yes' : 'NO');

/** @param {Results} results */
function summaries({ rows, contenders }) {
  return rows.flatMap((row) =>
    row.metrics.map((metric) => ({ row, metric, summary: summarise(row, metric, contenders) })),
  );
}

/** @param {MetricSummary} summary @param {string} contender */
function cellText(summary, contender) {
  const cell = summary.contenders[contender];
  return cell === undefined ? '' : figure(cell.median);
}

/**
 * Every asked ratio and value of a run as a table; '' when its rows ask for nothing.
 * @param {Results} results
 */
export function askedTable(results) {
  const ofMetrics = summaries(results).flatMap(({ row, metric, summary }) => {
    if (summary.reached === null) return [];
    const { best } = summary;
    const compared = metric.reach === undefined || best === null ? null : best;
    return [
      [
        ...[row.title, `${metric.title} ${metric.unit}`.trim(), cellText(summary, 'sluice')],
        compared === null ? '' : `${cellText(summary, compared.peer)} ${compared.peer}`,
        compared === null ? '' : spreadText(compared.ratio),
        ...[askedText(metric), reachedText(summary.reached)],
      ],
    ];
  });
  const ofGrowth = summariseGrowth(results.rows, results.contenders)
    .filter(({ reached }) => reached !== null)
    .map(({ title, base, ratio, atMost, reached }) => [
      ...[title, `cost beside: ${base}`, '', '', spreadText(ratio)],
      ...[`<= ${atMost} x`, reachedText(reached)],
    ]);
  const body = [...ofMetrics, ...ofGrowth];
  if (body.length === 0) return '';
  const header = ['load', 'figure', 'sluice', 'best peer', 'ratio', 'asked', 'reached'];
  return markdownTable(header, body);
}

/**
 * Is the ratio to the floor relay worse than the distance that is allowed? Better is no distance.
 * @param {MetricSummary} summary
 */
export function isFarFromFloor({ metric, floor }) {
  if (floor === null) return false;
  return metric.better === 'higher'
    ? floor.median < 1 - floorDistanceMax
    : floor.median > 1 + floorDistanceMax;
}

/** A line for each figure that is too far from the floor relay's. @param {Results} results */
export function farFromFloor(results) {
  return summaries(results).flatMap(({ row, metric, summary }) =>
    summary.floor !== null && isFarFromFloor(summary)
      ? [`- ${row.title}: ${metric.title} ${spreadText(summary.floor)} x the floor relay's`]
      : [],
  );
}
