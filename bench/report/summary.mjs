// From samples to what the tables say: medians, ratios to the best peer and to the floor, and
// whether what the project asks of itself is reached.
import { counts } from '../sanity.mjs';
import { median, ratios, spread } from './statistics.mjs';

/** @typedef {import('../rows/row.mjs').Metric} Metric */
/** @typedef {import('./statistics.mjs').Spread} Spread */

/**
 * @typedef {object} RoundSample
 * @property {number} round
 * @property {string} contender
 * @property {Readonly<Record<string, number>>} values
 * @property {import('../measure/meter.mjs').Usage | null} usage
 * @property {readonly import('../sanity.mjs').Mark[]} marks
 */

/**
 * @typedef {object} RowResult
 * @property {string} name
 * @property {string} group
 * @property {string} title
 * @property {readonly Metric[]} metrics
 * @property {import('../rows/row.mjs').Growth} [growth]
 * @property {readonly RoundSample[]} samples
 * @property {readonly { round: number, contender: string, message: string }[]} broken
 */

/**
 * @typedef {object} Cell
 * @property {number} median
 * @property {'' | 'marked' | 'not counted'} doubt "not counted" when no sample was fit to compare
 */

/**
 * @typedef {object} MetricSummary
 * @property {Metric} metric
 * @property {Readonly<Record<string, Cell | undefined>>} contenders
 * @property {{ peer: string, ratio: Spread } | null} best against the best peer
 * @property {Readonly<Record<string, Spread>>} peers against each peer
 * @property {Spread | null} floor against the floor relay
 * @property {boolean | null} reached null: nothing was asked, or nothing could be compared
 */

/**
 * The values of the samples that count.
 * @param {RowResult} row @param {string} contender @param {string} metric
 */
function byRound(row, contender, metric) {
  /** @type {Map<number, number>} */
  const values = new Map();
  for (const sample of row.samples) {
    const value = sample.values[metric];
    if (sample.contender === contender && value !== undefined && counts(sample.marks)) {
      values.set(sample.round, value);
    }
  }
  return values;
}

/**
 * What the table shows of a contender: the median of what counts, or else of all there is.
 * @param {RowResult} row @param {string} contender @param {string} metric
 * @returns {Cell | null}
 */
function cellOf(row, contender, metric) {
  const samples = row.samples.filter(
    (sample) => sample.contender === contender && sample.values[metric] !== undefined,
  );
  const fit = samples.filter(({ marks }) => counts(marks));
  const shown = fit.length > 0 ? fit : samples;
  if (shown.length === 0) return null;
  const marked = shown.some(({ marks }) => marks.length > 0);
  return {
    median: median(shown.map(({ values }) => values[metric] ?? Number.NaN)),
    doubt: fit.length === 0 ? 'not counted' : marked ? 'marked' : '',
  };
}

/**
 * Is `ratio` as good as `asked`?
 * @param {Metric} metric
 * @param {number} ratio
 * @param {number} asked
 */
const reaches = (metric, ratio, asked) =>
  metric.better === 'higher' ? ratio >= asked : ratio <= asked;

/**
 * @param {RowResult} row @param {Metric} metric
 * @param {readonly { name: string, kind: string }[]} contenders
 * @returns {MetricSummary}
 */
export function summarise(row, metric, contenders) {
  const values = new Map(contenders.map(({ name }) => [name, byRound(row, name, metric.name)]));
  const medians = Object.fromEntries(
    contenders.flatMap(({ name }) => {
      const cell = cellOf(row, name, metric.name);
      return cell === null ? [] : [[name, cell]];
    }),
  );
  const own = values.get('sluice') ?? new Map();
  /** @type {Record<string, Spread>} */
  const peers = {};
  for (const { name, kind } of contenders) {
    const ratio = kind === 'peer' ? spread(ratios(own, values.get(name) ?? new Map())) : null;
    if (ratio !== null) peers[name] = ratio;
  }
  const sign = metric.better === 'higher' ? -1 : 1;
  const [bestPeer] = Object.keys(peers).sort(
    (a, b) => sign * ((medians[a]?.median ?? 0) - (medians[b]?.median ?? 0)),
  );
  const ratio = bestPeer === undefined ? undefined : peers[bestPeer];
  const best = bestPeer === undefined || ratio === undefined ? null : { peer: bestPeer, ratio };
  const floor = spread(ratios(own, values.get('floor') ?? new Map()));
  return {
    metric,
    contenders: medians,
    best: metric.plain ? null : best,
    peers: metric.plain ? {} : peers,
    floor: metric.plain ? null : floor,
    reached: reached(metric, best?.ratio.median, spread([...own.values()])?.median),
  };
}

/** @param {Metric} metric @param {number | undefined} ratio @param {number | undefined} value */
function reached(metric, ratio, value) {
  if (metric.reach !== undefined && ratio !== undefined)
    return reaches(metric, ratio, metric.reach);
  if (metric.atMost !== undefined && value !== undefined) return value <= metric.atMost;
  return null;
}

/**
 * @typedef {object} GrowthSummary
 * @property {string} title
 * @property {string} base
 * @property {string} contender
 * @property {Spread} ratio
 * @property {number} atMost
 * @property {boolean | null} reached null: asked of sluice only
 */

/**
 * @param {readonly RowResult[]} rows
 * @param {readonly { name: string }[]} contenders
 * @returns {GrowthSummary[]}
 */
export function summariseGrowth(rows, contenders) {
  return rows.flatMap((row) => {
    const { growth } = row;
    const base = rows.find(({ name }) => name === growth?.base);
    if (growth === undefined || base === undefined) return [];
    return contenders.flatMap(({ name }) => {
      const ratio = spread(
        ratios(byRound(row, name, growth.metric), byRound(base, name, growth.metric)),
      );
      if (ratio === null) return [];
      return [
        {
          title: row.title,
          base: base.title,
          contender: name,
          ratio,
          atMost: growth.atMost,
          reached: name === 'sluice' ? ratio.median <= growth.atMost : null,
        },
      ];
    });
  });
}
