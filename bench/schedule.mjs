// The order of all measurements and how long they will still take.
import { rotated } from './report/statistics.mjs';

/** What starting and ending target and balancer takes. */
const overheadSeconds = 0.7;

/**
 * @typedef {object} Turn one measurement
 * @property {number} round
 * @property {import('./rows/row.mjs').Row} row
 * @property {import('./contenders/contender.mjs').Contender} contender
 */

/**
 * @param {import('./rows/row.mjs').Row} row
 * @param {import('./contenders/contender.mjs').Contender} contender
 */
export function takesPart(row, contender) {
  return (
    contender.protocols.includes(row.protocol) &&
    (contender.groups === undefined || contender.groups.includes(row.group)) &&
    (row.only === undefined || row.only.includes(contender.name)) &&
    // What nothing costs nothing says.
    !(row.name === 'idle-memory' && contender.kind === 'direct')
  );
}

/**
 * Round after round, in each all rows, in each all contenders in rotated order.
 * @param {readonly import('./rows/row.mjs').Row[]} rows
 * @param {readonly import('./contenders/contender.mjs').Contender[]} contenders
 * @param {number} rounds
 * @returns {Turn[]}
 */
export function plan(rows, contenders, rounds) {
  return Array.from({ length: rounds }, (_, round) =>
    rows.flatMap((row, index) => {
      const all = contenders.filter((contender) => takesPart(row, contender));
      return rotated(all, round + index).map((contender) => ({ round, row, contender }));
    }),
  ).flat();
}

/** Expects what is left to be as far from its estimate as what is done. */
export class TimeLeft {
  #doneEstimate = 0;
  #doneSeconds = 0;
  #leftEstimate;
  #loadSeconds;

  /** @param {readonly Turn[]} turns @param {number} loadSeconds */
  constructor(turns, loadSeconds) {
    this.#loadSeconds = loadSeconds;
    this.#leftEstimate = turns.reduce((sum, turn) => sum + this.#estimate(turn), 0);
  }

  /** @param {Turn} turn @param {number} seconds that it took */
  done(turn, seconds) {
    const estimate = this.#estimate(turn);
    this.#doneEstimate += estimate;
    this.#doneSeconds += seconds;
    this.#leftEstimate -= estimate;
  }

  get seconds() {
    const factor = this.#doneEstimate === 0 ? 1 : this.#doneSeconds / this.#doneEstimate;
    return this.#leftEstimate * factor;
  }

  /** @param {Turn} turn */
  #estimate({ row }) {
    return overheadSeconds + row.secondsEach + this.#loadSeconds;
  }
}

/** 75 s: "1 min 15 s". @param {number} seconds */
export function durationText(seconds) {
  const whole = Math.round(Math.max(0, seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
