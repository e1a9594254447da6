// The words of an explanation: every policy has its own; one that has none is told all the same.
import { describe, expect, it } from 'vitest';
import { noteTexts, pickedReason, scoreText } from '../../../src/control/explain-text.js';
import { type Policy, type PolicyName, policyNames } from '../../../src/model/policy.js';
import { pool } from '../../support/sample-config.js';

const policyOf = (name: PolicyName): Policy => ({ ...pool('web', []).policy, name });

function wordsOf(name: PolicyName) {
  const common = { policy: policyOf(name), worker: 3, step: 'none' } as const;
  const reason = pickedReason({
    ...common,
    target: 'a',
    stickyTarget: null,
    usable: 2,
    tier: null,
  });
  const notes = noteTexts({
    ...common,
    outcome: 'picked',
    protocol: 'tcp',
    client: { ip: null, port: 0 },
    destination: '127.0.0.1:80',
    sessionsUnseen: false,
    chose: true,
  });
  return { reason, notes };
}

describe('a policy', () => {
  it.each(policyNames)('%s says in words of its own why, and for how long', (name) => {
    const { reason, notes } = wordsOf(name);
    expect(reason).not.toBe(`a: ${name} picks it.`);
    expect(notes).toHaveLength(1);
    expect(notes).not.toEqual(['This holds for the next client of worker 3.']);
  });

  it('that has brought no words is told in general ones', () => {
    const newest = 'newest' as PolicyName;
    expect(wordsOf(newest)).toEqual({
      reason: 'a: newest picks it.',
      notes: ['This holds for the next client of worker 3.'],
    });
    expect(scoreText(policyOf(newest))).toBeNull();
  });
});
