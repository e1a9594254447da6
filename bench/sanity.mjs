// Whether a measurement measured what it says: counts of both ends, the balancer's core, the
// client's core. Doubts become marks that the tables show.

/** A measurement that did not take place; a slow one is never one. */
export class BrokenMeasurement extends Error {}

/**
 * @typedef {object} Count what both ends say about the same thing
 * @property {string} unit
 * @property {number} client
 * @property {number} target
 * @property {number} slack by how much they may differ: what is under way when time is up
 */

/**
 * @typedef {'client core full' | 'core shared' | 'ports exhausted' | 'generator late'} Mark
 */

/** Marks whose samples are shown but not counted. @type {readonly Mark[]} */
export const disqualifying = ['core shared', 'ports exhausted', 'generator late'];

const clientFullShare = 0.97;
const othersShareMax = 0.1;

/** Throws when the ends disagree. @param {Count} count */
export function checkCount({ unit, client, target, slack }) {
  if (client <= 0) throw new BrokenMeasurement(`the client counted no ${unit}`);
  if (Math.abs(client - target) > slack) {
    throw new BrokenMeasurement(
      `the client counted ${client} ${unit}, the target ${target} (may differ by ${slack})`,
    );
  }
}

/** @param {import('./measure/meter.mjs').Usage} usage @returns {Mark[]} */
export function marksOf(usage) {
  return [
    ...(usage.clientShare >= clientFullShare ? [/** @type {Mark} */ ('client core full')] : []),
    ...(usage.othersShare > othersShareMax ? [/** @type {Mark} */ ('core shared')] : []),
  ];
}

/** @param {readonly Mark[]} marks */
export function counts(marks) {
  return !marks.some((mark) => disqualifying.includes(mark));
}
