// Sockets in TIME_WAIT, which a probe must not leave behind.
import { readFileSync } from 'node:fs';

/** Those with this local or remote port, over IPv4. */
export function timeWaitCount(port: number): number {
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .filter((line) => {
      const [, local, remote, state] = line.trim().split(/\s+/);
      const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
      return state === '06' && (local?.endsWith(hex) || remote?.endsWith(hex));
    }).length;
}
