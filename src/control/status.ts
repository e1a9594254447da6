// Status: the control plane's view of one moment, for /status and /metrics. Reads, changes nothing.
import { wholeShare } from '../balance/tiers.js';
import type { EngineCounters } from '../engine/engine.js';
import { formatAddress } from '../model/address-text.js';
import { connectionEnds, connectTimes } from '../model/connection-ends.js';
import { goodReasons, type HealthReason, type ProbeDetail } from '../model/health.js';
import { emptyHistogram } from '../model/histogram.js';
import type { Pool } from '../model/pool.js';
import { responseTimes } from '../model/response-times.js';
import type { Status, StatusScope, TargetStatus } from '../model/status.js';
import type { AdminStates, HealthRecord } from './beliefs.js';
import type { BoundPorts } from './bound-ports.js';
import type { Facts } from './build-table.js';
import { chooseTiers } from './choose-tiers.js';
import type { SlotOwners } from './slot-owners.js';
import type { DrainState } from './target-drains.js';
import { type TargetState, targetStates } from './target-states.js';

/** What the checker knows beyond its last report; null for a target that it does not probe. */
export type ProbeDetailOf = (pool: string, target: string) => ProbeDetail | null;

export interface StatusSources {
  readonly generation: Status['generation'];
  /** null before the first table. */
  readonly facts:
    | (Omit<Facts, 'generation' | 'health' | 'adminStates'> & {
        readonly health: ReadonlyMap<string, HealthRecord>;
        readonly adminStates: AdminStates;
      })
    | null;
  readonly counters: EngineCounters;
  readonly workers: number;
  readonly owners: SlotOwners;
  readonly ports: BoundPorts;
  readonly probeDetail: ProbeDetailOf;
  /** By targetKey. */
  readonly drains: ReadonlyMap<string, DrainState>;
}

/** `scope`: all of it when absent. */
export function buildStatus(sources: StatusSources, scope?: StatusScope): Status {
  const { generation, facts, counters, owners, ports } = sources;
  const workers = Array.from({ length: sources.workers }, (_, index) => ({
    index,
    totals: Object.fromEntries(counters.worker(index)),
  }));
  const eventsDropped = counters.eventsDropped();
  if (facts === null) return { generation, listeners: [], pools: [], workers, eventsDropped };

  const listeners = facts.config.listeners.flatMap((listener) => {
    const slot = facts.ids.listeners.used.get(listener.name);
    if (slot === undefined) return [];
    return [
      {
        name: listener.name,
        protocol: listener.protocol,
        pool: listener.pool,
        addresses: ports.addresses(listener),
        active: counters.listenerActive(slot),
        maxConnections: listener.maxConnections,
        totals: owners.listenerTotals(slot),
        closed: owners.listenerClosed(slot),
        ends: connectionEnds(owners.listenerEnds(slot)),
      },
    ];
  });
  const pools = facts.config.pools
    .filter(({ name }) => holdsPool(scope, name))
    .map((pool) => {
      const states = targetStates(pool, facts);
      const tiers = chooseTiers(pool, states);
      const candidates = new Set(tiers.flatMap(({ members }) => members));
      const slot = facts.ids.pools.used.get(pool.name);
      const capacity = pool.sticky?.capacity;
      return {
        name: pool.name,
        policy: pool.policy.name,
        healthCheck: pool.health.kind,
        role: pool.role,
        tiers: tiers.map(({ priority, members, share, panic, configured }) => ({
          priority,
          candidates: members.length,
          configured,
          share: share / wholeShare,
          panic,
        })),
        sticky:
          slot === undefined || capacity === undefined
            ? null
            : { entries: counters.stickyEntries(slot), capacity },
        totals: slot === undefined ? {} : owners.poolTotals(slot),
        targets: states.flatMap((state, index) =>
          holdsTarget(scope, state.target.name)
            ? targetStatus(sources, pool, state, candidates.has(index))
            : [],
        ),
      };
    });
  return { generation, listeners, pools, workers, eventsDropped };
}

function holdsPool(scope: StatusScope | undefined, pool: string): boolean {
  return scope === undefined || (scope !== 'listeners' && scope.pool === pool);
}

function holdsTarget(scope: StatusScope | undefined, target: string): boolean {
  if (scope === undefined || scope === 'listeners') return true;
  return scope.target === undefined || scope.target === target;
}

function targetStatus(
  { facts, counters, owners, probeDetail, drains }: StatusSources,
  pool: Pool,
  { target, key, health, adminState, ejection, weight, record }: TargetState,
  isCandidate: boolean,
): TargetStatus {
  const measured = key === null ? undefined : facts?.health.get(key);
  const detail = record && probeDetail(pool.name, target.name);
  // A probe of the previous address says nothing of this one.
  const isCurrent = detail && formatAddress(detail.endpoint) === formatAddress(record.address);
  const current = isCurrent ? detail : null;
  const since = current?.since ?? measured?.since ?? null;
  return {
    name: target.name,
    address: formatAddress(target.address),
    resolved: record && formatAddress(record.address),
    weight: target.weight,
    effectiveWeight: weight,
    agent: (key === null ? undefined : facts?.agents.get(key)) ?? null,
    priority: target.backup ? null : target.priority,
    backup: target.backup,
    health,
    healthReason: reasonText(record, current?.reason ?? measured?.reason ?? null),
    healthDetail: (current ? current.facts.detail : measured?.detail) ?? '',
    certificateExpires: current?.facts.certificateExpires?.toISOString() ?? null,
    role: (key === null ? undefined : facts?.roles?.roles.get(key)) ?? '',
    healthSince: since === null ? null : since.toISOString(),
    probeLatencyMs: (current ? current.latencyMs : measured?.latencyMs) ?? null,
    adminState,
    ejection: ejection && {
      reason: ejection.reason,
      since: ejection.since.toISOString(),
      until: ejection.until.toISOString(),
    },
    drain: drainStatus(key === null ? undefined : drains.get(key)),
    eligible: isCandidate,
    active: record ? counters.targetActive(record.slot) : 0,
    activeTurns: record ? counters.targetActiveTurns(record.slot) : 0,
    responses: record
      ? responseTimes(owners.targetResponses(record.slot), counters.targetResponseUs(record.slot))
      : responseTimes(emptyHistogram, 0),
    connects: connectTimes(record ? owners.targetConnects(record.slot) : emptyHistogram),
    maxConnections: target.maxConnections,
    totals: record ? owners.targetTotals(record.slot) : {},
  };
}

function drainStatus(drain: DrainState | undefined): TargetStatus['drain'] {
  if (drain === undefined) return null;
  const { cause, phase, since, deadline, closed } = drain;
  const times = { since: since.toISOString(), deadline: deadline?.toISOString() ?? null };
  return { cause, phase, ...times, closed };
}

function reasonText(record: TargetState['record'], reason: HealthReason | null): string {
  if (record === null) return 'unresolved';
  return reason === null || goodReasons.has(reason) ? '' : reason;
}
