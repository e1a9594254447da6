// What is told of connections: how long connects took, and of those that have ended (and of ended
// UDP sessions) how long they lasted and how much they carried. Pure.
import { type Distribution, distribution, type Histogram } from './histogram.js';

/** Of one listener, as the engine counts. */
export interface EndHistograms {
  readonly durationMs: Histogram;
  readonly toTargetBytes: Histogram;
  readonly toClientBytes: Histogram;
}

/** The same, by the bounds below. */
export interface ConnectionEnds {
  readonly durationMs: Distribution;
  readonly toTargetBytes: Distribution;
  readonly toClientBytes: Distribution;
}

/** Exponents of the bounds, so that each is four times the one before it. */
const evenPowers = (from: number, to: number): readonly number[] =>
  Array.from({ length: (to - from) / 2 + 1 }, (_, index) => from + 2 * index);

/** 64 us to 16.8 s, of microseconds. */
const connectPowers = evenPowers(6, 24);
/** 1 ms to 4.7 h. */
const durationPowers = evenPowers(0, 24);
/** 64 B to 1 GiB. */
const sizePowers = evenPowers(6, 30);

export const connectBoundsMs = connectPowers.map((power) => 2 ** power / 1000);
export const durationBoundsMs = durationPowers.map((power) => 2 ** power);
export const sizeBoundsBytes = sizePowers.map((power) => 2 ** power);

/** In milliseconds, of a histogram of microseconds. */
export function connectTimes(histogram: Histogram): Distribution {
  return distribution(histogram, connectPowers, 1000);
}

export function connectionEnds(histograms: EndHistograms): ConnectionEnds {
  return {
    durationMs: distribution(histograms.durationMs, durationPowers),
    toTargetBytes: distribution(histograms.toTargetBytes, sizePowers),
    toClientBytes: distribution(histograms.toClientBytes, sizePowers),
  };
}
