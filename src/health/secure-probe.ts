// SecureProbe: a probe over a stream that speaks TLS when its settings say so.
import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.js';
import type { ProbeFacts, ProbeResult } from '../model/health.js';
import type { TlsSettings } from '../model/health-check.js';
import type { ProbeRequest } from './probe.js';
import { type End, type Ending, probeSocket } from './probe-socket.js';
import { startTls, type Trust } from './tls-socket.js';

export interface SecureTools {
  readonly clock: Clock;
  readonly trust: Trust;
}

/** `stream` is connected; `bytesRead` counts what came over it. */
export type UseStream = (stream: Duplex & { readonly bytesRead: number }, end: End) => void;

/** `tls` null: in the clear. What the certificate says is added to every ending. */
export async function probeSecurely(
  { clock, trust }: SecureTools,
  { endpoint, timeoutMs, host }: Pick<ProbeRequest, 'endpoint' | 'timeoutMs' | 'host'>,
  tls: TlsSettings | null,
  use: UseStream,
): Promise<ProbeResult> {
  const request = { clock, endpoint, timeoutMs };
  if (tls === null) return probeSocket(request, use);
  const trusted = await trust(tls);
  if (!trusted.ok) return { ...trusted.ending, latencyMs: 0 };
  const { context } = trusted;
  let facts: ProbeFacts = {};
  const result = await probeSocket(request, (socket, end) => {
    startTls(socket, { settings: tls, context, host }, end, (secure, learnt) => {
      facts = learnt;
      use(secure, end);
    });
  });
  return withFacts(result, facts);
}

function withFacts<E extends Ending>(ending: E, facts: ProbeFacts): E {
  return { ...ending, facts: { ...facts, ...ending.facts } };
}
