// Runs the plan: every measurement in turn, with what it made removed before the next begins.
import { Run } from './run.mjs';
import { checkCount } from './sanity.mjs';
import { durationText, plan, TimeLeft } from './schedule.mjs';

/** @typedef {import('./rows/row.mjs').Row} Row */
/** @typedef {import('./contenders/contender.mjs').Contender} Contender */

/**
 * @typedef {object} Work
 * @property {import('./run.mjs').Environment} environment
 * @property {readonly Row[]} rows
 * @property {readonly Contender[]} contenders
 * @property {number} rounds
 * @property {(text: string) => void} say
 */

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/**
 * What rows need to know before their first round, such as a rate that all contenders can do.
 * @param {Work} work @returns {Promise<Map<string, unknown>>}
 */
async function prepareRows({ environment, rows, contenders, say }) {
  /** @type {Map<string, unknown>} */
  const prepared = new Map();
  const { cleanup } = environment;
  for (const row of rows) {
    if (row.prepare === undefined) continue;
    say(`${row.name}: prepares`);
    const depth = cleanup.depth;
    try {
      const run = async (/** @type {string} */ name) => {
        await cleanup.back(depth);
        const contender = contenders.find((each) => each.name === name);
        return contender === undefined ? null : new Run(environment, contender, null);
      };
      prepared.set(row.name, await row.prepare(run));
    } finally {
      await cleanup.back(depth);
    }
  }
  return prepared;
}

/**
 * @param {Work} work @param {import('./schedule.mjs').Turn} turn @param {unknown} prepared
 * @returns {Promise<import('./report/summary.mjs').RoundSample>}
 */
async function measureOne({ environment }, { row, contender, round }, prepared) {
  const { cleanup } = environment;
  const depth = cleanup.depth;
  try {
    const { values, usage, counts, marks } = await row.measure(
      new Run(environment, contender, prepared),
    );
    for (const count of counts) checkCount(count);
    const kept = row.metrics
      .filter(({ ofBalancer }) => ofBalancer !== true || contender.kind !== 'direct')
      .map(({ name }) => [name, values[name] ?? Number.NaN]);
    return { round, contender: contender.name, values: Object.fromEntries(kept), usage, marks };
  } finally {
    await cleanup.back(depth);
  }
}

/**
 * @param {Row} row
 * @returns {import('./report/summary.mjs').RowResult & {
 *   samples: import('./report/summary.mjs').RoundSample[],
 *   broken: { round: number, contender: string, message: string }[] }}
 */
function emptyResult({ name, group, title, metrics, growth }) {
  const result = { name, group, title, metrics, samples: [], broken: [] };
  return growth === undefined ? result : { ...result, growth };
}

/**
 * A measurement that fails is noted and the others go on.
 * @param {Work} work @param {() => boolean} interrupted
 */
export async function measureAll(work, interrupted) {
  const turns = plan(work.rows, work.contenders, work.rounds);
  const timeLeft = new TimeLeft(turns, work.environment.seconds);
  const results = new Map(work.rows.map((row) => [row.name, emptyResult(row)]));
  work.say(`${turns.length} measurements, about ${durationText(timeLeft.seconds)}`);
  const prepared = await prepareRows(work);
  for (const [index, turn] of turns.entries()) {
    if (interrupted()) break;
    const { row, contender, round } = turn;
    const result = results.get(row.name);
    const startedMs = performance.now();
    let said = '';
    try {
      const sample = await measureOne(work, turn, prepared.get(row.name));
      result?.samples.push(sample);
      said = sanityLine(sample, row);
    } catch (error) {
      if (interrupted()) break;
      result?.broken.push({ round, contender: contender.name, message: messageOf(error) });
      said = `BROKEN: ${messageOf(error)}`;
    }
    timeLeft.done(turn, (performance.now() - startedMs) / 1000);
    const place = `${index + 1}/${turns.length}`;
    work.say(`${place} ${row.name} ${contender.name}: ${said}`);
    if (index % 10 === 9) work.say(`  about ${durationText(timeLeft.seconds)} left`);
  }
  return [...results.values()];
}

/**
 * That it measured what it says, in one line.
 * @param {import('./report/summary.mjs').RoundSample} sample @param {Row} row
 */
function sanityLine({ values, usage, marks }, { metrics }) {
  const figures = metrics.flatMap(({ name, unit }) => {
    const value = values[name];
    return value === undefined ? [] : [`${Number(value.toPrecision(4))} ${unit}`.trim()];
  });
  const percent = (/** @type {number} */ share) => `${Math.round(share * 100)} %`;
  const cores =
    usage === null
      ? ''
      : `; balancer's core ${percent(usage.coreShare)}, others on it ` +
        `${percent(usage.othersShare)}, client's core ${percent(usage.clientShare)}`;
  const notes = marks.length === 0 ? '' : ` [${marks.join(', ')}]`;
  return `${figures.join(', ')}${cores}${notes}`;
}
