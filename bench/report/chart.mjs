// Charts of the ratios with their spread, as SVG, drawn by Vega without a browser. To the right of
// 1 sluice is better, whether more or less of the metric is better.
import { parse, View } from 'vega';
import { summarise } from './summary.mjs';

/** @typedef {{ label: string, peer: string, low: number, middle: number, high: number }} Point */

/**
 * @param {readonly import('./summary.mjs').RowResult[]} rows
 * @param {readonly { name: string, kind: string }[]} contenders
 * @returns {Point[]}
 */
export function chartPoints(rows, contenders) {
  return rows.flatMap((row) =>
    row.metrics.flatMap((metric) => {
      const { peers } = summarise(row, metric, contenders);
      return Object.entries(peers)
        .filter(([, ratio]) => ratio.min > 0)
        .map(([peer, { min, median, max }]) => {
          const label = `${row.name}: ${metric.title}`;
          return metric.better === 'higher'
            ? { label, peer, low: min, middle: median, high: max }
            : { label, peer, low: 1 / max, middle: 1 / median, high: 1 / min };
        });
    }),
  );
}

const places = { scale: 'labels', field: 'label', band: 0.5 };
/** @type {import('vega').Mark} */
const lineAtOne = {
  type: 'rule',
  encode: {
    enter: {
      x: { scale: 'ratios', value: 1 },
      y: { value: 0 },
      y2: { signal: 'height' },
      stroke: { value: 'black' },
    },
  },
};
const shifts = { scale: 'shifts', field: 'peer' };

/** @param {string} title @param {readonly Point[]} points @returns {import('vega').Spec} */
function specification(title, points) {
  const y = { ...places, offset: shifts };
  const color = { scale: 'colors', field: 'peer' };
  const edges = points.flatMap(({ low, high }) => [low, high, 1]);
  return {
    background: 'white',
    width: 560,
    height: 34 * new Set(points.map(({ label }) => label)).size,
    padding: 10,
    title: { text: `${title}: times better than the peer`, anchor: 'start' },
    data: [{ name: 'points', values: [...points] }],
    scales: [
      {
        name: 'ratios',
        type: 'log',
        domain: [Math.min(...edges) / 1.05, Math.max(...edges) * 1.05],
        range: 'width',
      },
      { name: 'labels', type: 'band', domain: { data: 'points', field: 'label' }, range: 'height' },
      {
        name: 'shifts',
        type: 'point',
        domain: { data: 'points', field: 'peer' },
        range: [-11, 11],
      },
      {
        name: 'colors',
        type: 'ordinal',
        domain: { data: 'points', field: 'peer' },
        range: ['#4c78a8', '#72b7b2', '#f58518', '#b279a2', '#54a24b'],
      },
    ],
    axes: [
      { orient: 'bottom', scale: 'ratios', grid: true, format: '.2~f', tickCount: 8 },
      { orient: 'left', scale: 'labels', labelLimit: 300 },
    ],
    legends: [{ fill: 'colors', orient: 'right' }],
    marks: [
      lineAtOne,
      {
        type: 'rule',
        from: { data: 'points' },
        encode: {
          enter: {
            x: { scale: 'ratios', field: 'low' },
            x2: { scale: 'ratios', field: 'high' },
            y,
            stroke: color,
            strokeWidth: { value: 2 },
          },
        },
      },
      {
        type: 'symbol',
        from: { data: 'points' },
        encode: {
          enter: { x: { scale: 'ratios', field: 'middle' }, y, fill: color, size: { value: 45 } },
        },
      },
    ],
  };
}

/**
 * @param {string} title
 * @param {readonly Point[]} points at least one
 * @returns {Promise<string>}
 */
export async function drawChart(title, points) {
  const view = new View(parse(specification(title, points)), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}
