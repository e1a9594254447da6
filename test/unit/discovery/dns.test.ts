// Names over time: answers, outages, silence, on a fake clock.
import { describe, expect, it } from 'vitest';
import { DnsDiscovery } from '../../../src/discovery/dns.js';
import { formatIp } from '../../../src/model/address-text.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { createRecordingLogger } from '../../support/recording-logger.js';

type Answer = readonly string[] | string | 'hangs';

/** Answers are lists of addresses, an error code, or nothing at all until released. */
function setup(records: Record<string, Answer>, random = () => 0) {
  const clock = new FakeClock();
  const log = createRecordingLogger();
  const changes: string[] = [];
  const asked: { host: string; atMs: number }[] = [];
  const hanging = new Map<string, (addresses: readonly string[]) => void>();
  let underWay = 0;
  let underWayMax = 0;
  const discovery = new DnsDiscovery({
    clock,
    random,
    log,
    lookup: async (host) => {
      asked.push({ host, atMs: clock.nowMs() });
      underWayMax = Math.max(underWayMax, ++underWay);
      try {
        const answer = records[host] ?? 'ENOTFOUND';
        if (answer === 'hangs') {
          const late = await new Promise<readonly string[]>((resolve) =>
            hanging.set(host, resolve),
          );
          return late.map((address) => ({ address }));
        }
        if (typeof answer === 'string') throw Object.assign(new Error(answer), { code: answer });
        return answer.map((address) => ({ address }));
      } finally {
        underWay--;
      }
    },
    onChange: ({ host, address, previous }) =>
      changes.push(`${host} ${previous ? formatIp(previous) : '-'} ${formatIp(address)}`),
  });
  const known = () =>
    Object.fromEntries(
      [...discovery.addresses()].map(([host, address]) => [host, formatIp(address)]),
    );
  return {
    clock,
    log,
    changes,
    asked,
    hanging,
    discovery,
    known,
    records,
    underWayMax: () => underWayMax,
  };
}

describe('dns discovery', () => {
  it('resolves at load, and says so when all new names have been tried', async () => {
    const { discovery, known, changes, log } = setup({ db: ['192.0.2.1'], cache: ['192.0.2.2'] });
    await discovery.update(['db', 'cache', 'nowhere', 'db']);
    expect(known()).toEqual({ db: '192.0.2.1', cache: '192.0.2.2' });
    expect(changes).toEqual(['db - 192.0.2.1', 'cache - 192.0.2.2']);
    expect(log.of('name_unresolved')).toEqual([{ host: 'nowhere', reason: 'ENOTFOUND', kept: '' }]);
    discovery.close();
  });

  it('asks again every 30 s, a little sooner with jitter, and reports changes only', async () => {
    const { clock, discovery, records, changes, asked } = setup({ db: ['192.0.2.1'] }, () => 0.5);
    await discovery.update(['db']);
    await clock.advance(120_000);
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 28_500, 57_000, 85_500, 114_000]);
    expect(changes).toEqual(['db - 192.0.2.1']);
    records['db'] = ['192.0.2.5', '192.0.2.1'];
    await clock.advance(30_000);
    expect(changes).toHaveLength(1);
    records['db'] = ['192.0.2.5'];
    await clock.advance(30_000);
    expect(changes.slice(1)).toEqual(['db 192.0.2.1 192.0.2.5']);
    discovery.close();
  });

  it('keeps the last good answer through failures, and warns once per outage', async () => {
    const { clock, discovery, records, known, log, changes } = setup({ db: ['192.0.2.1'] });
    await discovery.update(['db']);
    for (const outage of ['ENOTFOUND', 'EAI_AGAIN', []]) {
      records['db'] = outage;
      await clock.advance(90_000);
      expect(known()).toEqual({ db: '192.0.2.1' });
    }
    expect(log.of('name_unresolved')).toEqual([
      { host: 'db', reason: 'ENOTFOUND', kept: '192.0.2.1' },
    ]);
    expect(discovery.snapshot()).toMatchObject([{ host: 'db', failure: 'no_address' }]);
    records['db'] = ['192.0.2.1'];
    await clock.advance(30_000);
    expect(log.of('name_resolved')).toEqual([{ host: 'db', address: '192.0.2.1' }]);
    expect(discovery.snapshot()).toMatchObject([{ failure: null }]);
    expect(changes).toHaveLength(1);
    discovery.close();
  });

  it('tries a name without any address every 5 s', async () => {
    const { clock, discovery, records, asked, known } = setup({});
    await discovery.update(['db']);
    await clock.advance(15_000);
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 5000, 10_000, 15_000]);
    records['db'] = ['192.0.2.1'];
    await clock.advance(5000);
    expect(known()).toEqual({ db: '192.0.2.1' });
    discovery.close();
  });

  it('does not wait for a silent resolver longer than 5 s, but takes its late answer', async () => {
    const { clock, discovery, hanging, known, log } = setup({ db: 'hangs' });
    let done = false;
    const update = discovery.update(['db']).then(() => {
      done = true;
    });
    await clock.advance(4999);
    expect(done).toBe(false);
    await clock.advance(1);
    await update;
    expect(log.of('name_unresolved')).toEqual([{ host: 'db', reason: 'timed_out', kept: '' }]);
    hanging.get('db')?.(['192.0.2.1']);
    await settle();
    expect(known()).toEqual({ db: '192.0.2.1' });
    discovery.close();
  });

  it('never has more than two lookups under way, nor two of one name', async () => {
    const names = Array.from({ length: 50 }, (_, index) => `n${index}`);
    const records = Object.fromEntries(names.map((name): [string, Answer] => [name, 'hangs']));
    const { clock, discovery, asked, hanging, known, underWayMax } = setup(records);
    void discovery.update(names);
    await clock.advance(60_000);
    expect(asked.map(({ host }) => host)).toEqual(['n0', 'n1']);
    for (const name of names) {
      hanging.get(name)?.(['192.0.2.1']);
      await settle();
    }
    expect(underWayMax()).toBe(2);
    expect(Object.keys(known())).toHaveLength(50);
    discovery.close();
  });

  it('forgets a name that is no longer wanted, even while it is being looked up', async () => {
    const { clock, discovery, hanging, asked, changes } = setup({
      db: 'hangs',
      cache: ['192.0.2.2'],
    });
    void discovery.update(['db', 'cache']);
    await settle();
    await discovery.update(['cache']);
    hanging.get('db')?.(['192.0.2.1']);
    await clock.advance(100_000);
    expect(changes).toEqual(['cache - 192.0.2.2']);
    expect(asked.filter(({ host }) => host === 'db')).toHaveLength(1);
    discovery.close();
  });

  it('releases whoever waits, and leaves no timer behind, when it is closed', async () => {
    const { clock, discovery } = setup({ db: 'hangs' });
    const update = discovery.update(['db']);
    await settle();
    discovery.close();
    await update;
    expect(clock.pendingTimers).toBe(0);
  });
});
