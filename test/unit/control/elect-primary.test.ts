// Who is the primary of a pool: stated cases, and what must hold for any history of answers.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterAnswer,
  type Claim,
  electPrimary,
  type Member,
} from '../../../src/control/elect-primary.js';
import type { Health, Role } from '../../../src/model/target.js';

const member = (key: string, role: Role | null, confirmed = 0, health: Health = 'healthy') => {
  return { key, role, confirmed, health, asked: true, wanted: true } satisfies Member;
};
const elect = (members: readonly Member[], present: string | null, confirm = 3) =>
  electPrimary(members, present, confirm);

describe('a first primary', () => {
  it('is the one that claims it, once all have been asked', () => {
    const unasked = { ...member('b', null), asked: false };
    expect(elect([member('a', 'primary', 1), unasked], null).primary).toBeNull();
    const all = [member('a', 'replica'), member('b', 'primary', 1)];
    expect(elect(all, null)).toEqual({ primary: 'b', rivals: [] });
  });

  it('is one that is confirmed, though another never answers', () => {
    const unasked = { ...member('b', null), asked: false };
    expect(elect([member('a', 'primary', 3), unasked], null).primary).toBe('a');
  });

  it('is nobody whom an operator has taken out, who is not waited for either', () => {
    const disabled = { ...member('a', null), asked: false, wanted: false };
    expect(elect([disabled, member('b', 'primary', 1)], null).primary).toBe('b');
    const sure = { ...member('a', 'primary', 9), wanted: false };
    expect(elect([sure, member('b', 'replica')], null).primary).toBeNull();
  });

  it('of two is the first in the file, and the other is a rival when it is confirmed', () => {
    const two = [member('a', 'primary', 1), member('b', 'primary', 1)];
    expect(elect(two, null)).toEqual({ primary: 'a', rivals: [] });
    const sure = [member('a', 'primary', 3), member('b', 'primary', 3)];
    expect(elect(sure, null)).toEqual({ primary: 'a', rivals: ['b'] });
  });
});

describe('a primary that is there', () => {
  it('gives way when it is down and another is confirmed, not before', () => {
    const down = member('a', 'primary', 0, 'unhealthy');
    expect(elect([down, member('b', 'replica')], 'a').primary).toBe('a');
    expect(elect([down, member('b', 'primary', 2)], 'a').primary).toBe('a');
    expect(elect([down, member('b', 'primary', 3)], 'a').primary).toBe('b');
  });

  it('gives way when it says itself that it is a replica now', () => {
    const demoted = member('a', 'replica');
    expect(elect([demoted, member('b', 'primary', 2)], 'a').primary).toBe('a');
    expect(elect([demoted, member('b', 'primary', 3)], 'a').primary).toBe('b');
  });

  it('gives way when an operator takes it out, once another is confirmed', () => {
    const drained = { ...member('a', 'primary', 9), wanted: false };
    expect(elect([drained, member('b', 'replica')], 'a').primary).toBe('a');
    expect(elect([drained, member('b', 'primary', 2)], 'a').primary).toBe('a');
    expect(elect([drained, member('b', 'primary', 3)], 'a').primary).toBe('b');
  });

  it('does not give way to one that an operator has taken out', () => {
    const down = member('a', 'primary', 0, 'unhealthy');
    const disabled = { ...member('b', 'primary', 9), wanted: false };
    expect(elect([down, disabled], 'a').primary).toBe('a');
  });

  it('stays in a split brain, however sure the other is', () => {
    const both = [member('a', 'primary', 0), member('b', 'primary', 99)];
    expect(elect(both, 'a')).toEqual({ primary: 'a', rivals: ['b'] });
  });

  it('stays while nobody has asked it since a restart', () => {
    const restored = { ...member('a', null), asked: false };
    expect(elect([restored, member('b', 'primary', 99)], 'a').primary).toBe('a');
  });

  it('does not give way to one that is unhealthy', () => {
    const down = member('a', 'primary', 0, 'unhealthy');
    expect(elect([down, member('b', 'primary', 9, 'unhealthy')], 'a').primary).toBe('a');
  });
});

describe('confirmations', () => {
  it('are good answers in a row; a failed check unsays nothing but counts anew', () => {
    let claim: Claim = { role: null, confirmed: 0 };
    const answered = (ok: boolean, role: Role | null) => {
      claim = afterAnswer(claim, { ok, role });
      return claim;
    };
    expect(answered(true, 'primary')).toEqual({ role: 'primary', confirmed: 1 });
    expect(answered(true, 'primary')).toEqual({ role: 'primary', confirmed: 2 });
    expect(answered(false, null)).toEqual({ role: 'primary', confirmed: 0 });
    expect(answered(true, 'primary')).toEqual({ role: 'primary', confirmed: 1 });
    expect(answered(true, 'replica')).toEqual({ role: 'replica', confirmed: 0 });
  });
});

it('a healthy primary that never says otherwise is never replaced, whatever all others do', () => {
  const answers = fc.array(
    fc.record({
      who: fc.nat(3),
      ok: fc.boolean(),
      role: fc.constantFrom<Role | null>('primary', 'replica', null),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(answers, fc.integer({ min: 1, max: 4 }), (history, confirm) => {
      const claims: Claim[] = Array.from({ length: 4 }, () => ({ role: null, confirmed: 0 }));
      claims[0] = { role: 'primary', confirmed: 1 };
      for (const { who, ok, role } of history) {
        // Its checks may fail; what it says, it says of a primary.
        const said = who === 0 && ok ? 'primary' : role;
        claims[who] = afterAnswer(claims[who] ?? claims[0], { ok, role: said });
        const members = claims.map((claim, index): Member => {
          return { key: String(index), health: 'healthy', asked: true, wanted: true, ...claim };
        });
        expect(electPrimary(members, '0', confirm).primary).toBe('0');
      }
    }),
  );
});
