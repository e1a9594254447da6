// FailureLimiter: an address that sends wrong tokens is not listened to for a while, so that nobody
// can try many. Bounded: of more addresses than it can keep the one that failed first is forgotten.
import { isIPv6 } from 'node:net';
import type { Clock } from '../clock.js';

/** Wrong tokens within a window, after which the address waits for its end. */
const failuresMax = 10;
const windowMs = 60_000;
const sourcesMax = 1024;

interface Window {
  readonly endsMs: number;
  failures: number;
}

export class FailureLimiter {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** How long this address has to wait; 0: not at all. */
  waitMs(address: string): number {
    const window = this.#windows.get(sourceOf(address));
    if (window === undefined || window.failures < failuresMax) return 0;
    return Math.max(0, window.endsMs - this.#clock.nowMs());
  }

  failed(address: string): void {
    const source = sourceOf(address);
    const nowMs = this.#clock.nowMs();
    const window = this.#windows.get(source);
    if (window !== undefined && window.endsMs > nowMs) {
      window.failures++;
      return;
    }
    this.#windows.delete(source);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size >= sourcesMax && oldest !== undefined) this.#windows.delete(oldest);
    this.#windows.set(source, { endsMs: nowMs + windowMs, failures: 1 });
  }
}

/** Of IPv6 the network: one machine has as many addresses as it likes. */
function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = '', tail] = address.replace(/%.*/, '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  const all = tail === undefined ? before : [...before, ...zeros, ...after];
  return `${all.slice(0, 4).join(':')}::/64`;
}
