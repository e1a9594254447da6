// pen: a small, old single-threaded TCP balancer.
import { execFileSync } from 'node:child_process';
import { pathOf } from '../tools.mjs';

/** @type {import('./contender.mjs').Contender} */
export const pen = {
  name: 'pen',
  kind: 'peer',
  protocols: ['tcp'],
  tools: ['pen'],
  // -r: without its memory of clients, which no other contender keeps.
  command: ({ listen, targets }) => [
    ...[pathOf('pen'), '-f', '-r', '-x', '9800', '-c', '20000'],
    ...[listen, ...targets],
  ],
  // It has no option that tells.
  version: () => {
    const status = execFileSync('dpkg-query', ['-s', 'pen']).toString();
    return /^Version: ([^-\s]+)/m.exec(status)?.[1] ?? '';
  },
};
