// Metrics from a status: names by convention, base units, no sample lost on the way.
import { describe, expect, it } from 'vitest';
import { collect } from '../../../src/metrics/collect.js';
import { metricFormats, renderMetrics } from '../../../src/metrics/prometheus.js';
import type { Sample } from '../../../src/metrics/state-metrics.js';
import {
  connectBoundsMs,
  durationBoundsMs,
  sizeBoundsBytes,
} from '../../../src/model/connection-ends.js';
import { responseBoundsMs } from '../../../src/model/response-times.js';
import type { Status, TargetStatus } from '../../../src/model/status.js';

const target: TargetStatus = {
  name: 'a "quoted"\nname',
  address: '127.0.0.1:9001',
  resolved: '127.0.0.1:9001',
  weight: 3,
  effectiveWeight: 3,
  agent: null,
  priority: 0,
  backup: false,
  ejection: null,
  drain: null,
  health: 'healthy',
  healthReason: '',
  healthDetail: '',
  certificateExpires: '2030-01-01T00:00:00.000Z',
  role: '',
  healthSince: null,
  probeLatencyMs: 1.5,
  adminState: 'draining',
  eligible: false,
  active: 4,
  activeTurns: 3,
  responses: {
    turns: 9,
    recentMs: 1.5,
    sumMs: 700,
    p50Ms: 20,
    p95Ms: 200,
    p99Ms: 210,
    below: responseBoundsMs.map((ms) => (ms < 100 ? 2 : 9)),
  },
  connects: { count: 5, sum: 250, below: connectBoundsMs.map((ms) => (ms < 1 ? 1 : 5)) },
  maxConnections: 0,
  totals: {
    connect_refused: 5,
    connect_failed_local: 6,
    to_target_bytes: 7,
  },
};

const status: Status = {
  generation: { wanted: 8, applied: 7 },
  listeners: [
    {
      name: 'web',
      protocol: 'tcp',
      pool: 'web',
      addresses: ['127.0.0.1:8080'],
      active: 2,
      maxConnections: 10,
      totals: { connections_opened: 12, datagrams_dropped_sessions_full: 3, wait_us: 2_500_000 },
      closed: { client_closed: 9, idle_timeout: 1 },
      ends: {
        durationMs: { count: 10, sum: 90_000, below: durationBoundsMs.map(() => 4) },
        toTargetBytes: { count: 10, sum: 7000, below: sizeBoundsBytes.map(() => 10) },
        toClientBytes: { count: 10, sum: 0, below: sizeBoundsBytes.map(() => 10) },
      },
    },
  ],
  pools: [
    {
      name: 'web',
      policy: 'round_robin',
      healthCheck: 'tcp',
      role: 'any',
      tiers: [{ priority: 0, candidates: 1, configured: 1, share: 1, panic: true }],
      sticky: { entries: 21, capacity: 22 },
      totals: { sticky_hits: 23 },
      targets: [target],
    },
    {
      name: 'plain',
      policy: 'random',
      healthCheck: 'tcp',
      role: 'any',
      sticky: null,
      tiers: [],
      totals: {},
      targets: [],
    },
  ],
  workers: [{ index: 0, totals: { loops: 100, pipes_in_use: 2 } }],
  eventsDropped: 11,
};

const described = (...names: string[]) =>
  names.map((name) => ({
    name,
    unit: name.endsWith('_us') ? 'microseconds' : 'things',
    help: `help of ${name}`,
  }));

const catalog = {
  workerCounters: described('loops', 'pipes_in_use'),
  listenerCounters: described('connections_opened', 'datagrams_dropped_sessions_full', 'wait_us'),
  targetCounters: described('connect_refused', 'connect_failed_local', 'to_target_bytes'),
  poolCounters: described('sticky_hits'),
};

const build = { version: '1.2.3', nodeVersion: 'v20' };
const families = listOf(status);

