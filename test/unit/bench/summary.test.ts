// From samples to tables: what counts, which peer is the best, what is reached.
import { describe, expect, it } from 'vitest';
import { askedTable, farFromFloor } from '../../../bench/report/asked.mjs';
import { chartPoints, drawChart } from '../../../bench/report/chart.mjs';
import { document } from '../../../bench/report/document.mjs';
import { baseName, withNewestResults } from '../../../bench/report/files.mjs';
import type { RowResult } from '../../../bench/report/summary.mjs';
import { summarise, summariseGrowth } from '../../../bench/report/summary.mjs';
import { figure, markdownTable, spreadText } from '../../../bench/report/table.mjs';
import type { Metric } from '../../../bench/rows/row.mjs';
import type { Mark } from '../../../bench/sanity.mjs';

const rate: Metric = { name: 'rate', title: 'rate', unit: '/s', better: 'higher', reach: 1.1 };
const cpu: Metric = { name: 'cpu', title: 'CPU', unit: 'us', better: 'lower', reach: 0.9 };
const contenders = [
  { name: 'sluice', kind: 'subject' },
  { name: 'haproxy', kind: 'peer' },
  { name: 'nginx', kind: 'peer' },
  { name: 'floor', kind: 'floor' },
];

/** `marks` of "name round". */
function rowOf(
  values: Readonly<Record<string, readonly (readonly [number, number])[]>>,
  marks: Readonly<Record<string, readonly Mark[]>> = {},
): RowResult {
  const samples = Object.entries(values).flatMap(([contender, rounds]) =>
    rounds.map(([rateOf, cpuOf], round) => ({
      round,
      contender,
      values: { rate: rateOf, cpu: cpuOf },
      usage: null,
      marks: marks[`${contender} ${round}`] ?? [],
    })),
  );
  return { name: 'row', group: 'g', title: 'a row', metrics: [rate, cpu], samples, broken: [] };
}

const typical = rowOf({
  sluice: [
    [120, 8],
    [240, 16],
    [132, 9],
  ],
  haproxy: [
    [100, 10],
    [200, 20],
    [110, 10],
  ],
  nginx: [
    [90, 9],
    [150, 18],
    [100, 9],
  ],
  floor: [
    [150, 7],
    [300, 14],
    [160, 8],
  ],
});

describe('the summary of a metric', () => {
  it('compares with the peer whose median is best, each round by itself', () => {
    const { best, reached, peers } = summarise(typical, rate, contenders);
    expect(best?.peer).toBe('haproxy');
    expect(best?.ratio).toEqual({ min: 1.2, median: 1.2, max: 1.2 });
    expect(peers['nginx']?.median).toBeCloseTo(1.333, 3);
    expect(reached).toBe(true);
  });

  it('takes the lowest for the best where less is better', () => {
    const { best, reached } = summarise(typical, cpu, contenders);
    expect(best?.peer).toBe('nginx');
    expect(best?.ratio.median).toBeCloseTo(8 / 9);
    expect(reached).toBe(true);
  });

  it('says when what is asked is not reached', () => {
    const metric = { ...rate, reach: 1.5 };
    expect(summarise(typical, metric, contenders).reached).toBe(false);
  });

  it('leaves samples out that are not fit to compare, and shows that it did', () => {
    const row = rowOf(
      { sluice: [[120, 8]], haproxy: [[100, 10]] },
      { 'sluice 0': ['core shared'], 'haproxy 0': ['client core full'] },
    );
    const { best, reached, contenders: cells } = summarise(row, rate, contenders);
    expect(best).toBeNull();
    expect(reached).toBeNull();
    expect(cells['sluice']).toEqual({ median: 120, doubt: 'not counted' });
    expect(cells['haproxy']).toEqual({ median: 100, doubt: 'marked' });
  });

  it('judges an absolute bound without any peer', () => {
    const metric: Metric = { name: 'cpu', title: 't', unit: 'us', better: 'lower', atMost: 5 };
    const row = rowOf({ sluice: [[1, 4]] });
    expect(summarise(row, metric, contenders).reached).toBe(true);
    expect(summarise(row, { ...metric, atMost: 3 }, contenders).reached).toBe(false);
  });

  it('makes no ratio of a plain value', () => {
    const { best, floor, peers } = summarise(typical, { ...rate, plain: true }, contenders);
    expect([best, floor, peers]).toEqual([null, null, {}]);
  });
});

describe('the growth', () => {
  it('is the ratio to the base row within each round, asked of sluice only', () => {
    const base = { ...rowOf({ sluice: [[1, 10]], nginx: [[1, 10]] }), name: 'small' };
    const large: RowResult = {
      ...rowOf({ sluice: [[1, 13]], nginx: [[1, 30]] }),
      growth: { base: 'small', metric: 'cpu', atMost: 1.3 },
    };
    const growth = summariseGrowth([base, large], contenders);
    expect(growth.map(({ contender, reached }) => [contender, reached])).toEqual([
      ['sluice', true],
      ['nginx', null],
    ]);
    expect(growth[1]?.ratio.median).toBe(3);
  });

  it('is silent when the base was not measured', () => {
    const row = { ...typical, growth: { base: 'absent', metric: 'cpu', atMost: 1 } };
    expect(summariseGrowth([row], contenders)).toEqual([]);
  });
});

