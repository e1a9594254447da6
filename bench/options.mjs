// The command line of `npm run bench`.
import { Command, CommanderError } from 'commander';
import { Stop } from '../scripts/stop.mjs';

/**
 * @typedef {object} Options
 * @property {string[]} rows names
 * @property {string[]} contenders names
 * @property {number} rounds
 * @property {number} seconds of load for each measurement
 * @property {'loopback' | 'namespaces' | 'auto'} topology
 * @property {boolean} quick
 * @property {boolean} readme write the table into bench/README.md
 */

/**
 * @typedef {object} Choices what exists
 * @property {readonly { name: string, group: string }[]} rows
 * @property {readonly string[]} quickRows
 * @property {readonly { name: string, kind: string }[]} contenders
 */

const full = { rounds: 5, seconds: 3 };
const quick = { rounds: 1, seconds: 2 };
/** What the quick run has no time for, unless asked. */
const notInQuick = ['pen', 'direct'];

/** @param {string} text */
const words = (text) =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);

/** @param {string} what @param {string} text @param {{ min: number, max: number }} bounds */
function numberIn(what, text, { min, max }) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Stop(`--${what} is a whole number from ${min} to ${max}, not "${text}".`);
  }
  return value;
}

/**
 * A word is the name of a row, or of a group, or the beginning of names.
 * @param {string[]} wanted @param {Choices['rows']} rows
 */
function chooseRows(wanted, rows) {
  const chosen = new Set();
  for (const word of wanted) {
    const exact = rows.filter(({ name, group }) => name === word || group === word);
    const found = exact.length > 0 ? exact : rows.filter(({ name }) => name.startsWith(word));
    if (found.length === 0) {
      const groups = [...new Set(rows.map(({ group }) => group))].join(', ');
      throw new Stop(`No row is called ${word}; --list shows them, the groups are ${groups}.`);
    }
    for (const { name } of found) chosen.add(name);
  }
  return rows.map(({ name }) => name).filter((name) => chosen.has(name));
}

/**
 * sluice, the floor and "direct" always take part.
 * @param {string[]} wanted
 * @param {Choices['contenders']} all
 */
function chooseContenders(wanted, all) {
  const peers = all.filter(({ kind }) => kind === 'peer').map(({ name }) => name);
  const unknown = wanted.filter((name) => !peers.includes(name));
  if (unknown.length > 0) {
    throw new Stop(`No peer is called ${unknown.join(', ')}; there are ${peers.join(', ')}.`);
  }
  return all
    .filter(({ name, kind }) => kind !== 'peer' || wanted.includes(name))
    .map(({ name }) => name);
}

/**
 * Null: a help text or a list was printed instead.
 * @param {string[]} args
 * @param {Choices} choices
 */
export function parseOptions(args, choices) {
  const command = new Command('npm run bench --')
    .description('measures sluice, its peers, the floor relay and no balancer side by side')
    .option('--only <rows>', 'rows or groups, separated by commas')
    .option('--peers <names>', 'peers to compare with, separated by commas')
    .option('--rounds <number>', `rounds (${full.rounds})`)
    .option('--seconds <number>', `seconds of each load (${full.seconds})`)
    .option('--topology <name>', 'loopback, namespaces or auto', 'auto')
    .option('--quick', 'five rows, one round, under 90 s; writes no files')
    .option('--readme', 'put the table into bench/README.md too')
    .option('--list', 'print the names of all rows')
    .exitOverride();
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return null;
    // Commander has said what is wrong.
    if (error instanceof CommanderError) throw new Stop('See npm run bench -- --help.');
    throw error;
  }
  const given = command.opts();
  if (given['list'] === true) {
    process.stdout.write(`${choices.rows.map(({ name }) => name).join('\n')}\n`);
    return null;
  }
  const isQuick = given['quick'] === true;
  const otherwise = isQuick ? quick : full;
  const topology = given['topology'];
  if (topology !== 'loopback' && topology !== 'namespaces' && topology !== 'auto') {
    throw new Stop(`--topology is loopback, namespaces or auto, not "${topology}".`);
  }
  const allPeers = choices.contenders.filter(({ kind }) => kind === 'peer');
  const peers = words(given['peers'] ?? allPeers.map(({ name }) => name).join(','));
  const quickWords = isQuick ? choices.quickRows : choices.rows.map(({ name }) => name);
  /** @type {Options} */
  const options = {
    rows: chooseRows(
      given['only'] === undefined ? [...quickWords] : words(given['only']),
      choices.rows,
    ),
    contenders: chooseContenders(peers, choices.contenders).filter(
      (name) => !isQuick || given['peers'] !== undefined || !notInQuick.includes(name),
    ),
    rounds: numberIn('rounds', given['rounds'] ?? String(otherwise.rounds), { min: 1, max: 100 }),
    seconds: numberIn('seconds', given['seconds'] ?? String(otherwise.seconds), {
      min: 1,
      max: 600,
    }),
    topology,
    quick: isQuick,
    readme: given['readme'] === true,
  };
  return options;
}
