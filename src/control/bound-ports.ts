// BoundPorts: the real ports of binds that asked for port 0, as the engine reports them.
import type { Endpoint } from '../model/address.js';
import { formatAddress } from '../model/address-text.js';
import type { Listener } from '../model/listener.js';

/**
 * Kept by listener name and by the bind's address, not by its index: a reload may reorder binds,
 * and the engine reports a bind only when it is new.
 */
export class BoundPorts {
  readonly #ports = new Map<string, number>();

  record(listener: Listener, bindIndex: number, port: number): void {
    const key = keyOf(listener, bindIndex);
    if (key !== null) this.#ports.set(key, port);
  }

  /** Forgets all listeners and binds but these. */
  keep(listeners: readonly Listener[]): void {
    const wanted = new Set(
      listeners.flatMap((listener) => listener.binds.map((_, index) => keyOf(listener, index))),
    );
    for (const key of this.#ports.keys()) {
      if (!wanted.has(key)) this.#ports.delete(key);
    }
  }

  /** The listener's addresses as bound; a port 0 that has not been reported stays 0. */
  addresses(listener: Listener): readonly string[] {
    return listener.binds.map((bind, index) => {
      if (bind.kind !== 'ip' || bind.port !== 0) return formatAddress(bind);
      const key = keyOf(listener, index);
      const port = key === null ? undefined : this.#ports.get(key);
      return formatAddress({ ...bind, port: port ?? 0 });
    });
  }
}

/** Equal addresses (port 0 twice) are told apart by their order among themselves. */
function keyOf({ name, binds }: Listener, bindIndex: number): string | null {
  const bind = binds[bindIndex];
  if (!bind) return null;
  const text = formatAddress(bind);
  const equal = (other: Endpoint): boolean => formatAddress(other) === text;
  return JSON.stringify([name, text, binds.slice(0, bindIndex).filter(equal).length]);
}