describe('figures and tables', () => {
  it.each([
    [0, '0'],
    [123456.7, '123457'],
    [999.4, '999'],
    [12.345, '12.3'],
    [1.2345, '1.23'],
    [0.01234, '0.0123'],
    [0.00001, '0.0000'],
  ])('%d is written %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });

  it('a spread of one round is one number', () => {
    expect(spreadText({ min: 1.5, median: 1.5, max: 1.5 })).toBe('1.50');
    expect(spreadText({ min: 1, median: 1.5, max: 2 })).toBe('1.50 (1.00-2.00)');
  });

  it('columns of a table are as wide as their widest cell', () => {
    expect(markdownTable(['a', 'long title'], [['wide cell', 'x'], ['y']]).split('\n')).toEqual([
      '| a         | long title |',
      '| --------- | ---------- |',
      '| wide cell | x          |',
      '| y         |            |',
    ]);
  });
});

const results = {
  date: '2026-01-02T03:04:05.000Z',
  machine: {
    host: 'a b',
    processor: 'P',
    cores: 2,
    memoryGib: 4,
    kernel: '6.1',
    node: '20.19.0',
  },
  versions: { haproxy: '2.6' },
  topology: 'loopback',
  seconds: 3,
  rounds: 3,
  contenders,
  rows: [typical],
};

describe('the report', () => {
  it('says where it was measured and shows every contender and what is reached', () => {
    const text = document(results);
    expect(text).toContain('on P, 2 cores, 4 GiB, Linux 6.1, Node 20.19.0. haproxy 2.6');
    expect(text).toMatch(/row +\| rate \/s \| 132 +\| 110 +\| 100 +\| 160/);
    expect(text).toMatch(/1\.20 haproxy +\| .*>= 1\.10 x +\| yes/);
  });

  it('begins with what is asked: every asked figure and growth, and nothing else', () => {
    const plain = { ...typical, name: 'plain', title: 'not asked', metrics: [{ ...rate }] };
    const { reach: _, ...unasked } = rate;
    const growing = {
      ...typical,
      title: 'grown',
      metrics: [unasked],
      growth: { base: 'row', metric: 'cpu', atMost: 1.5 },
    };
    const rows = [typical, { ...plain, metrics: [unasked] }, growing];
    const lines = askedTable({ ...results, rows }).split('\n');
    expect(lines).toHaveLength(2 + 3);
    expect(lines[2]).toMatch(
      /a row +\| rate \/s +\| 132 +\| 110 haproxy +\| 1\.20 +\| >= 1\.10 x \| yes/,
    );
    expect(lines[3]).toMatch(/CPU us +\| 9\.00 +\| 9\.00 nginx +\| 0\.89 .*<= 0\.90 x \| yes/);
    expect(lines[4]).toMatch(/grown +\| cost beside: a row .*\| 1\.00 +\| <= 1\.5 x +\| yes/);
    expect(document({ ...results, rows })).toContain(lines.join('\n'));
    expect(askedTable({ ...results, rows: [{ ...typical, metrics: [unasked] }] })).toBe('');
  });

  it('names what is further than 10 % from the floor relay, to its disadvantage only', () => {
    // rate: 120 / 150, 240 / 300, 132 / 160; CPU: 8 / 7, 16 / 14, 9 / 8.
    expect(farFromFloor(results)).toEqual([
      "- a row: rate 0.80 (0.80-0.82) x the floor relay's",
      "- a row: CPU 1.14 (1.13-1.14) x the floor relay's",
    ]);
    const near = rowOf({ sluice: [[91, 10.9]], floor: [[100, 10]] });
    const better = rowOf({ sluice: [[300, 5]], floor: [[100, 10]] });
    expect(farFromFloor({ ...results, rows: [near, better] })).toEqual([]);
  });

  it('tells of every broken measurement', () => {
    const broken = [{ round: 0, contender: 'nginx', message: 'does not\nlisten' }];
    expect(document({ ...results, rows: [{ ...typical, broken }] })).toContain(
      '- row, nginx, round 1: does not listen',
    );
  });

  it('has a name of date and machine that any file system takes', () => {
    expect(baseName(results)).toBe('20260102-0304-a_b');
  });

  it('replaces only what stands between the marks', () => {
    const marks = [
      '<!-- newest results: written by npm run bench -- --readme -->',
      '<!-- end of the newest results -->',
    ];
    const text = `before\n${marks[0]}\nold\n${marks[1]}\nafter\n`;
    const replaced = withNewestResults(text, 'new\n');
    expect(replaced).toBe(`before\n${marks[0]}\n\nnew\n\n${marks[1]}\nafter\n`);
    expect(() => withNewestResults('no marks', 'new')).toThrow('marks');
  });
});

describe('the chart', () => {
  it('has sluice to the right of 1 where it is better, whatever is better', () => {
    const points = chartPoints([typical], contenders);
    expect(points.map(({ label, peer, middle }) => [label, peer, middle > 1])).toEqual([
      ['row: rate', 'haproxy', true],
      ['row: rate', 'nginx', true],
      ['row: CPU', 'haproxy', true],
      ['row: CPU', 'nginx', true],
    ]);
    for (const { low, middle, high } of points) {
      expect(low).toBeLessThanOrEqual(middle);
      expect(middle).toBeLessThanOrEqual(high);
    }
  });

  it('is an SVG that names its rows and peers', async () => {
    const svg = await drawChart('group', chartPoints([typical], contenders));
    expect(svg).toMatch(/^<svg /);
    for (const text of ['row: rate', 'haproxy', 'nginx']) expect(svg).toContain(text);
  });
});
