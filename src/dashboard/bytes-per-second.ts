// bytes-per-second: what goes both ways together.
import type { Rates } from '../model/overview.ts';

/** null: not known. */
export function bytesPerSecond(rates: Rates): number | null {
  const { toTargetBytesPerSecond: there, toClientBytesPerSecond: back } = rates;
  return there === null || back === null ? null : there + back;
}
