// A pool's retry rules: what they become, and what is refused because it contradicts itself.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainRetries, type RetryRules } from '../../../src/model/retry.js';
import { load, testBadFiles, withPool } from '../../support/bad-file.js';

function rulesOf(lines: string): RetryRules | undefined {
  const result = load(withPool(lines));
  return result.ok && result.warnings.length === 0 ? result.config.pools[0]?.retry : undefined;
}

describe('a file is refused for', () => {
  testBadFiles('errors', [
    {
      name: 'a retry at the same target where there are no retries',
      text: withPool('retries: 0\n    retry: { to: same_first }'),
      problems: [
        ['7:18', 'SLUICE_CONFIG_CONFLICT', 'retries is 0: no target is tried a second time'],
      ],
    },
    {
      name: 'a longest pause shorter than the first',
      text: withPool('retry: { backoff: { base: 2s, max: 500ms } }'),
      problems: [['6:40', 'SLUICE_CONFIG_CONFLICT', 'max, 500ms, is shorter than base, 2s']],
    },
    {
      name: 'a first pause longer than the longest by default',
      text: withPool('retry: { backoff: { base: 2s } }'),
      problems: [['6:31', 'SLUICE_CONFIG_CONFLICT', 'max, 1s, is shorter than base, 2s']],
    },
    {
      name: 'a pause of more than a minute, and none by number',
      text: withPool('retry: { backoff: { base: 0, max: 2m } }'),
      problems: [
        ['6:31', 'SLUICE_CONFIG_DURATION', '', '0s'],
        ['6:39', 'SLUICE_CONFIG_RANGE', '2m is outside 1ms to 1m'],
      ],
    },
    {
      name: 'a budget of more than all connections',
      text: withPool('retry: { budget: { percent: 101, min_per_second: -1 } }'),
      problems: [
        ['6:33', 'SLUICE_CONFIG_RANGE', '101 is outside 0 to 100'],
        ['6:54', 'SLUICE_CONFIG_RANGE', '-1 is outside 0 to 1000000'],
      ],
    },
    {
      name: 'a budget that allows nothing',
      text: withPool('retry: { budget: { percent: 0, min_per_second: 0 } }'),
      problems: [['6:22', 'SLUICE_CONFIG_CONFLICT', 'this allows no retry ever']],
    },
    {
      name: 'a target that is none',
      text: withPool('retry: { to: same }'),
      problems: [['6:18', 'SLUICE_CONFIG_VALUE', '']],
    },
  ]);
});

describe('a file with a warning', () => {
  testBadFiles('warnings', [
    {
      name: 'pauses and a budget where there are no retries',
      text: withPool('retries: 0\n    retry: { backoff: {}, budget: {} }'),
      problems: [
        ['7:14', 'SLUICE_CONFIG_NO_EFFECT', 'retries is 0: nothing is tried again'],
        ['7:27', 'SLUICE_CONFIG_NO_EFFECT', 'retries is 0: nothing is tried again'],
      ],
    },
    {
      name: 'retry rules of a pool that only datagrams use',
      text: `listeners:
  dns: { bind: "127.0.0.1:53", protocol: udp, pool: dns }
pools:
  dns:
    targets: ["10.0.0.1:53"]
    retry: { budget: {} }
`,
      problems: [['6:5', 'SLUICE_CONFIG_NO_EFFECT', 'only udp listeners use this pool']],
    },
  ]);
});

describe('retry rules', () => {
  test('are to go elsewhere at once and without a budget, unless the file says otherwise', () => {
    expect(rulesOf('retries: 2')).toEqual(plainRetries);
    expect(rulesOf('retry: {}')).toEqual(plainRetries);
    expect(rulesOf('retries: 0\n    retry: { to: other, backoff: off, budget: off }')).toEqual(
      plainRetries,
    );
  });

  test('have a pause before the same target, unless that is off', () => {
    expect(rulesOf('retry: { to: same_first }')).toEqual({
      ...plainRetries,
      sameFirst: true,
      backoffBaseMs: 100,
      backoffMaxMs: 1000,
    });
    expect(rulesOf('retry: { to: same_first, backoff: off }')).toEqual({
      ...plainRetries,
      sameFirst: true,
    });
  });

  test('reach the model as they are written', () => {
    fc.assert(
      fc.property(
        fc.record({
          base: fc.integer({ min: 1, max: 60_000 }),
          longer: fc.nat(60_000),
          percent: fc.integer({ min: 1, max: 100 }),
          least: fc.nat(1_000_000),
        }),
        ({ base, longer, percent, least }) => {
          const max = Math.min(60_000, base + longer);
          const backoff = `{ base: ${base}ms, max: ${max}ms }`;
          const budget = `{ percent: ${percent}, min_per_second: ${least} }`;
          expect(rulesOf(`retry: { backoff: ${backoff}, budget: ${budget} }`)).toEqual({
            sameFirst: false,
            backoffBaseMs: base,
            backoffMaxMs: max,
            budgetPercent: percent,
            budgetMinPerSecond: least,
          });
        },
      ),
    );
    expect(rulesOf('retry: { budget: {} }')).toMatchObject({
      budgetPercent: 20,
      budgetMinPerSecond: 10,
    });
    expect(rulesOf('retry: { backoff: { max: 3s } }')).toMatchObject({
      backoffBaseMs: 100,
      backoffMaxMs: 3000,
    });
  });
});
