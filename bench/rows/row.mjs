// A row of the table: one load, measured for each contender in turn. Adding one is a file here and
// a line in all-rows.mjs.

/**
 * @typedef {object} Metric
 * @property {string} name key in the samples
 * @property {string} title for the table
 * @property {string} unit
 * @property {'higher' | 'lower'} better
 * @property {number} [reach] ratio to the best peer that is asked of sluice
 * @property {number} [atMost] absolute value that is asked of sluice
 * @property {boolean} [ofBalancer] says nothing where there is no balancer
 * @property {boolean} [plain] a value that a ratio says nothing about
 */

/**
 * @typedef {object} Sample what one measurement of one contender said
 * @property {Readonly<Record<string, number>>} values by metric
 * @property {import('../measure/meter.mjs').Usage | null} usage
 * @property {readonly import('../sanity.mjs').Count[]} counts
 * @property {readonly import('../sanity.mjs').Mark[]} marks
 */

/**
 * @typedef {object} Growth how the cost of one row relates to that of another
 * @property {string} base the other row's name
 * @property {string} metric
 * @property {number} atMost the ratio that is asked
 */

/**
 * A run of a contender; null of one that does not take part. The run before it is undone.
 * @typedef {(contender: string) => Promise<import('../run.mjs').Run | null>} RunsOf
 */

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {string} group
 * @property {string} title
 * @property {import('../contenders/contender.mjs').Protocol} protocol
 * @property {readonly string[]} tools
 * @property {readonly Metric[]} metrics
 * @property {readonly string[]} [only] contenders; all that speak the protocol when absent
 * @property {Growth} [growth]
 * @property {number} secondsEach what one measurement takes beside the load, for the time left
 * @property {(runs: RunsOf) => Promise<unknown>} [prepare] once, before the first round; its result
 *   is `run.prepared`
 * @property {(run: import('../run.mjs').Run) => Promise<Sample>} measure
 */

/**
 * The share of the balancer's CPU time in each of `operations`, in microseconds.
 * @param {number} seconds @param {number} operations
 */
export const microsecondsEach = (seconds, operations) => (seconds * 1e6) / operations;

/**
 * @param {Partial<Metric> & Pick<Metric, 'unit'>} fields
 * @returns {Metric}
 */
export function cpuMetric(fields) {
  return { name: 'cpu', title: 'CPU', better: 'lower', ofBalancer: true, ...fields };
}
