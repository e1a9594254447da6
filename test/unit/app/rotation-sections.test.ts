// What of ejections, agents' words and drains is taken back from the state file.
import { describe, expect, it } from 'vitest';
import { rotationSections } from '../../../src/app/rotation-sections.js';
import type { EjectionRecords } from '../../../src/control/ejection-records.js';
import type { RestoredBeliefs } from '../../../src/control/target-beliefs.js';
import type { DrainRecords } from '../../../src/control/target-drains.js';
import type { AgentWords } from '../../../src/model/agent.js';
import type { AdminState } from '../../../src/model/target.js';
import { a, b } from '../../support/controller-fixture.js';
import { FakeClock } from '../../support/fake-clock.js';
import { config, listener, outlier, pool } from '../../support/sample-config.js';

const agent = { port: 7777, intervalMs: 1000, timeoutMs: 500, send: null };
const configured = config([listener('in', 'web')], [pool('web', [a, b], { outlier, agent })]);
const plain = config([listener('in', 'web')], [pool('web', [a, b])]);
const keyA = '["web","a","192.0.2.1:80"]';
const partsA = { pool: 'web', target: 'a', address: '192.0.2.1:80' };
const partsGone = { pool: 'web', target: 'a', address: '192.0.2.77:80' };
const words: AgentWords = {
  weight: { kind: 'share', value: 0.5 },
  maxConnections: 7,
  adminState: 'draining',
  up: null,
};
const at = new Date('2030-01-01T00:00:00Z');
const later = new Date('2030-01-01T00:01:00Z');
const latency = { reason: 'latency' as const, since: at, until: later };

interface Known {
  readonly ejections?: EjectionRecords;
  readonly drains?: DrainRecords;
  readonly said?: ReadonlyMap<string, AgentWords>;
  readonly adminStates?: ReadonlyMap<string, AdminState>;
}

function setup(known: Known = {}, given = configured) {
  const clock = new FakeClock();
  const taken: RestoredBeliefs & { agents?: ReadonlyMap<string, AgentWords> } = {};
  const adminStates = known.adminStates ?? new Map<string, AdminState>();
  const sections = rotationSections({
    clock,
    controller: {
      beliefs: () => ({
        health: new Map(),
        adminStates,
        roles: { roles: new Map(), primaries: new Map() },
      }),
      ejectionRecords: () => known.ejections ?? new Map(),
      drainRecords: () => known.drains ?? new Map(),
      restore: (beliefs) => void Object.assign(taken, beliefs),
    },
    agents: {
      words: () => known.said ?? new Map(),
      restore: (agents) => void Object.assign(taken, { agents }),
    },
    config: given,
    names: () => new Map(),
  });
  const section = (name: string) => sections.find((each) => each.name === name);
  return {
    clock,
    taken,
    save: (name: string) => JSON.parse(JSON.stringify(section(name)?.save())),
    give: (name: string, value: unknown, ageMs = 0) => section(name)?.restore(value, { ageMs }),
  };
}

describe('the sections about who is out of rotation', () => {
  it('bring back what they had saved', () => {
    const ejections = new Map([[keyA, { ejection: latency, times: 3, onTrial: true, at }]]);
    const drains = new Map([[keyA, { since: at, deadline: later, closeOverMs: 500 }]]);
    const said = new Map([[keyA, words]]);
    const first = setup({ ejections, drains, said });
    const second = setup({ adminStates: new Map([[keyA, 'draining']]) });
    for (const name of ['ejections', 'agents', 'drains']) {
      expect(second.give(name, first.save(name))).toBeNull();
    }
    expect(second.taken).toEqual({ ejections, drains, agents: said });
  });

  it('save no agent that has said nothing', () => {
    const nothing = { weight: null, maxConnections: null, adminState: null, up: null };
    expect(setup({ said: new Map([[keyA, nothing]]) }).save('agents')).toEqual([]);
  });

  it('take back only what names a target that is there, in a pool with such rules', () => {
    const ejections = new Map([[keyA, { ejection: latency, times: 3, onTrial: true, at }]]);
    const { save } = setup({ ejections, said: new Map([[keyA, words]]) });
    for (const name of ['ejections', 'agents'] as const) {
      const [entry] = save(name);
      const other = setup();
      expect(other.give(name, [{ ...entry, ...partsGone }])).toBeNull();
      expect(other.taken[name]?.size).toBe(0);
      const without = setup({}, plain);
      expect(without.give(name, [entry])).toBeNull();
      expect(without.taken[name]?.size).toBe(0);
    }
  });

  it('take no ejection that is over by now, but its past', async () => {
    const { clock, taken, give } = setup();
    await clock.advance(60_000);
    const since = at.toISOString();
    const ejection = { reason: 'latency', since, until: later.toISOString() };
    give('ejections', [{ ...partsA, times: 2, on_trial: false, ejection }], 60_000);
    expect(taken.ejections?.get(keyA)).toEqual({ ejection: null, times: 2, onTrial: false, at });
  });

  it('take no drain of a target that is in use', () => {
    const { save } = setup({
      drains: new Map([[keyA, { since: at, deadline: null, closeOverMs: 0 }]]),
    });
    const used = setup();
    expect(used.give('drains', save('drains'))).toBeNull();
    expect(used.taken.drains?.size).toBe(0);
  });

  it.each([
    ['ejections', [{ ...partsA, times: -1, on_trial: false, ejection: null }]],
    ['ejections', [{ ...partsA, times: 1, on_trial: false, ejection: { reason: 'mood' } }]],
    ['agents', [{ ...partsA, weight: 5, max_connections: 1, admin_state: null, up: null }]],
    ['agents', [{ ...partsA, weight: null, max_connections: -1, admin_state: null, up: null }]],
    ['drains', [{ ...partsA, since: 'long ago', deadline: null, close_over_ms: 0 }]],
    ['drains', { a: 1 }],
  ])('refuse as a whole what does not have the form of %s', (name, value) => {
    const { taken, give } = setup();
    expect(give(name, value)).toMatch(new RegExp(`^${name}`));
    expect(taken).toEqual({});
  });
});
