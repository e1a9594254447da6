// State metrics: what /metrics says beside the engine's counters, one entry per metric.
import { connectBoundsMs, durationBoundsMs, sizeBoundsBytes } from '../model/connection-ends.js';
import { ejectionReasons } from '../model/ejection.js';
import type { Distribution } from '../model/histogram.js';
import { responseBoundsMs } from '../model/response-times.js';
import type {
  ListenerStatus,
  PoolStatus,
  Status,
  TargetStatus,
  TierStatus,
} from '../model/status.js';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of a histogram: `_bucket`, `_sum` or `_count`, which follow its name. */
  readonly part?: string;
}

export interface StateMetric<Subject> {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Labels that come on top of those which name the subject. */
  samples(subject: Subject): readonly Sample[];
}

/** `bounds` as in `below`; `unit`: how much of both makes one of the metric's. */
function histogramSamples(
  { count, sum, below }: Distribution,
  bounds: readonly number[],
  unit: number,
): readonly Sample[] {
  const bucket = (le: string, value: number) => ({ labels: { le }, value, part: '_bucket' });
  return [
    ...bounds.map((bound, index) => bucket(String(bound / unit), below[index] ?? 0)),
    bucket('+Inf', count),
    { labels: {}, value: sum / unit, part: '_sum' },
    { labels: {}, value: count, part: '_count' },
  ];
}

const msPerSecond = 1000;

const single = (value: number): readonly Sample[] => [{ labels: {}, value }];

/** One sample per possible state, 1 for the present one: the form that alert rules like. */
const oneHot = (states: readonly string[], present: string): readonly Sample[] =>
  states.map((state) => ({ labels: { state }, value: state === present ? 1 : 0 }));

export const processMetrics: readonly StateMetric<Status>[] = [
  {
    name: 'sluice_table_generation',
    type: 'gauge',
    help: 'Generation of the table, wanted and applied',
    samples: ({ generation }) => [
      { labels: { state: 'wanted' }, value: generation.wanted },
      { labels: { state: 'applied' }, value: generation.applied },
    ],
  },
  {
    name: 'sluice_events_dropped_total',
    type: 'counter',
    help: 'Events lost because a ring was full',
    samples: ({ eventsDropped }) => single(eventsDropped),
  },
];

export const listenerMetrics: readonly StateMetric<ListenerStatus>[] = [
  {
    name: 'sluice_listener_active',
    type: 'gauge',
    help: 'Connections and sessions open now',
    samples: ({ active }) => single(active),
  },
  {
    name: 'sluice_listener_max_connections',
    type: 'gauge',
    help: 'The configured limit of connections, 0 when there is none',
    samples: ({ maxConnections }) => single(maxConnections),
  },
  {
    name: 'sluice_listener_closed_total',
    type: 'counter',
    help: 'Connections and sessions that ended, by reason',
    samples: ({ closed }) =>
      Object.entries(closed).map(([reason, value]) => ({ labels: { reason }, value })),
  },
  {
    name: 'sluice_listener_connection_duration_seconds',
    type: 'histogram',
    help: 'How long connections and sessions that ended had lasted',
    samples: ({ ends }) => histogramSamples(ends.durationMs, durationBoundsMs, msPerSecond),
  },
  {
    name: 'sluice_listener_connection_to_target_bytes',
    type: 'histogram',
    help: 'What each connection or session that ended had sent to its target',
    samples: ({ ends }) => histogramSamples(ends.toTargetBytes, sizeBoundsBytes, 1),
  },
  {
    name: 'sluice_listener_connection_to_client_bytes',
    type: 'histogram',
    help: 'What each connection or session that ended had got from its target',
    samples: ({ ends }) => histogramSamples(ends.toClientBytes, sizeBoundsBytes, 1),
  },
];

/** Every priority of the pool, also one that has no candidate now. */
function byPriority(
  { tiers, targets }: PoolStatus,
  value: (tier: TierStatus | undefined) => number,
) {
  const priorities = new Set(
    targets.flatMap(({ priority }) => (priority === null ? [] : priority)),
  );
  return [...priorities]
    .sort((a, b) => a - b)
    .map((priority) => ({
      labels: { priority: String(priority) },
      value: value(tiers.find((tier) => tier.priority === priority)),
    }));
}

