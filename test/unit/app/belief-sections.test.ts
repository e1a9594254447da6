// What of an earlier process's beliefs is taken back: only what names a target that is still there.
import { describe, expect, it } from 'vitest';
import { beliefSections, healthAgeMaxMs, pauseDisabled } from '../../../src/app/belief-sections.js';
import type { RestoredBeliefs } from '../../../src/control/target-beliefs.js';
import type { IpAddress } from '../../../src/model/address.js';
import type { Health, Target } from '../../../src/model/target.js';
import { a, b, setupController, web } from '../../support/controller-fixture.js';
import { settle } from '../../support/fake-clock.js';
import {
  at,
  check,
  config,
  ip,
  listener,
  named,
  pool,
  target,
} from '../../support/sample-config.js';

const unhealthy = (name: string, address: string, poolName = 'web') => ({
  pool: poolName,
  target: name,
  address,
  health: 'unhealthy',
  since: '2030-01-01T00:00:00.000Z',
});
const wish = (name: string, address: string, state = 'draining') => ({
  pool: 'web',
  target: name,
  address,
  admin_state: state,
});

const noRoles = { roles: new Map(), primaries: new Map() };

function restoring(
  configured = web(),
  names: ReadonlyMap<string, IpAddress> = new Map(),
): {
  readonly taken: RestoredBeliefs;
  readonly verdicts: Map<string, Health>;
  readonly give: (section: string, value: unknown, ageMs?: number) => string | null | undefined;
} {
  const taken: RestoredBeliefs = {};
  const verdicts = new Map<string, Health>();
  const sections = beliefSections({
    controller: {
      beliefs: () => ({ health: new Map(), adminStates: new Map(), roles: noRoles }),
      restore: (beliefs) => void Object.assign(taken, beliefs),
    },
    checker: {
      restore: (given) => {
        for (const [key, verdict] of given) verdicts.set(key, verdict);
      },
    },
    config: configured,
    names: () => names,
  });
  const give = (name: string, value: unknown, ageMs = 0) =>
    sections.find((section) => section.name === name)?.restore(value, { ageMs });
  return { taken, verdicts, give };
}

