// The report of a run as Markdown: what was measured where, a table for each group, the growth.
import { disqualifying } from '../sanity.mjs';
import { askedTable, askedText, farFromFloor, reachedText } from './asked.mjs';
import { summarise, summariseGrowth } from './summary.mjs';
import { figure, markdownTable, spreadText } from './table.mjs';

/** @typedef {import('./summary.mjs').RowResult} RowResult */

/**
 * @typedef {object} Results
 * @property {string} date ISO 8601
 * @property {{ host: string, processor: string, cores: number, memoryGib: number, kernel: string,
 *   node: string }} machine
 * @property {Readonly<Record<string, string>>} versions
 * @property {string} topology
 * @property {number} seconds
 * @property {number} rounds
 * @property {readonly { name: string, kind: string }[]} contenders
 * @property {readonly RowResult[]} rows
 */

const doubts = { '': '', marked: '*', 'not counted': '!' };

/** @param {readonly RowResult[]} rows @param {Results['contenders']} contenders */
function groupTable(rows, contenders) {
  const header = ['row', 'metric', ...contenders.map(({ name }) => name)];
  const body = rows.flatMap((row) =>
    row.metrics.map((metric, index) => {
      const summary = summarise(row, metric, contenders);
      const cells = contenders.map(({ name }) => {
        const cell = summary.contenders[name];
        return cell === undefined ? '' : `${figure(cell.median)}${doubts[cell.doubt]}`;
      });
      const { best, floor, reached } = summary;
      return [
        ...[index === 0 ? row.name : '', `${metric.title} ${metric.unit}`.trim(), ...cells],
        best === null ? '' : `${spreadText(best.ratio)} ${best.peer}`,
        floor === null ? '' : spreadText(floor),
        askedText(metric),
        reachedText(reached),
      ];
    }),
  );
  return markdownTable([...header, 'x best peer', 'x floor', 'asked', 'reached'], body);
}

/** @param {Results} results */
function growthTable({ rows, contenders }) {
  const growth = summariseGrowth(rows, contenders);
  if (growth.length === 0) return [];
  const body = growth.map((entry) => [
    ...[entry.title, entry.base, entry.contender, spreadText(entry.ratio)],
    ...[`<= ${entry.atMost}`, reachedText(entry.reached)],
  ]);
  const header = ['cost of', 'against', 'contender', 'ratio', 'asked', 'reached'];
  return ['## Growth of the cost of an operation', '', markdownTable(header, body), ''];
}

/** @param {Results} results */
function inShort(results) {
  const asked = askedTable(results);
  const far = farFromFloor(results);
  return [
    ...(asked === '' ? [] : ['## What is asked', '', asked, '']),
    ...(far.length === 0 ? [] : ['## Further than 10 % from the floor relay', '', ...far, '']),
  ];
}

/** @param {Results} results */
export function measuredWhere({ date, machine, versions, topology, seconds, rounds }) {
  const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return (
    `${date.slice(0, 16).replace('T', ' ')} UTC, ` +
    `on ${machine.processor}, ${machine.cores} cores, ` +
    `${machine.memoryGib} GiB, Linux ${machine.kernel}, Node ${machine.node}. ` +
    `${software.join(', ')}. Topology: ${topology}; ${rounds} rounds of ${seconds} s.`
  );
}

/** @param {Results} results */
function preamble(results) {
  return [
    measuredWhere(results),
    '',
    'Figures of contenders are medians; ratios are sluice / other within each round: median ' +
      '(lowest-highest). `*`: the core of client and target was full, so that ' +
      'the rate says what they can do and only the CPU time compares. ' +
      '`!`: no sample was fit to compare (somebody else ran on the core of the balancer, or the ' +
      'client met a limit of its own), so that it has no part in a ratio.',
    '',
  ];
}

/** @param {Results} results */
function troubles({ rows }) {
  const lines = rows.flatMap(({ name, broken }) =>
    broken.map(
      ({ round, contender, message }) =>
        `- ${name}, ${contender}, round ${round + 1}: ${message.replaceAll('\n', ' ')}`,
    ),
  );
  const all = [...lines, ...disqualifying.flatMap((mark) => markLine(mark, rows))];
  return all.length === 0 ? [] : ['## Not counted, and why', '', ...all, ''];
}

/**
 * The rows and contenders with such samples.
 * @param {import('../sanity.mjs').Mark} mark
 * @param {Results['rows']} rows
 */
function markLine(mark, rows) {
  const places = rows.flatMap(({ name, samples }) => {
    const marked = samples.filter(({ marks }) => marks.includes(mark));
    const contenders = [...new Set(marked.map(({ contender }) => contender))];
    return contenders.length === 0 ? [] : [`${name} (${contenders.join(', ')})`];
  });
  return places.length === 0 ? [] : [`- ${mark}: ${places.join('; ')}`];
}

/** @param {Results} results @param {readonly { title: string, file: string }[]} [charts] */
export function document(results, charts = []) {
  const groups = [...new Set(results.rows.map(({ group }) => group))];
  const tables = groups.flatMap((group) => {
    const rows = results.rows.filter((row) => row.group === group && row.samples.length > 0);
    if (rows.length === 0) return [];
    return [`## ${group}`, '', groupTable(rows, results.contenders), ''];
  });
  return [
    ...preamble(results),
    ...charts.flatMap(({ title, file }) => [`![${title}](${file})`, '']),
    ...inShort(results),
    ...tables,
    ...growthTable(results),
    ...troubles(results),
  ].join('\n');
}
