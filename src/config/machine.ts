// Machine: the few facts about this machine that a configuration is read with. Passed in, so that
// loading stays a pure function.
import { availableParallelism, networkInterfaces } from 'node:os';
import type { InterfaceIndex } from './ip.js';

export interface Machine {
  /** CPUs that this process may use. */
  readonly cpus: number;
  readonly interfaceIndex: InterfaceIndex;
}

export function thisMachine(): Machine {
  return {
    cpus: availableParallelism(),
    interfaceIndex(name) {
      for (const address of networkInterfaces()[name] ?? []) {
        if (address.family === 'IPv6' && address.scopeid !== 0) return address.scopeid;
      }
      return null;
    },
  };
}