describe('beliefs of an earlier process', () => {
  it('make the first table: who was down or drained gets nothing from the start', async () => {
    const first = setupController();
    await first.controller.start(web());
    first.health(a, 'unhealthy');
    first.controller.setAdminState('web', 'b', 'draining');
    const believers = (controller: typeof first.controller) => ({
      controller,
      checker: { restore: () => undefined },
      config: web(),
      names: () => new Map<string, IpAddress>(),
    });
    const saved = beliefSections(believers(first.controller)).map(({ name, save }) => {
      return [name, JSON.parse(JSON.stringify(save()))] as const;
    });

    const second = setupController();
    const sections = beliefSections(believers(second.controller));
    for (const [name, value] of saved) {
      const section = sections.find((each) => each.name === name);
      expect(section?.restore(value, { ageMs: 0 })).toBeNull();
    }
    await second.controller.start(web());
    expect(second.candidates()).toEqual([]);
    const [pools] = second.controller.snapshot().pools;
    expect(pools?.targets).toMatchObject([
      { name: 'a', health: 'unhealthy', healthReason: 'restored', adminState: 'enabled' },
      { name: 'b', health: 'unknown', adminState: 'draining' },
    ]);
  });

  it('about who is the primary decide a split brain that began before the start', async () => {
    const configured = config([listener('in', 'web')], [pool('web', [a, b], { role: 'primary' })]);
    const believers = ({ controller }: ReturnType<typeof setupController>) => ({
      controller,
      checker: { restore: () => undefined },
      config: configured,
      names: () => new Map<string, IpAddress>(),
    });
    const primaries = (fixture: ReturnType<typeof setupController>) =>
      beliefSections(believers(fixture)).find(({ name }) => name === 'primaries');
    const says = async ({ controller, clock }: ReturnType<typeof setupController>, who: Target) => {
      const endpoint = who.address.kind === 'name' ? at('192.0.2.99') : who.address;
      const told = { ok: true, role: 'primary' } as const;
      controller.setRole({ pool: 'web', target: who.name, endpoint, ...told });
      await clock.advance(50);
      await settle();
    };
    const first = setupController();
    await first.controller.start(configured);
    for (let probe = 0; probe < 3; probe++) await says(first, b);
    expect(first.candidates()).toEqual(['b']);
    expect(first.changes()).toBe(1);
    const saved = JSON.parse(JSON.stringify(primaries(first)?.save()));
    expect(saved).toEqual([{ pool: 'web', target: 'b', address: '192.0.2.2:80' }]);

    const second = setupController();
    expect(primaries(second)?.restore(saved, { ageMs: 10 * healthAgeMaxMs })).toBeNull();
    await second.controller.start(configured);
    // a comes first in the file and is sure of itself; b has not been asked yet.
    for (let probe = 0; probe < 4; probe++) await says(second, a);
    expect(second.candidates()).toEqual([]);
    await says(second, b);
    expect(second.candidates()).toEqual(['b']);
    expect(second.log.of('split_brain')).toEqual([{ pool: 'web', kept: 'b', other: 'a' }]);
  });

  it('about a primary that is gone are not taken', () => {
    const { taken, give } = restoring();
    const entry = { pool: 'web', target: 'a', address: '192.0.2.77:80' };
    const known = { pool: 'web', target: 'b', address: '192.0.2.2:80' };
    expect(give('primaries', [entry, known])).toBeNull();
    expect([...(taken.primaries ?? [])]).toEqual([['web', '["web","b","192.0.2.2:80"]']]);
  });

  it('are taken for the same pool, name and address only', () => {
    const { taken, verdicts, give } = restoring();
    const entries = [
      unhealthy('a', '192.0.2.1:80'),
      unhealthy('b', '192.0.2.77:80'),
      unhealthy('gone', '192.0.2.1:80'),
      unhealthy('a', '192.0.2.1:80', 'other'),
    ];
    expect(give('health', entries)).toBeNull();
    expect([...(taken.health ?? [])].map(([key]) => key)).toEqual(['["web","a","192.0.2.1:80"]']);
    expect([...verdicts]).toEqual([['["web","a","192.0.2.1:80"]', 'unhealthy']]);
    expect(
      give('admin_states', [wish('a', '192.0.2.1:80'), wish('b', '192.0.2.77:80')]),
    ).toBeNull();
    expect([...(taken.adminStates ?? [])]).toEqual([['["web","a","192.0.2.1:80"]', 'draining']]);
  });

  it('of a name hold for the address that it still has', () => {
    const named1 = target('a', { address: named('db.example', 80) });
    const configured = config([listener('in', 'web')], [pool('web', [named1])]);
    const resolvingTo = (bytes: IpAddress) =>
      restoring(configured, new Map([['db.example', bytes]]));
    const same = resolvingTo(ip('192.0.2.9'));
    same.give('health', [unhealthy('a', '192.0.2.9:80')]);
    expect(same.verdicts.size).toBe(1);
    const moved = resolvingTo(ip('192.0.2.10'));
    moved.give('health', [unhealthy('a', '192.0.2.9:80')]);
    expect(moved.verdicts.size).toBe(0);
  });

  it('about health grow old, those of the operator do not', () => {
    const { taken, verdicts, give } = restoring();
    const old = healthAgeMaxMs + 1;
    expect(give('health', [unhealthy('a', '192.0.2.1:80')], old)).toBeNull();
    expect(verdicts.size).toBe(0);
    give('admin_states', [wish('a', '192.0.2.1:80')], old);
    expect(taken.adminStates?.size).toBe(1);
    give('health', [unhealthy('a', '192.0.2.1:80')], healthAgeMaxMs);
    expect(verdicts.size).toBe(1);
  });

  it('about a target that nobody probes are not taken: nothing would ever correct them', () => {
    const unprobed = pool('web', [a, b], { health: { ...check, kind: 'none' } });
    const { verdicts, give } = restoring(config([listener('in', 'web')], [unprobed]));
    expect(give('health', [unhealthy('a', '192.0.2.1:80')])).toBeNull();
    expect(verdicts.size).toBe(0);
  });

  it.each([
    ['health', [{ ...unhealthy('a', '192.0.2.1:80'), health: 'unknown' }]],
    ['health', [{ ...unhealthy('a', '192.0.2.1:80'), since: 'long ago' }]],
    ['health', [{ ...unhealthy('a', '192.0.2.1:80'), extra: 1 }]],
    ['health', { a: 'unhealthy' }],
    ['health', Array.from({ length: 16_385 }, () => unhealthy('a', '192.0.2.1:80'))],
    ['admin_states', [wish('a', '192.0.2.1:80', 'enabled')]],
    ['admin_states', [wish('a'.repeat(2000), '192.0.2.1:80')]],
    ['admin_states', 'draining'],
    ['primaries', [{ pool: 'web', target: 'a' }]],
    ['primaries', [{ pool: 'web', target: 'a', address: '192.0.2.1:80', role: 'primary' }]],
    ['primaries', { web: 'a' }],
  ])('that do not have the form of %s are refused as a whole', (section, value) => {
    const { taken, verdicts, give } = restoring();
    expect(give(section, value)).toMatch(new RegExp(`^${section}`));
    expect(taken).toEqual({});
    expect(verdicts.size).toBe(0);
  });

  it('that a target is disabled reach the checker too', () => {
    const paused: string[] = [];
    const adminStates = new Map([
      ['["web","a","192.0.2.1:80"]', 'disabled' as const],
      ['["web","b","192.0.2.2:80"]', 'draining' as const],
    ]);
    pauseDisabled(
      web(),
      { beliefs: () => ({ health: new Map(), adminStates, roles: noRoles }) },
      { setAdminState: (poolName, name, state) => paused.push(`${poolName} ${name} ${state}`) },
    );
    expect(paused).toEqual(['web a disabled']);
  });
});
