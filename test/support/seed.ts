// Random tests that can be repeated: SLUICE_TEST_SEED=n chooses the seed, a failure prints it.
import { onTestFailed } from 'vitest';

/** A whole number in [0, limit). */
export type Draw = (limit: number) => number;

/** mulberry32: small, seeded, good enough to vary a load. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** The seed of the running test. */
export function testSeed(): number {
  const seed = Number(process.env.SLUICE_TEST_SEED ?? Date.now() % 2 ** 31);
  onTestFailed(() => {
    process.stderr.write(`repeat with SLUICE_TEST_SEED=${seed}\n`);
  });
  return seed;
}
