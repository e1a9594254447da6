// choose-tiers: what priorities, backups and their settings make of the states of a pool's targets.
import { describe, expect, it } from 'vitest';
import { chooseTiers } from '../../../src/control/choose-tiers.js';
import type { TargetState } from '../../../src/control/target-states.js';
import type { Ejection } from '../../../src/model/ejection.js';
import type { Pool } from '../../../src/model/pool.js';
import type { AdminState, Health } from '../../../src/model/target.js';
import { at, pool, target } from '../../support/sample-config.js';

const ejection: Ejection = { reason: 'max_fails', since: new Date(0), until: new Date(1) };

interface Given {
  readonly priority?: number;
  readonly backup?: boolean;
  readonly weight?: number;
  readonly health?: Health;
  readonly adminState?: AdminState;
  readonly ejected?: boolean;
  readonly inRole?: boolean;
  readonly resolved?: boolean;
}

/** `share members` of each tier; `b` for backups, `!` for panic. */
function tiersOf(given: readonly Given[], changes: Partial<Pool> = {}) {
  const states = given.map((state, slot): TargetState => {
    const { priority = 0, backup = false, weight = 1, health = 'healthy', resolved } = state;
    const name = `t${slot}`;
    const address = at(`192.0.2.${slot + 1}`);
    return {
      target: target(name, { priority, backup, weight, address }),
      key: name,
      health,
      adminState: state.adminState ?? 'enabled',
      ejection: state.ejected ? ejection : null,
      weight,
      record:
        resolved === false
          ? null
          : {
              slot,
              name,
              address,
              maxConnections: 0,
              servesSessions: true,
              poolSlot: 0,
              servesSticky: false,
              renewsSticky: false,
            },
      inRole: state.inRole ?? true,
    };
  });
  const made = pool(
    'web',
    states.map((state) => state.target),
    changes,
  );
  return chooseTiers(made, states).map(({ priority, members, share, panic }) => {
    const rank = `${priority === null ? 'b' : `p${priority}`}${panic ? '!' : ''}`;
    return `${rank} ${share}: ${members.join(',')}`;
  });
}

const down: Given = { health: 'unhealthy' };
const backup: Given = { backup: true };

describe('priorities', () => {
  it('are one tier with all connections when the configuration speaks of none', () => {
    expect(tiersOf([{}, {}, {}])).toEqual(['p0 10000: 0,1,2']);
  });

  it('come in their order, not in that of the file, and spill over by what is available', () => {
    const second = { priority: 7 };
    const first = { priority: 2 };
    expect(tiersOf([second, first, second, first])).toEqual(['p2 10000: 1,3', 'p7 0: 0,2']);
    expect(tiersOf([second, first, second, { ...first, ...down }])).toEqual([
      'p2 7000: 1',
      'p7 3000: 0,2',
    ]);
    const both = { ...first, ...down };
    expect(tiersOf([second, both, second, both])).toEqual(['p7 10000: 0,2']);
  });

  it('count only what has the role of the pool', () => {
    const low = { priority: 1 };
    const other = { inRole: false };
    expect(tiersOf([{}, {}, other, low])).toEqual(['p0 10000: 0,1', 'p1 0: 3']);
    expect(tiersOf([{}, { ...down }, other, low])).toEqual(['p0 7000: 0', 'p1 3000: 3']);
    const panic = { tiers: { overprovisioning: 1.4, panicThreshold: 50 } };
    expect(tiersOf([{}, other, other], panic)).toEqual(['p0 10000: 0']);
    expect(tiersOf([other, down], { whenNoneHealthy: 'use_all' })).toEqual(['p0! 10000: 1']);
  });

  it('count what the operator has taken out as missing, and weight 0 not at all', () => {
    const low = { priority: 1 };
    expect(tiersOf([{}, { adminState: 'draining' }, low])).toEqual(['p0 7000: 0', 'p1 3000: 2']);
    expect(tiersOf([{}, { resolved: false }, low])).toEqual(['p0 7000: 0', 'p1 3000: 2']);
    expect(tiersOf([{}, { weight: 0 }, low])).toEqual(['p0 10000: 0', 'p1 0: 2']);
  });

  it('count ejected targets as missing, and panic brings them back', () => {
    const out = { ejected: true };
    expect(tiersOf([{}, out, { priority: 1 }])).toEqual(['p0 7000: 0', 'p1 3000: 2']);
    const rules = { tiers: { overprovisioning: 1.4, panicThreshold: 50 } };
    expect(tiersOf([{}, out, out], rules)).toEqual(['p0! 10000: 0,1,2']);
    expect(tiersOf([{}, out, out])).toEqual(['p0 10000: 0']);
  });

  it('panic below the threshold when all together do not suffice', () => {
    const rules = { tiers: { overprovisioning: 1.4, panicThreshold: 50 } };
    const quarter = [{}, down, down, down];
    const low = quarter.map((one) => ({ ...one, priority: 1 }));
    expect(tiersOf([...quarter, ...low], rules)).toEqual([
      'p0! 5000: 0,1,2,3',
      'p1! 5000: 4,5,6,7',
    ]);
    expect(tiersOf([...quarter, { priority: 1 }], rules)).toEqual(['p0 3500: 0', 'p1 6500: 4']);
    const drained = [{}, down, { ...down, adminState: 'draining' as const }, down];
    expect(tiersOf(drained, rules)).toEqual(['p0! 10000: 0,1,3']);
  });

  it('are all used by their number when nothing is available, if so configured', () => {
    const states = [down, down, { ...down, priority: 1 }, { ...down, priority: 1, weight: 0 }];
    const panic = { tiers: { overprovisioning: 1.4, panicThreshold: 1 } };
    const expected = ['p0! 6666: 0,1', 'p1! 3334: 2'];
    expect(tiersOf(states, panic)).toEqual(expected);
    expect(tiersOf(states, { whenNoneHealthy: 'use_all' })).toEqual(expected);
    expect(tiersOf(states)).toEqual([]);
  });
});

describe('backups', () => {
  it('are one tier behind all others, that gets nothing while those have candidates', () => {
    expect(tiersOf([backup, {}, backup])).toEqual(['p0 10000: 1', 'b 0: 0,2']);
    expect(tiersOf([backup, down, backup])).toEqual(['b 0: 0,2']);
  });

  it('are used before health is disbelieved', () => {
    const panic = { tiers: { overprovisioning: 1.4, panicThreshold: 50 } };
    expect(tiersOf([down, backup], panic)).toEqual(['b 0: 1']);
    expect(tiersOf([down, backup], { whenNoneHealthy: 'use_all' })).toEqual(['b 0: 1']);
    const none = { adminState: 'disabled' as const };
    expect(tiersOf([none, { ...backup, ...down }], panic)).toEqual(['b! 0: 1']);
  });

  it('are a tier each when they are used one by one', () => {
    const given = [{}, backup, { ...backup, ...down }, backup];
    expect(tiersOf(given, { backups: 'one' })).toEqual(['p0 10000: 0', 'b 0: 1', 'b 0: 3']);
  });

  it('share the last tier when there are more than the engine has tiers for', () => {
    const given = [{}, ...Array.from({ length: 40 }, () => backup)];
    const tiers = tiersOf(given, { backups: 'one' });
    expect(tiers).toHaveLength(32);
    expect(tiers[30]).toBe('b 0: 30');
    expect(tiers[31]).toBe('b 0: 31,32,33,34,35,36,37,38,39,40');
  });
});
