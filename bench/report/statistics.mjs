// Statistics over rounds. Every figure is a ratio within one round: contenders take turns, so that
// what disturbs the machine for a while disturbs all of them.

/** @typedef {{ min: number, median: number, max: number }} Spread */

/** @param {readonly number[]} values at least one */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('the median of nothing');
  const lower = sorted[middle - 1];
  return sorted.length % 2 === 1 || lower === undefined ? upper : (lower + upper) / 2;
}

/** @param {readonly number[]} values @returns {Spread | null} null of nothing */
export function spread(values) {
  if (values.length === 0) return null;
  return { min: Math.min(...values), median: median(values), max: Math.max(...values) };
}

/**
 * The ratios of the rounds in which both were measured; a divisor of 0 says nothing.
 * @param {ReadonlyMap<number, number>} values by round
 * @param {ReadonlyMap<number, number>} divisors
 */
export function ratios(values, divisors) {
  return [...values].flatMap(([round, value]) => {
    const divisor = divisors.get(round);
    return divisor === undefined || divisor === 0 ? [] : [value / divisor];
  });
}

/**
 * The first of `order` is another one in every round, so that no contender always comes after the
 * same one.
 * @template T @param {readonly T[]} order @param {number} turn @returns {T[]}
 */
export function rotated(order, turn) {
  const start = order.length === 0 ? 0 : turn % order.length;
  return [...order.slice(start), ...order.slice(0, start)];
}