export const poolMetrics: readonly StateMetric<PoolStatus>[] = [
  {
    name: 'sluice_pool_priority_share',
    type: 'gauge',
    help: 'Share of new connections that begin with the targets of this priority, 0 to 1',
    samples: (pool) => byPriority(pool, (tier) => tier?.share ?? 0),
  },
  {
    name: 'sluice_pool_panic',
    type: 'gauge',
    help: '1 while targets of this priority are picked whatever was measured of them',
    samples: (pool) => byPriority(pool, (tier) => (tier?.panic === true ? 1 : 0)),
  },
  {
    name: 'sluice_pool_sticky_entries',
    type: 'gauge',
    help: 'Clients that the sticky table remembers',
    samples: ({ sticky }) => (sticky === null ? [] : single(sticky.entries)),
  },
  {
    name: 'sluice_pool_sticky_capacity',
    type: 'gauge',
    help: 'Clients that the sticky table may remember',
    samples: ({ sticky }) => (sticky === null ? [] : single(sticky.capacity)),
  },
  {
    name: 'sluice_pool_primaries_claimed',
    type: 'gauge',
    help: 'Targets of a pool with role primary that claim to be it; 2 is a split brain',
    samples: ({ role, targets }) =>
      role === 'primary'
        ? single(targets.filter((each) => each.role === role && each.health !== 'unhealthy').length)
        : [],
  },
];

export const targetMetrics: readonly StateMetric<TargetStatus>[] = [
  {
    name: 'sluice_target_active',
    type: 'gauge',
    help: 'Connections and sessions open now',
    samples: ({ active }) => single(active),
  },
  {
    name: 'sluice_target_active_turns',
    type: 'gauge',
    help: 'Connections that wait for an answer of the target now',
    samples: ({ activeTurns }) => single(activeTurns),
  },
  {
    name: 'sluice_target_response_recent_seconds',
    type: 'gauge',
    help: 'Peak-sensitive mean time to an answer, as policies see it',
    samples: ({ responses }) =>
      responses.recentMs === null ? [] : single(responses.recentMs / 1000),
  },
  {
    name: 'sluice_target_response_seconds',
    type: 'histogram',
    help: 'Time from the last byte of a client to the first byte of the answer',
    samples: ({ responses: { turns, sumMs, below } }) =>
      histogramSamples({ count: turns, sum: sumMs, below }, responseBoundsMs, msPerSecond),
  },
  {
    name: 'sluice_target_connect_duration_seconds',
    type: 'histogram',
    help: 'Time that successful connects to the target took',
    samples: ({ connects }) => histogramSamples(connects, connectBoundsMs, msPerSecond),
  },
  {
    name: 'sluice_target_weight',
    type: 'gauge',
    help: 'The configured weight',
    samples: ({ weight }) => single(weight),
  },
  {
    name: 'sluice_target_effective_weight',
    type: 'gauge',
    help: 'The weight as an agent has changed it',
    samples: ({ effectiveWeight }) => single(effectiveWeight),
  },
  {
    name: 'sluice_target_eligible',
    type: 'gauge',
    help: '1 when new connections may go to the target',
    samples: ({ eligible }) => single(eligible ? 1 : 0),
  },
  {
    name: 'sluice_target_ejected',
    type: 'gauge',
    help: '1 while the target is ejected, by reason',
    samples: ({ ejection }) =>
      ejectionReasons.map((reason) => ({
        labels: { reason },
        value: ejection?.reason === reason ? 1 : 0,
      })),
  },
  {
    name: 'sluice_target_health',
    type: 'gauge',
    help: '1 for the state that health checking found',
    samples: ({ health }) => oneHot(['healthy', 'unhealthy', 'unknown'], health),
  },
  {
    name: 'sluice_target_role',
    type: 'gauge',
    help: '1 for the role that the target says it has',
    samples: ({ role }) => (role === '' ? [] : oneHot(['primary', 'replica'], role)),
  },
  {
    name: 'sluice_target_admin_state',
    type: 'gauge',
    help: '1 for the state that the operator set',
    samples: ({ adminState }) => oneHot(['enabled', 'draining', 'disabled'], adminState),
  },
  {
    name: 'sluice_target_probe_latency_seconds',
    type: 'gauge',
    help: 'Duration of the last good health probe',
    samples: ({ probeLatencyMs }) => (probeLatencyMs === null ? [] : single(probeLatencyMs / 1000)),
  },
  {
    name: 'sluice_target_certificate_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'When the certificate expires that the target showed to a probe, in Unix time',
    samples: ({ certificateExpires }) =>
      certificateExpires === null ? [] : single(Date.parse(certificateExpires) / 1000),
  },
];
