// build-table: single tables by example, all tables by property.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildTable, type Facts, tableWeights } from '../../../src/control/build-table.js';
import { assignIds, keysOf, noIds } from '../../../src/control/ids.js';
import { endpointOf, type ResolvedNames } from '../../../src/model/address-text.js';
import { type AgentWords, nothingSaid } from '../../../src/model/agent.js';
import type { Config } from '../../../src/model/config.js';
import type { Ejection } from '../../../src/model/ejection.js';
import type { Pool } from '../../../src/model/pool.js';
import type { Table } from '../../../src/model/table.js';
import type { AdminState, Health, Target } from '../../../src/model/target.js';
import { configuredKey, targetKey } from '../../../src/model/target-key.js';
import { checkTable } from '../../support/fake-engine.js';
import {
  at,
  check,
  config,
  ip,
  listener,
  named,
  pool,
  sticky,
  target,
} from '../../support/sample-config.js';

const limits = { listeners: 64, pools: 64, targets: 1024 };

const ejection: Ejection = { reason: 'latency', since: new Date(0), until: new Date(1) };

interface State {
  readonly health?: Health;
  readonly adminState?: AdminState;
  readonly ejected?: boolean;
}

/** Facts about one configuration; states are by target name, in whatever pool. */
function factsOf(
  given: Config,
  states: Record<string, State> = {},
  names: ResolvedNames = new Map(),
): Facts {
  const assigned = assignIds(noIds, keysOf(given, names), { limits, active: () => false });
  if (!assigned.ok) throw new Error('out of slots');
  const health = new Map<string, { health: Health }>();
  const adminStates = new Map<string, AdminState>();
  const ejections = new Map<string, Ejection>();
  for (const each of given.pools) {
    for (const member of each.targets) {
      const state = states[member.name];
      const endpoint = endpointOf(member.address, names);
      if (endpoint && state?.health) {
        health.set(targetKey(each.name, member.name, endpoint), { health: state.health });
      }
      if (endpoint && state?.ejected) {
        ejections.set(targetKey(each.name, member.name, endpoint), ejection);
      }
      if (state?.adminState) adminStates.set(configuredKey(each.name, member), state.adminState);
    }
  }
  return {
    generation: 7,
    config: given,
    ids: assigned.ids,
    health,
    adminStates,
    ejections,
    names,
    agents: new Map(),
    retired: [],
    listening: true,
  };
}

/** The names that may be picked, as `name*weight`; for pools of one priority. */
function candidates(table: Table, poolName = 'web') {
  const found = table.pools.find(({ name }) => name === poolName);
  const text = ({ target: index, weight }: { target: number; weight: number }) =>
    `${table.targets[index]?.name}*${weight}`;
  const of = (isBackup: boolean) =>
    found?.tiers
      .filter(({ share }) => isBackup === (share === 0))
      .flatMap((tier) => tier.candidates.map(text));
  return { primaries: of(false), backups: of(true) };
}

const a = target('a', { address: at('192.0.2.1'), weight: 3 });
const b = target('b', { address: at('192.0.2.2') });
const c = target('c', { address: at('192.0.2.3'), backup: true, weight: 2 });
const web = (changes: Partial<Pool> = {}, targets: readonly Target[] = [a, b, c]) =>
  config([listener('in', 'web')], [pool('web', targets, changes)]);

