// Requests for probes: who is asked, with what each test does not speak of filled in.

import { onTestFinished } from 'vitest';
import type { ProbeRequest } from '../../src/health/probe.js';
import type { Endpoint } from '../../src/model/address.js';
import type { ActiveProbeKind, CheckBasics, CheckOf } from '../../src/model/health-check.js';
import { at, check } from './sample-config.js';
import { type ScriptedPeer, type Step, startScriptedPeer } from './scripted-peer.js';

/** `settings` are the kind and the sections of its own. */
export function requestOf<Kind extends ActiveProbeKind>(
  settings: Omit<CheckOf<Kind>, keyof CheckBasics> & { readonly kind: Kind },
  where: Partial<Pick<ProbeRequest, 'endpoint' | 'host' | 'timeoutMs'>> = {},
): ProbeRequest<Kind> {
  const { kind, ...basics } = check;
  return {
    pool: 'web',
    target: 'a',
    endpoint: at('192.0.2.1'),
    host: '192.0.2.1',
    timeoutMs: 1000,
    ...where,
    check: { ...basics, ...settings } as unknown as CheckOf<Kind>,
  };
}

export function loopback(port: number): Endpoint {
  return at('127.0.0.1', port);
}

/** A scripted peer for one test. */
export async function peerThat(...steps: readonly Step[]): Promise<ScriptedPeer> {
  const peer = await startScriptedPeer(steps);
  onTestFinished(() => peer.close());
  return peer;
}
