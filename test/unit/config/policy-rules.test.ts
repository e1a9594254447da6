// Settings of policies: what each has, and what is refused because it would only look as if it
// worked.
import { describe, expect, test } from 'vitest';
import { type Policy, policyKeys, policyNames, traitsOf } from '../../../src/model/policy.js';
import { load, testBadFiles, withPool } from '../../support/bad-file.js';

function policyIn(lines: string): Policy | undefined {
  const result = load(withPool(lines));
  return result.ok && result.warnings.length === 0 ? result.config.pools[0]?.policy : undefined;
}

describe('a file is refused for', () => {
  testBadFiles('errors', [
    ...policyNames
      .filter((name) => traitsOf(name).key === 'none')
      .flatMap((name) => [
        {
          name: `a key of ${name}`,
          text: withPool(`policy: { name: ${name}, key: source }\n    retries: 1`),
          problems: [
            [`6:${23 + name.length}`, 'SLUICE_CONFIG_POLICY_SETTING', `${name} does not decide by`],
          ] as const,
        },
        {
          name: `a bounded load of ${name}`,
          text: withPool(`policy: { name: ${name}, bounded_load: 150 }`),
          problems: [
            [
              `6:${23 + name.length}`,
              'SLUICE_CONFIG_POLICY_SETTING',
              `${name} has no first choice`,
            ],
          ] as const,
        },
      ]),
    {
      name: 'a prefix under a policy without a key',
      text: withPool('policy: { name: random, prefix_v4: 24 }'),
      problems: [
        ['6:29', 'SLUICE_CONFIG_POLICY_SETTING', 'random does not decide by a key: ring_'],
      ],
    },
    ...policyNames
      .filter((name) => traitsOf(name).load === 'never')
      .map((name) => ({
        name: `load of ${name}`,
        text: withPool(`policy: { name: ${name}, load: turns }`),
        problems: [
          [`6:${23 + name.length}`, 'SLUICE_CONFIG_POLICY_SETTING', `${name} does not count load`],
        ] as const,
      })),
    ...policyNames
      .filter((name) => traitsOf(name).load === 'bounded')
      .map((name) => ({
        name: `load of ${name} without a bound`,
        text: withPool(`policy: { name: ${name}, load: turns, bounded_load: off }`),
        problems: [
          [
            `6:${23 + name.length}`,
            'SLUICE_CONFIG_POLICY_SETTING',
            `${name} counts load only where there is a bounded_load`,
          ],
        ] as const,
      })),
    {
      name: 'another key of source_hash',
      text: withPool('policy: { name: source_hash, key: source_port }'),
      problems: [
        ['6:34', 'SLUICE_CONFIG_POLICY_SETTING', "source_hash decides by the client's ad"],
      ],
    },
    {
      name: "a prefix of the client's address where the destination is the key",
      text: withPool('policy: { name: maglev, key: destination, prefix_v6: 64 }'),
      problems: [
        ['6:47', 'SLUICE_CONFIG_POLICY_SETTING', 'the key is the destination: the client'],
      ],
    },
    {
      name: 'a key that does not exist',
      text: withPool('policy: { name: maglev, key: sni }'),
      problems: [['6:34', 'SLUICE_CONFIG_VALUE', '"sni" is not one of source, source_port, desti']],
    },
    {
      name: 'a bound below what is useful',
      text: withPool('policy: { name: ring_hash, bounded_load: 110 }'),
      problems: [['6:46', 'SLUICE_CONFIG_RANGE', '110 is outside 125 to 1000']],
    },
  ]);
});

describe('a file draws a warning for', () => {
  testBadFiles('warnings', [
    {
      name: 'weights under first',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
pools:
  web:
    policy: first
    targets:
      - { address: "10.0.0.1:80", weight: 2, max_connections: 5 }
      - "10.0.0.2:80"
`,
      problems: [['7:43', 'SLUICE_CONFIG_NO_EFFECT', 'first fills one target after the other']],
    },
    {
      name: 'first without a limit anywhere',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
pools:
  web:
    policy: first
    targets: ["10.0.0.1:80", { address: "10.0.0.2:80", max_connections: off }]
`,
      problems: [['5:13', 'SLUICE_CONFIG_NO_EFFECT', 'no target has max_connections: first send']],
    },
  ]);
});

describe('a policy', () => {
  for (const name of policyNames) {
    test(`${name} can be written as a word`, () => {
      expect(policyIn(`policy: ${name}`)).toEqual({
        name,
        key: 'source',
        prefixV4: 32,
        prefixV6: 128,
        load: 'connections',
        boundedLoad: 0,
      });
    });
  }
  for (const key of policyKeys) {
    test(`maglev can decide by ${key}, with a bound`, () => {
      const policy = `policy: { name: maglev, key: ${key}, bounded_load: 150 }`;
      expect(policyIn(policy)).toMatchObject({ key, boundedLoad: 150 });
    });
  }
  for (const name of policyNames.filter((name) => traitsOf(name).load !== 'never')) {
    test(`${name} can count turns`, () => {
      const bound = traitsOf(name).load === 'bounded' ? ', bounded_load: 150' : '';
      expect(policyIn(`policy: { name: ${name}, load: turns${bound} }`)).toMatchObject({
        name,
        load: 'turns',
      });
    });
  }
  test('source_hash may say that it decides by the source, and have a bound', () => {
    const policy = 'policy: { name: source_hash, key: source, prefix_v4: 24, bounded_load: off }';
    expect(policyIn(policy)).toMatchObject({ prefixV4: 24, boundedLoad: 0 });
  });
});
