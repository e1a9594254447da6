// What is remembered of the last hour, and that it costs a bounded amount of memory.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subjectsMax } from '../../../src/metrics/history-keeper.js';
import { bucketStart } from '../../../src/model/histogram.js';
import type { Placement } from '../../../src/model/placement.js';
import { bucketCount, placed, setupHistory } from '../../support/fake-history.js';

const web = (...targets: Placement['pools'][number]['targets']): Placement => ({
  listeners: [{ name: 'in', slot: 0, protocol: 'tcp', pool: 'web', addresses: ['[::1]:80'] }],
  pools: [{ name: 'web', policy: 'round_robin', targets }],
});
const two = web(placed('a', 0), placed('b', 1));

const many = (count: number): Placement =>
  web(...Array.from({ length: count }, (_, slot) => placed(`t${slot}`, slot)));

describe('a history', () => {
  it('has the rates of each second and what was open at its end', async () => {
    const { clock, history, targets, listeners, losses } = setupHistory(two);
    Object.assign(targets.at(0), { opened: 5, toTargetBytes: 100, toClientBytes: 7, active: 2 });
    Object.assign(listeners.at(0), { opened: 6, toTargetBytes: 100, active: 3 });
    losses.set('no_target', 2).set('client_closed', 50);
    await clock.advance(1000);
    targets.at(1).opened = 4;
    targets.at(1).errors = 1;
    await clock.advance(1000);

    const a = history('target:web/a');
    expect(a.endMs).toEqual([Date.UTC(2030, 0, 1, 0, 0, 1), Date.UTC(2030, 0, 1, 0, 0, 2)]);
    expect(a).toMatchObject({
      openedPerSecond: [5, 0],
      toTargetBytesPerSecond: [100, 0],
      toClientBytesPerSecond: [7, 0],
      active: [2, 2],
      standing: ['healthy', 'healthy'],
    });
    expect(history('pool:web')).toMatchObject({
      openedPerSecond: [5, 4],
      errorsPerSecond: [0, 1],
      active: [2, 2],
      eligible: [2, 2],
      standing: null,
    });
    const ofListener = { openedPerSecond: [6, 0], errorsPerSecond: [2, 0], active: [3, 3] };
    expect(history('listener:in')).toMatchObject(ofListener);
    expect(history('total')).toMatchObject({ ...ofListener, eligible: [2, 2] });
  });

  it('has percentiles of the turns of each step only, of a target, its pool and all', async () => {
    const { clock, history, addTurns } = setupHistory(two);
    addTurns(0, 40, 10);
    await clock.advance(1000);
    addTurns(0, 60, 10);
    addTurns(1, 80, 30);
    await clock.advance(2000);
    const within = (value: number | null | undefined, bucket: number) => {
      expect(value).toBeGreaterThanOrEqual(bucketStart(bucket) / 1000);
      expect(value).toBeLessThanOrEqual(bucketStart(bucket + 1) / 1000);
    };
    const { p50Ms, p99Ms } = history('target:web/a');
    within(p50Ms[0], 40);
    within(p99Ms[0], 40);
    within(p50Ms[1], 60);
    expect(p50Ms[2]).toBeNull();
    for (const subject of ['pool:web', 'total']) {
      within(history(subject).p50Ms[1], 80);
      within(history(subject).p50Ms[0], 40);
    }
    expect(history('listener:in').p50Ms).toEqual([null, null, null]);
  });

  it('keeps two minutes by the second and an hour by ten seconds', async () => {
    const { clock, history, targets } = setupHistory(two);
    for (let second = 0; second < 3700; second++) {
      targets.at(0).opened += 3;
      await clock.advance(1000);
    }
    const fine = history('target:web/a');
    expect(fine.endMs).toHaveLength(120);
    expect(fine.openedPerSecond.every((value) => value === 3)).toBe(true);
    const coarse = history('target:web/a', '1h');
    expect(coarse.endMs).toHaveLength(360);
    expect(coarse.endMs.at(-1)).toBe(Date.UTC(2030, 0, 1) + 3700_000);
    expect((coarse.endMs[1] ?? 0) - (coarse.endMs[0] ?? 0)).toBe(10_000);
    expect(coarse.openedPerSecond.every((value) => value === 3)).toBe(true);
  });

  it('keeps the gravest standing, fewest eligible and most open of a longer step', async () => {
    const { clock, history, place, targets } = setupHistory(two);
    await clock.advance(3000);
    place(web(placed('a', 0, { standing: 'unhealthy', eligible: false }), placed('b', 1)));
    targets.at(0).active = 9;
    await clock.advance(1000);
    place(two);
    targets.at(0).active = 1;
    await clock.advance(16_000);
    expect(history('target:web/a', '1h')).toMatchObject({
      standing: ['unhealthy', 'healthy'],
      active: [9, 1],
    });
    expect(history('pool:web', '1h').eligible).toEqual([1, 2]);
    const seen = history('target:web/a').standing?.slice(2, 5);
    expect(seen).toEqual(['healthy', 'unhealthy', 'healthy']);
  });

  it('takes what a frozen loop missed as one long step', async () => {
    const { clock, history, targets } = setupHistory(two);
    await clock.advance(1000);
    targets.at(0).opened = 50;
    await clock.stall(5000);
    await clock.advance(1000);
    expect(history('target:web/a').openedPerSecond).toEqual([0, 10, 0]);
  });

  it('begins at a new target where its counters stand, and forgets one that is gone', async () => {
    const { clock, history, keeper, place, targets } = setupHistory(two);
    targets.at(1).opened = 1000;
    await clock.advance(1000);
    // b is gone, and c has its slot.
    place(web(placed('a', 0), placed('c', 1)));
    await clock.advance(1000);
    targets.at(1).opened += 2;
    await clock.advance(1000);
    expect(history('target:web/c').openedPerSecond).toEqual([null, null, 2]);
    expect(history('pool:web').openedPerSecond).toEqual([1000, 0, 2]);
    expect(keeper.read('target:web/b', '2m')).toBe('unknown');
    expect(keeper.read('pool:none', '2m')).toBe('unknown');
  });

  it('goes on at a target that moves to another address', async () => {
    const { clock, history, place, targets } = setupHistory(two);
    targets.at(0).opened = 1;
    targets.at(7).opened = 500;
    await clock.advance(1000);
    place(web(placed('a', 7), placed('b', 1)));
    await clock.advance(1000);
    place(web(placed('a', null, { standing: 'unhealthy', eligible: false }), placed('b', 1)));
    await clock.advance(1000);
    expect(history('target:web/a')).toMatchObject({
      openedPerSecond: [1, 0, 0],
      standing: ['healthy', 'healthy', 'unhealthy'],
    });
  });

  it('waits for the first table, and ends with no timer left', async () => {
    const { clock, keeper, place, history } = setupHistory(null);
    await clock.advance(1000);
    expect(keeper.read('target:web/a', '2m')).toBe('unknown');
    place(two);
    await clock.advance(2000);
    expect(history('target:web/a').openedPerSecond).toEqual([null, null, 0]);
    keeper.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('an overview', () => {
  it('has how targets stand now, and what the last second was like', async () => {
    const { clock, keeper, place, targets } = setupHistory(two);
    const [before] = keeper.overview().pools;
    expect(before?.targets[0]).toMatchObject({ name: 'a', standing: 'healthy', active: null });
    targets.at(0).opened = 3;
    targets.at(1).active = 7;
    await clock.advance(1000);
    place(web(placed('a', 0, { standing: 'unhealthy', eligible: false }), placed('b', 1)));
    expect(keeper.overview()).toMatchObject({
      total: { openedPerSecond: 0, p95Ms: null },
      listeners: [{ name: 'in', pool: 'web', addresses: ['[::1]:80'], active: 0 }],
      pools: [
        {
          name: 'web',
          policy: 'round_robin',
          active: 7,
          openedPerSecond: 3,
          targets: [
            { name: 'a', standing: 'unhealthy', eligible: false, openedPerSecond: 3, active: 0 },
            { name: 'b', standing: 'healthy', eligible: true, openedPerSecond: 0, active: 7 },
          ],
        },
      ],
    });
    keeper.close();
  });
});

describe('the counts of a history', () => {
  const step = fc.record({
    ms: fc.integer({ min: 1, max: 9000 }),
    opened: fc.array(fc.nat(1000), { minLength: 3, maxLength: 3 }),
    slots: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 3, maxLength: 3 }),
    reload: fc.boolean(),
  });

  it('add up to what the engine counted, through stalls and reloads, and never sink', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
        const names = ['a', 'b', 'c'];
        let slots = [0, 1, 2];
        const setup = setupHistory(web(...names.map((name, at) => placed(name, slots[at] ?? 0))));
        const { clock, targets, keeper, place, history } = setup;
        let expected = 0;
        for (const each of steps) {
          if (each.reload) {
            slots = each.slots;
            place(web(...names.map((name, at) => placed(name, slots[at] ?? 0))));
            // A sample of the new table, from which on its slots count.
            await clock.advance(1000);
          }
          for (const [at, slot] of slots.entries()) {
            targets.at(slot).opened += each.opened[at] ?? 0;
            expected += each.opened[at] ?? 0;
          }
          await clock.stall(each.ms);
          await clock.advance(1000);
        }
        const sum = (window: '2m' | '1h') => {
          const { endMs, openedPerSecond } = history('pool:web', window);
          expect(openedPerSecond.every((rate) => rate !== null && rate >= 0)).toBe(true);
          return openedPerSecond.reduce<number>((total, rate, index) => {
            const from = index === 0 ? Date.UTC(2030, 0, 1) : (endMs[index - 1] ?? 0);
            return total + ((rate ?? 0) * ((endMs[index] ?? 0) - from)) / 1000;
          }, 0);
        };
        if (history('total').endMs.length < 120) {
          expect(Math.abs(sum('2m') - expected)).toBeLessThanOrEqual(1 + expected * 1e-5);
        }
        expect(sum('1h')).toBeLessThanOrEqual(expected + 1 + expected * 1e-5);
        keeper.close();
      }),
      { numRuns: 60 },
    );
  });
});

