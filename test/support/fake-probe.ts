// FakeProbes: targets that live, refuse or swallow probes as a test says, on a fake clock; and a
// record of every probe, which notices when two of one target overlap.
import type { Clock } from '../../src/clock.js';
import type { ProbeRequest } from '../../src/health/probe.js';
import type { Probes } from '../../src/health/probe-kinds.js';
import { formatAddress } from '../../src/model/address-text.js';
import type { ProbeResult } from '../../src/model/health.js';
import { probeKinds } from '../../src/model/health-check.js';

export type Behaviour = 'answers' | 'refuses' | 'swallows' | 'no_descriptor' | 'never_settles';

export interface FakeProbes {
  readonly probe: (request: Pick<ProbeRequest, 'endpoint' | 'timeoutMs'>) => Promise<ProbeResult>;
  /** Start times by address. */
  readonly starts: ReadonlyMap<string, readonly number[]>;
  readonly underWay: () => number;
  readonly underWayMax: () => number;
  readonly overlaps: () => number;
  /** How the target at this address behaves from now on; `answers` unless told. */
  behave(address: string, behaviour: Behaviour): void;
}

export function createFakeProbes(clock: Clock, latencyMs = 0): FakeProbes {
  const behaviours = new Map<string, Behaviour>();
  const starts = new Map<string, number[]>();
  const open = new Map<string, number>();
  let underWay = 0;
  let underWayMax = 0;
  let overlaps = 0;

  const probe: FakeProbes['probe'] = ({ endpoint, timeoutMs }) => {
    const address = formatAddress(endpoint);
    const startedMs = clock.nowMs();
    starts.set(address, [...(starts.get(address) ?? []), startedMs]);
    if ((open.get(address) ?? 0) > 0) overlaps++;
    open.set(address, (open.get(address) ?? 0) + 1);
    underWayMax = Math.max(underWayMax, ++underWay);
    return new Promise((resolve) => {
      const end = (ok: boolean, reason: ProbeResult['reason']) => {
        underWay--;
        open.set(address, (open.get(address) ?? 0) - 1);
        resolve({ ok, reason, latencyMs: clock.nowMs() - startedMs });
      };
      const behaviour = behaviours.get(address) ?? 'answers';
      if (behaviour === 'never_settles') return;
      if (behaviour === 'swallows') clock.after(timeoutMs, () => end(false, 'timed_out'));
      else if (behaviour === 'refuses') end(false, 'refused');
      else if (behaviour === 'no_descriptor') end(false, 'local');
      else if (latencyMs === 0) end(true, 'connected');
      else clock.after(latencyMs, () => end(true, 'connected'));
    });
  };

  return {
    probe,
    starts,
    underWay: () => underWay,
    underWayMax: () => underWayMax,
    overlaps: () => overlaps,
    behave: (address, behaviour) => void behaviours.set(address, behaviour),
  };
}

/** The same probe for every kind. */
export function fakeProbes(probe: FakeProbes['probe']): Probes {
  const kinds = probeKinds.filter((kind) => kind !== 'none');
  return Object.fromEntries(kinds.map((kind) => [kind, probe])) as unknown as Probes;
}