describe('a table', () => {
  it('has every eligible target as a candidate, in the order of the file, with its weight', () => {
    const table = buildTable(factsOf(web()));
    expect(candidates(table)).toEqual({ primaries: ['a*3', 'b*1'], backups: ['c*2'] });
    expect(table.generation).toBe(7);
    expect(table.listeners).toMatchObject([{ slot: 0, pool: 0, listener: { name: 'in' } }]);
  });

  it('leaves out unhealthy, draining, disabled and weightless targets, not their slots', () => {
    for (const state of [
      { health: 'unhealthy' },
      { adminState: 'draining' },
      { adminState: 'disabled' },
      { ejected: true },
    ] as const) {
      const table = buildTable(factsOf(web(), { a: state }));
      expect(candidates(table).primaries).toEqual(['b*1']);
      expect(table.targets.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    }
    const table = buildTable(factsOf(web({}, [{ ...a, weight: 0 }, b, c])));
    expect(candidates(table).primaries).toEqual(['b*1']);
  });

  it('lets sessions stay on draining targets, not on unhealthy or disabled ones', () => {
    const stays = (state: State) =>
      buildTable(factsOf(web(), { a: state })).targets[0]?.servesSessions;
    expect(stays({ health: 'healthy' })).toBe(true);
    expect(stays({})).toBe(true);
    expect(stays({ health: 'healthy', adminState: 'draining' })).toBe(true);
    expect(stays({ health: 'unhealthy' })).toBe(false);
    expect(stays({ health: 'unhealthy', adminState: 'draining' })).toBe(false);
    expect(stays({ health: 'healthy', adminState: 'disabled' })).toBe(false);
    expect(stays({ health: 'healthy', ejected: true })).toBe(true);
  });

  it('lets sticky entries lead to candidates, and to those that drain where clients stay', () => {
    const leads = (changes: Partial<Pool>, state: State, weight = 3) => {
      const given = web({ sticky, ...changes }, [{ ...a, weight }, b]);
      const { poolSlot, servesSticky, renewsSticky } =
        buildTable(factsOf(given, { a: state })).targets[0] ?? {};
      expect(poolSlot).toBe(0);
      return { servesSticky, renewsSticky };
    };
    const both = { servesSticky: true, renewsSticky: true };
    const untilItExpires = { servesSticky: true, renewsSticky: false };
    const neither = { servesSticky: false, renewsSticky: false };
    const leave = { sticky: { ...sticky, whenDraining: 'repick' } } as const;
    const draining = { health: 'healthy', adminState: 'draining' } as const;
    expect(leads({}, { health: 'healthy' })).toEqual(both);
    expect(leads({}, draining)).toEqual(untilItExpires);
    expect(leads({}, { health: 'healthy' }, 0)).toEqual(untilItExpires);
    expect(leads(leave, { health: 'healthy' })).toEqual(both);
    expect(leads(leave, draining)).toEqual(neither);
    expect(leads(leave, { health: 'healthy' }, 0)).toEqual(neither);
    expect(leads({}, { ...draining, health: 'unhealthy' })).toEqual(neither);
    expect(leads({}, { health: 'unhealthy' })).toEqual(neither);
    expect(leads({}, { health: 'healthy', adminState: 'disabled' })).toEqual(neither);
    expect(leads({ sticky: null }, { health: 'healthy' })).toEqual(neither);
    expect(leads({ sticky: null }, draining)).toEqual(neither);
    // Nobody has said that it is the primary: it may have been one once.
    expect(leads({ role: 'primary' }, draining)).toEqual(neither);
  });

  it('counts a target as up until it is shown down, or the other way if so configured', () => {
    expect(candidates(buildTable(factsOf(web()))).primaries).toHaveLength(2);
    const cautious = web({ health: { ...check, initial: 'unhealthy' } });
    expect(candidates(buildTable(factsOf(cautious)))).toEqual({ primaries: [], backups: [] });
    const table = buildTable(factsOf(cautious, { b: { health: 'healthy' } }));
    expect(candidates(table).primaries).toEqual(['b*1']);
  });

  it('refuses when none is healthy, or uses all enabled primaries, as the pool says', () => {
    const down = { health: 'unhealthy' } as const;
    const states = { a: down, b: { ...down, adminState: 'draining' }, c: down } as const;
    expect(candidates(buildTable(factsOf(web(), states)))).toEqual({ primaries: [], backups: [] });
    expect(candidates(buildTable(factsOf(web({ whenNoneHealthy: 'park' }), states)))).toEqual({
      primaries: [],
      backups: [],
    });
    const table = buildTable(factsOf(web({ whenNoneHealthy: 'use_all' }), states));
    expect(candidates(table)).toEqual({ primaries: ['a*3'], backups: [] });
    expect(table.targets.map(({ servesSessions }) => servesSessions)).toEqual([true, false, false]);
    const backupLeft = { a: down, b: down } as const;
    expect(
      candidates(buildTable(factsOf(web({ whenNoneHealthy: 'use_all' }), backupLeft))),
    ).toEqual({
      primaries: [],
      backups: ['c*2'],
    });
  });

  it('uses all backups when none is healthy in a pool that has only backups to use', () => {
    const given = web({ whenNoneHealthy: 'use_all' }, [c]);
    const table = buildTable(factsOf(given, { c: { health: 'unhealthy' } }));
    expect(candidates(table)).toEqual({ primaries: [], backups: ['c*2'] });
  });

  it('serves a pool of one target, and an empty choice when that one is down', () => {
    expect(candidates(buildTable(factsOf(web({}, [a])))).primaries).toEqual(['a*3']);
    const table = buildTable(factsOf(web({}, [a]), { a: { health: 'unhealthy' } }));
    expect(candidates(table)).toEqual({ primaries: [], backups: [] });
    expect(table.targets).toHaveLength(1);
  });

  it('leaves a named target out until its name is resolved', () => {
    const given = web({}, [target('n', { address: named('db', 5432) }), b]);
    const without = buildTable(factsOf(given));
    expect(without.targets.map(({ name }) => name)).toEqual(['b']);
    expect(candidates(without).primaries).toEqual(['b*1']);
    const resolved = buildTable(factsOf(given, {}, new Map([['db', ip('192.0.2.77')]])));
    expect(candidates(resolved).primaries).toEqual(['n*1', 'b*1']);
    expect(resolved.targets[0]?.address).toEqual(at('192.0.2.77', 5432));
  });

  it('has no listeners while shutting down, and everything else as before', () => {
    const facts = factsOf(web());
    const { listeners, ...rest } = buildTable({ ...facts, listening: false });
    expect(listeners).toEqual([]);
    expect(rest).toEqual({
      pools: buildTable(facts).pools,
      targets: buildTable(facts).targets,
      generation: 7,
    });
  });
});

const healths = fc.constantFrom<Health>('healthy', 'unhealthy', 'unknown');
const adminStates = fc.constantFrom<AdminState>('enabled', 'draining', 'disabled');
const member = fc.record({
  weight: fc.integer({ min: 0, max: 3 }),
  backup: fc.boolean(),
  health: healths,
  adminState: adminStates,
});
const pools = fc.array(
  fc.record({
    members: fc.array(member, { maxLength: 6 }),
    whenNoneHealthy: fc.constantFrom<Pool['whenNoneHealthy']>('refuse', 'use_all', 'park'),
  }),
  { minLength: 1, maxLength: 4 },
);

function configOf(given: typeof pools extends fc.Arbitrary<infer T> ? T : never) {
  const states: Record<string, State & { weight: number; backup: boolean }> = {};
  const made = given.map(({ members, whenNoneHealthy }, p) =>
    pool(
      `p${p}`,
      members.map(({ weight, backup, ...state }, t) => {
        const name = `p${p}t${t}`;
        states[name] = { ...state, weight, backup };
        return target(name, { address: at(`10.0.${p}.${t + 1}`), weight, backup });
      }),
      { whenNoneHealthy },
    ),
  );
  return { states, config: config([listener('in', 'p0')], made) };
}

describe('any table', () => {
  it('has as candidates exactly the eligible targets, or all enabled ones if so configured', () => {
    fc.assert(
      fc.property(pools, (given) => {
        const { states, config: made } = configOf(given);
        const table = buildTable(factsOf(made, states));
        checkTable(table, null, limits);
        for (const [index, each] of made.pools.entries()) {
          const built = table.pools[index];
          const up = ({ name }: Target, needsHealth: boolean) => {
            const state = states[name];
            const healthy = !needsHealth || state?.health !== 'unhealthy';
            return healthy && state?.adminState === 'enabled' && (state?.weight ?? 0) > 0;
          };
          const anyUp = each.targets.some((one) => up(one, true));
          const failOpen = !anyUp && each.whenNoneHealthy === 'use_all';
          const chosen = each.targets.filter((one) => up(one, !failOpen));
          const onlyBackups = chosen.every(({ backup }) => backup);
          const expected = (backup: boolean) =>
            chosen
              .filter((one) => one.backup === backup && (!failOpen || !backup || onlyBackups))
              .map(({ name, weight }) => `${name}*${weight}`);
          expect(candidates(table, each.name)).toEqual({
            primaries: expected(false),
            backups: expected(true),
          });
          expect(built?.name).toBe(each.name);
        }
        expect(table.targets).toHaveLength(made.pools.flatMap((each) => each.targets).length);
      }),
      { numRuns: 200 },
    );
  });

  it('does not depend on the order in which anything was learnt', () => {
    const shuffled = <K, V>(map: ReadonlyMap<K, V>) => new Map([...map].reverse());
    fc.assert(
      fc.property(pools, (given) => {
        const { states, config: made } = configOf(given);
        const facts = factsOf(made, states);
        const { ids } = facts;
        const reversed: Facts = {
          ...facts,
          health: shuffled(facts.health),
          adminStates: shuffled(facts.adminStates),
          ids: {
            listeners: { ...ids.listeners, used: shuffled(ids.listeners.used) },
            pools: { ...ids.pools, used: shuffled(ids.pools.used) },
            targets: { ...ids.targets, used: shuffled(ids.targets.used) },
          },
        };
        expect(buildTable(reversed)).toEqual(buildTable(facts));
      }),
    );
  });
});

describe('weights that agents have changed', () => {
  const agentsOf = (words: Partial<AgentWords>) =>
    new Map([[targetKey('web', 'a', at('192.0.2.1')), { ...nothingSaid, ...words }]]);

  it('keep their proportions as whole numbers, within the range of the table', () => {
    expect(tableWeights([3, 0, 1])).toEqual([3, 0, 1]);
    expect(tableWeights([0.75, 1, 0])).toEqual([75, 100, 0]);
    expect(tableWeights([65_535 * 10, 65_535, 0.001])).toEqual([65_535, 6554, 1]);
  });

  it('reach the table with limit and admin state', () => {
    const facts = factsOf(web({}, [a, b]));
    const build = (words: Partial<AgentWords>) => buildTable({ ...facts, agents: agentsOf(words) });
    const picked = (words: Partial<AgentWords>) => candidates(build(words)).primaries;
    expect(picked({ weight: { kind: 'share', value: 0.5 } })).toEqual(['a*150', 'b*100']);
    expect(picked({ adminState: 'draining' })).toEqual(['b*1']);
    expect(picked({ up: false })).toEqual(['b*1']);
    expect(picked({ weight: { kind: 'share', value: 0 } })).toEqual(['b*1']);
    expect(
      build({ maxConnections: 30 }).targets.map(({ maxConnections }) => maxConnections),
    ).toEqual([30, 0]);
  });
});
