// A frame of top: fits the terminal whatever the names and sizes are, and shows rates.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { short, sortKeys, sparkline, topFrame } from '../../../src/cli/top-frame.js';
import { addSample, samplesMax } from '../../../src/cli/top-history.js';

const plain = (_style: unknown, text: string): string => text;

function statusOf(names: readonly string[], opened: number): Record<string, unknown> {
  const totals = { connections_opened: opened, to_target_bytes: opened * 1000 };
  return {
    version: '1.2.3',
    ready: true,
    generation: { applied: 7 },
    listeners: [{ name: 'web', pool: 'web', addresses: ['127.0.0.1:80'], active: 2, totals }],
    pools: [
      {
        name: 'web',
        targets: names.map((name, index) => ({
          name,
          address: `10.0.0.${index}:80`,
          health: 'healthy',
          adminState: 'enabled',
          eligible: true,
          active: index,
          responses: { p99Ms: index },
          totals: { ...totals, connections_opened: opened * (index + 1) },
        })),
      },
    ],
  };
}

const view = { columns: 100, rows: 24, sort: 'name', offset: 0, trouble: '' } as const;

describe('a frame', () => {
  it('is never wider or higher than the terminal, and has no control characters', () => {
    const sizes = fc.record({
      columns: fc.integer({ min: 1, max: 250 }),
      rows: fc.integer({ min: 1, max: 60 }),
      sort: fc.constantFrom(...sortKeys),
      offset: fc.integer({ min: 0, max: 100 }),
      trouble: fc.string({ unit: 'binary' }),
    });
    const names = fc.array(fc.string({ unit: 'binary', maxLength: 150 }), { maxLength: 40 });
    fc.assert(
      fc.property(sizes, names, (size, all) => {
        const history = addSample(addSample(null, statusOf(all, 0), 0), statusOf(all, 5), 1000);
        const lines = topFrame(history, size, plain).split('\n');
        expect(lines.length).toBeLessThanOrEqual(Math.max(size.rows, 2));
        for (const line of lines) {
          expect([...line].length).toBeLessThanOrEqual(size.columns);
          expect(line).not.toMatch(/\p{Cc}/u);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('shows rates of the time between two samples', () => {
    const names = ['a', 'b'];
    const history = addSample(addSample(null, statusOf(names, 100), 0), statusOf(names, 140), 2000);
    expect(history.series.map(({ connections }) => connections)).toEqual([[20], [20], [40]]);
    const frame = topFrame(history, { ...view, sort: 'connections' }, plain);
    expect(frame).toMatch(/sluice 1\.2\.3 {2}ready {2}generation 7 {2}2 targets/);
    expect(frame.indexOf('web/b')).toBeLessThan(frame.indexOf('web/a'));
    expect(frame).toMatch(/web\/b +1 +40 +█ +20k/);
  });

  it('shows no negative rate where the counters have begun again', () => {
    const history = addSample(addSample(null, statusOf(['a'], 9), 0), statusOf(['a'], 1), 1000);
    expect(history.series.map(({ connections }) => connections)).toEqual([[0], [0]]);
  });

  it('remembers as many samples as a line can show', () => {
    let history = addSample(null, statusOf(['a'], 0), 0);
    for (let at = 1; at < 100; at++) history = addSample(history, statusOf(['a'], at), at * 1000);
    expect(history.series[0]?.connections).toHaveLength(samplesMax);
  });

  it('takes any answer: fields that are missing are shown as nothing', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('listeners', 'pools', 'generation'), fc.jsonValue()),
        (odd) => {
          expect(topFrame(addSample(null, odd, 0), view, plain)).toContain('TARGET');
        },
      ),
    );
  });
});

describe('its parts', () => {
  it('scale a sparkline to its highest value, with the newest at the right', () => {
    expect(sparkline([0, 7, 14], 5)).toBe('  ▁▅█');
    expect(sparkline([1, 1, 0, 0], 2)).toBe('▁▁');
    expect(sparkline([], 3)).toBe('   ');
  });

  it.each([
    [0, '0'],
    [12.34, '12.3'],
    [999, '999'],
    [1500, '1.5k'],
    [2_000_000, '2M'],
  ])('shorten %f to %s', (value, text) => {
    expect(short(value)).toBe(text);
  });
});
