// The order of measurements, the time left, doubts about samples, and undoing.
import { describe, expect, it } from 'vitest';
import { Cleanup } from '../../../bench/cleanup.mjs';
import { allContenders } from '../../../bench/contenders/all-contenders.mjs';
import { allRows, quickRows } from '../../../bench/rows/all-rows.mjs';
import { BrokenMeasurement, checkCount, counts, marksOf } from '../../../bench/sanity.mjs';
import { durationText, plan, TimeLeft } from '../../../bench/schedule.mjs';
import { addressesBelow } from '../../../bench/topology/topology.mjs';

describe('the plan', () => {
  it('measures every row with every contender that speaks its protocol, once a round', () => {
    const turns = plan(allRows, allContenders, 2);
    const keys = turns.map(({ round, row, contender }) => `${round} ${row.name} ${contender.name}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toContain('1 udp-echo-64-bursts nginx');
    expect(keys).not.toContain('0 udp-echo-64-bursts haproxy');
    expect(keys).toContain('0 bulk-1-to-client haproxy-splice');
    expect(keys).not.toContain('0 http-close haproxy-splice');
  });

  it('lets another contender be the first in each round', () => {
    const rows = allRows.filter(({ name }) => name === 'http-close');
    const firsts = plan(rows, allContenders, 3)
      .filter((turn, index, all) => turn.round !== all[index - 1]?.round)
      .map(({ contender }) => contender.name);
    expect(new Set(firsts).size).toBe(3);
  });

  it('has rows with names of their own, the quick ones among them', () => {
    const names = allRows.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of quickRows) expect(names).toContain(name);
  });

  it('compares the growth with a row that exists and a metric that both have', () => {
    for (const { growth, metrics } of allRows) {
      if (growth === undefined) continue;
      const base = allRows.find(({ name }) => name === growth.base);
      for (const owner of [base?.metrics, metrics]) {
        expect(owner?.map(({ name }) => name)).toContain(growth.metric);
      }
    }
  });
});

describe('the time left', () => {
  it('is what the rest takes at the pace of what is done', () => {
    const turns = plan(
      allRows.filter(({ name }) => name === 'http-close'),
      allContenders,
      2,
    );
    const timeLeft = new TimeLeft(turns, 3);
    const estimate = timeLeft.seconds;
    const [first] = turns;
    if (first === undefined) throw new Error('the plan is empty');
    timeLeft.done(first, (2 * estimate) / turns.length);
    expect(timeLeft.seconds).toBeCloseTo((2 * estimate * (turns.length - 1)) / turns.length);
  });

  it.each([
    [4.4, '4 s'],
    [75, '1 min 15 s'],
    [7300, '2 h 1 min'],
    [-1, '0 s'],
  ])('%d s is written %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});

describe('doubts about a sample', () => {
  const calm = {
    elapsedSeconds: 1,
    coreSeconds: 1,
    processSeconds: 0.9,
    coreShare: 1,
    clientShare: 0.5,
    othersShare: 0.02,
  };

  it('are none when the balancer is alone and the client has room', () => {
    expect(marksOf(calm)).toEqual([]);
  });

  it('are marks: a full client core still counts, a shared balancer core does not', () => {
    expect(marksOf({ ...calm, clientShare: 0.99 })).toEqual(['client core full']);
    expect(counts(['client core full'])).toBe(true);
    expect(marksOf({ ...calm, othersShare: 0.2 })).toEqual(['core shared']);
    expect(counts(['client core full', 'core shared'])).toBe(false);
    expect(counts(['ports exhausted'])).toBe(false);
  });

  it('become a broken measurement when the two ends disagree', () => {
    const count = { unit: 'requests', client: 100, target: 95, slack: 5 };
    expect(() => checkCount(count)).not.toThrow();
    expect(() => checkCount({ ...count, target: 94 })).toThrow(BrokenMeasurement);
    expect(() => checkCount({ ...count, client: 0, target: 0 })).toThrow('no requests');
  });
});

describe('cleaning up', () => {
  it('undoes in reverse order, each thing once, even when one fails', async () => {
    const cleanup = new Cleanup();
    const undone: string[] = [];
    cleanup.add(() => {
      undone.push('first');
    });
    const depth = cleanup.depth;
    cleanup.add(async () => {
      undone.push('second');
    });
    cleanup.add(() => {
      throw new Error('third fails');
    });
    await expect(cleanup.back(depth)).rejects.toThrow('third fails');
    expect(undone).toEqual(['second']);
    await cleanup.close();
    await cleanup.close();
    expect(undone).toEqual(['second', 'first']);
  });
});

describe('addresses below a network', () => {
  it('are different, and neither network nor broadcast addresses', () => {
    const addresses = addressesBelow('10.78', 5000);
    expect(new Set(addresses).size).toBe(5000);
    expect(addresses[0]).toBe('10.78.1.1');
    for (const address of addresses) expect(address).toMatch(/\.(?!0$|255$)\d+$/);
  });
});
