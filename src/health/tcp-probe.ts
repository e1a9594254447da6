// The tcp probe: connect to the target, which is good enough, and close.
import type { Clock } from '../clock.js';
import type { Probe } from './probe.js';
import { probeSocket } from './probe-socket.js';

export function createTcpProbe({ clock }: { readonly clock: Clock }): Probe<'tcp'> {
  return ({ endpoint, timeoutMs }) =>
    probeSocket({ clock, endpoint, timeoutMs }, (_socket, end) => {
      end({ ok: true, reason: 'connected' });
    });
}
