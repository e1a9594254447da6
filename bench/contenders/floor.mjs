// The floor: the cheapest possible relays (bench/floor), and "direct", with nothing in between.
import { program } from '../build.mjs';

/** @type {import('./contender.mjs').Contender} */
export const floor = {
  name: 'floor',
  kind: 'floor',
  protocols: ['tcp', 'udp'],
  tools: [],
  command: ({ protocol, listen, targets: [target = ''], bulk = false }) => [
    program(protocol === 'tcp' ? 'tcp_floor' : 'udp_floor'),
    ...['--listen', listen, '--target', target],
    ...(protocol === 'udp' && bulk ? ['--gso', '1'] : []),
  ],
  version: () => '',
};

/**
 * Clients talk to the target itself; nothing is started.
 * @type {import('./contender.mjs').Contender}
 */
export const direct = {
  name: 'direct',
  kind: 'direct',
  protocols: ['tcp', 'udp'],
  tools: [],
  command: () => [],
  version: () => '',
};
