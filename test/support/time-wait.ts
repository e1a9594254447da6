// Sockets in TIME_WAIT, which a probe must not leave behind.
import { readFileSync } from 'node:fs';

const timeWait = '06';

/** Those with this local or remote port over IPv4, each as its two ends. */
function inTimeWait(port: number): string[] {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, local = '', remote = '', state] = line.trim().split(/\s+/);
      const ours = local.endsWith(hex) || remote.endsWith(hex);
      return state === timeWait && ours ? [`${local} ${remote}`] : [];
    });
}

/**
 * What this port's sockets leave in TIME_WAIT between this call and that of its result. Not what
 * was there before: a port that listens now may have been another connection's own a minute ago.
 */
export function watchTimeWait(port: number): () => string[] {
  const before = new Set(inTimeWait(port));
  return () => inTimeWait(port).filter((ends) => !before.has(ends));
}
