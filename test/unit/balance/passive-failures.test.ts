// passive-failures: nginx's rules by example, and a model of them by property.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterPassiveFailure,
  afterPassiveSuccess,
  noPassiveFailures,
  type PassiveState,
} from '../../../src/balance/passive-failures.js';

const rules = { maxFails: 3, failTimeoutMs: 10_000, endOnProbe: false };

/** Failures at these times, from the beginning: after which of them is the target skipped? */
function skips(timesMs: readonly number[], given = rules): readonly boolean[] {
  let state: PassiveState = noPassiveFailures;
  return timesMs.map((ms) => {
    const verdict = afterPassiveFailure(state, given, ms);
    state = verdict.state;
    return verdict.skip;
  });
}

describe('failed connects', () => {
  it('skip a target when there are max_fails of them within fail_timeout', () => {
    expect(skips([0, 1000, 9999])).toEqual([false, false, true]);
    expect(skips([0, 1000, 10_000, 10_999])).toEqual([false, false, false, true]);
  });

  it('skip it at the first by the defaults of nginx', () => {
    expect(skips([0], { maxFails: 1, failTimeoutMs: 10_000, endOnProbe: false })).toEqual([true]);
  });

  it('begin the time anew when a trial fails, however long the others are past', () => {
    expect(skips([0, 1, 2, 500_000])).toEqual([false, false, true, true]);
  });

  it('are cleared by a trial that succeeds, and by no other success', () => {
    const skipped = [0, 1, 2].reduce(
      (state, ms) => afterPassiveFailure(state, rules, ms).state,
      noPassiveFailures,
    );
    const cleared = afterPassiveSuccess(skipped);
    expect(cleared).toEqual(noPassiveFailures);
    expect(afterPassiveFailure(cleared, rules, 3).skip).toBe(false);
    const twice = afterPassiveFailure(
      afterPassiveFailure(noPassiveFailures, rules, 0).state,
      rules,
      1,
    ).state;
    expect(afterPassiveFailure(afterPassiveSuccess(twice), rules, 2).skip).toBe(true);
  });

  it('skip exactly when the window holds enough of them, whatever the times', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 8000 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        (gaps, maxFails) => {
          let now = 0;
          const times = gaps.map((gap) => {
            now += gap;
            return now;
          });
          const found = skips(times, { maxFails, failTimeoutMs: 10_000, endOnProbe: false });
          const first = times.findIndex(
            (ms, index) =>
              times.slice(0, index + 1).filter((other) => ms - other < 10_000).length >= maxFails,
          );
          // From the first time on it is on trial: each failure skips it.
          expect(found).toEqual(times.map((_, index) => first !== -1 && index >= first));
        },
      ),
    );
  });

  it('are remembered in bounded memory', () => {
    const many = Array.from({ length: 1000 }, (_, index) => index);
    const state = many.reduce(
      (before, ms) => afterPassiveFailure(before, rules, ms).state,
      noPassiveFailures,
    );
    expect(state.failuresMs).toEqual([997, 998, 999]);
  });
});