describe('the memory of a history', () => {
  /** What typed arrays hold when the garbage is gone. */
  const heldBytes = () => {
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')();
    return process.memoryUsage().arrayBuffers;
  };
  const kept = async (count: number) => {
    const before = heldBytes();
    const setup = setupHistory(many(count));
    for (let round = 0; round < 2; round++) {
      for (let slot = 0; slot < count; slot++) setup.addTurns(slot, 30, 1);
      await setup.clock.advance(20_000);
    }
    // The fake's own histograms.
    const ours = count * (bucketCount + 1) * 4;
    return { ...setup, bytes: heldBytes() - before - ours };
  };

  it('of 1 000 targets is at most 22 MiB', async () => {
    const { keeper, bytes } = await kept(1000);
    expect(keeper.subjects).toBe(1003);
    expect(bytes).toBeGreaterThan(10 * 2 ** 20);
    expect(bytes).toBeLessThan(22 * 2 ** 20);
  });

  it('of 16 000 targets is at most 50 MiB; those beyond the bound are in their pool', async () => {
    const { keeper, bytes, clock, history, targets, addTurns } = await kept(16_000);
    expect(keeper.subjects).toBe(subjectsMax);
    expect(bytes).toBeLessThan(50 * 2 ** 20);
    expect(keeper.read('target:web/t15999', '2m')).toBe('not_kept');
    targets.at(15_999).opened += 11;
    addTurns(15_999, 50, 1);
    await clock.advance(1000);
    expect(history('pool:web').openedPerSecond.at(-1)).toBe(11);
    expect(history('pool:web').p50Ms.at(-1)).not.toBeNull();
  });
});

describe('a sample', () => {
  it('lets the event loop have its turn after every 1 000 targets', async () => {
    const { clock, keeper, history } = setupHistory(many(2500));
    // The first slice has been taken, and the rest waits.
    expect(history('total').endMs).toEqual([]);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(0);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1000);
    expect(history('total').endMs).toHaveLength(1);
    keeper.close();
  });
});