function listOf(of: Status) {
  return [...collect(of, catalog, build)].map((one) => ({
    ...one,
    samples: [...one.samples] as readonly Sample[],
  }));
}

function family(name: string) {
  const found = families.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no metric ${name}`);
  return found;
}

describe('collect', () => {
  it('tells turns and response times of a target', () => {
    expect(family('sluice_target_active_turns').samples[0]?.value).toBe(3);
    expect(family('sluice_target_response_recent_seconds').samples[0]?.value).toBe(0.0015);
    const { type, samples } = family('sluice_target_response_seconds');
    expect(type).toBe('histogram');
    expect(samples).toHaveLength(responseBoundsMs.length + 3);
    const part = (name: string) => samples.filter((sample) => sample.part === name);
    expect(part('_bucket').map(({ labels }) => labels.le)).toContain('0.001024');
    expect(part('_bucket').at(-1)).toMatchObject({ labels: { le: '+Inf' }, value: 9 });
    expect(part('_sum')[0]?.value).toBe(0.7);
    expect(part('_count')[0]?.value).toBe(9);
  });

  it('tells how long connects took, and how long and how large connections were', () => {
    const told = (name: string) => {
      const { type, samples } = family(name);
      expect(type).toBe('histogram');
      const part = (of: string) => samples.filter(({ part: one }) => one === of);
      const buckets = part('_bucket').map(({ labels, value }) => [labels.le, value]);
      return { buckets, sum: part('_sum')[0]?.value, count: part('_count')[0]?.value };
    };
    const connects = told('sluice_target_connect_duration_seconds');
    expect(connects).toMatchObject({ sum: 0.25, count: 5 });
    expect(connects.buckets.slice(0, 3)).toEqual([
      ['0.000064', 1],
      ['0.000256', 1],
      ['0.001024', 5],
    ]);
    const durations = told('sluice_listener_connection_duration_seconds');
    expect(durations).toMatchObject({ sum: 90, count: 10 });
    expect(durations.buckets.slice(-2)).toEqual([
      ['16777.216', 4],
      ['+Inf', 10],
    ]);
    const sizes = told('sluice_listener_connection_to_target_bytes');
    expect(sizes).toMatchObject({ sum: 7000, count: 10 });
    expect(sizes.buckets.map(([le]) => le)).toContain('1024');
    expect(told('sluice_listener_connection_to_client_bytes')).toMatchObject({ sum: 0, count: 10 });
  });

  it('turns a counter of microseconds into seconds', () => {
    expect(family('sluice_listener_wait_seconds_total').samples[0]?.value).toBeCloseTo(2.5);
  });

  it('folds the ways a connect can fail into one metric with a reason', () => {
    expect(
      family('sluice_target_connect_failures_total').samples.map(({ labels, value }) => [
        labels.reason,
        value,
      ]),
    ).toEqual([
      ['refused', 5],
      ['local', 6],
    ]);
  });

  it('folds the ways a datagram can be dropped into one metric with a reason', () => {
    expect(family('sluice_listener_datagrams_dropped_total').samples).toEqual([
      { labels: { listener: 'web', protocol: 'tcp', reason: 'sessions_full' }, value: 3 },
    ]);
  });

  it('shows health and admin state one-hot', () => {
    const present = (name: string) =>
      family(name)
        .samples.filter(({ value }) => value === 1)
        .map(({ labels }) => labels.state);
    expect(present('sluice_target_health')).toEqual(['healthy']);
    expect(present('sluice_target_admin_state')).toEqual(['draining']);
  });

  it('gives the time at which a certificate expires in seconds since 1970', () => {
    const { samples } = family('sluice_target_certificate_expiry_timestamp_seconds');
    expect(samples.map(({ value }) => value)).toEqual([Date.UTC(2030, 0, 1) / 1000]);
  });

  it('shows the share and the panic of every priority, also of one without candidates', () => {
    const low = { ...target, name: 'low', priority: 2 };
    const [web] = status.pools;
    const pools = web === undefined ? [] : [{ ...web, targets: [...web.targets, low] }];
    const found = listOf({ ...status, pools });
    const values = (name: string) =>
      found
        .find((one) => one.name === name)
        ?.samples.map(({ labels, value }) => [labels.pool, labels.priority, value]);
    expect(values('sluice_pool_priority_share')).toEqual([
      ['web', '0', 1],
      ['web', '2', 0],
    ]);
    expect(values('sluice_pool_panic')).toEqual([
      ['web', '0', 1],
      ['web', '2', 0],
    ]);
  });

  it('shows what a sticky pool remembers, and nothing of that for another', () => {
    const web = { pool: 'web' };
    expect(family('sluice_pool_sticky_entries').samples).toEqual([{ labels: web, value: 21 }]);
    expect(family('sluice_pool_sticky_capacity').samples).toEqual([{ labels: web, value: 22 }]);
    expect(family('sluice_pool_sticky_hits_total').samples).toEqual([
      { labels: web, value: 23 },
      { labels: { pool: 'plain' }, value: 0 },
    ]);
  });

  it('keeps counters and gauges apart', () => {
    expect(family('sluice_worker_loops_total').type).toBe('counter');
    expect(family('sluice_worker_pipes_in_use').type).toBe('gauge');
  });

  it('names every metric with the prefix, and every counter with _total', () => {
    for (const { name, type } of families) {
      expect(name).toMatch(/^sluice_[a-z_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
    }
  });
});

async function render(of: Status, format: keyof typeof metricFormats): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of renderMetrics(collect(of, catalog, build), format)) pieces.push(piece);
  return pieces.join('');
}

const samplesOf = (text: string): readonly string[] =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('renderMetrics', () => {
  it('renders every sample once and escapes label values', async () => {
    const text = await render(status, 'prometheus');
    const count = families.reduce((sum, { samples }) => sum + samples.length, 0);
    expect(samplesOf(text)).toHaveLength(count);
    expect(text).toContain('target="a \\"quoted\\"\\nname"');
    expect(text).toContain('# TYPE sluice_listener_closed_total counter');
    expect(text).toContain(
      'sluice_listener_closed_total{listener="web",protocol="tcp",reason="client_closed"} 9',
    );
  });

  it('names counters without _total in OpenMetrics, samples with it, and ends it', async () => {
    const text = await render(status, 'openMetrics');
    expect(samplesOf(text)).toEqual(samplesOf(await render(status, 'prometheus')));
    expect(text).toContain('# TYPE sluice_listener_closed counter\n');
    expect(text).toContain('# TYPE sluice_target_active gauge\n');
    expect(text.split('\n').filter((line) => line === '# EOF')).toHaveLength(1);
    expect(text.endsWith('\n# EOF\n')).toBe(true);
  });

  it.each(Object.keys(metricFormats) as (keyof typeof metricFormats)[])(
    'lets the event loop turn while it renders many samples, one header each (%s)',
    async (format) => {
      const [web] = status.pools;
      const targets = Array.from({ length: 5000 }, (_, index) => ({ ...target, name: `${index}` }));
      const many = { ...status, pools: web === undefined ? [] : [{ ...web, targets }] };
      let turns = 0;
      let finished = false;
      const turn = (): void => {
        turns++;
        if (!finished) setImmediate(turn);
      };
      setImmediate(turn);
      const text = await render(many, format);
      finished = true;
      const samples = listOf(many).reduce((sum, each) => sum + each.samples.length, 0);
      expect(samplesOf(text)).toHaveLength(samples);
      expect(turns).toBeGreaterThan(samples / 4096 / 2);
      const headers = text.split('\n').filter((line) => line.startsWith('# TYPE'));
      expect(new Set(headers).size).toBe(headers.length);
    },
  );
});
