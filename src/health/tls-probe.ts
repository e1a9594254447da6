// The tls probe: a handshake, and a look at the certificate. Nothing is sent after it.
import type { Probe } from './probe.js';
import { probeSecurely, type SecureTools } from './secure-probe.js';

export function createTlsProbe(tools: SecureTools): Probe<'tls'> {
  return (request) =>
    probeSecurely(tools, request, request.check.tls, (_stream, end) => {
      end({ ok: true, reason: 'connected' });
    });
}
