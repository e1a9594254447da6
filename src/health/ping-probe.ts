// The ping probe: one ICMP echo to the target's address. It tells that a machine lives, not that
// anything listens there.
import type { ProbeReason, ProbeResult } from '../model/health.js';
import type { Ping, Probe } from './probe.js';

const reasons = {
  answered: 'answered',
  unreachable: 'unreachable',
  timed_out: 'timed_out',
  failed: 'failed',
  not_permitted: 'local',
} as const satisfies Record<Awaited<ReturnType<Ping>>['outcome'], ProbeReason>;

export function createPingProbe({ ping }: { readonly ping: Ping }): Probe<'ping'> {
  return async ({ endpoint, timeoutMs }): Promise<ProbeResult> => {
    // A unix socket has no address to ping; the configuration check refuses the combination.
    if (endpoint.kind === 'unix') return { ok: false, latencyMs: 0, reason: 'local' };
    try {
      const { outcome, latencyMs } = await ping(endpoint.ip, timeoutMs);
      return { ok: outcome === 'answered', latencyMs, reason: reasons[outcome] };
    } catch {
      // The engine is closing, or its command ring is full: nothing was learnt of the target.
      return { ok: false, latencyMs: 0, reason: 'local' };
    }
  };
}
