// What the terminal shows of an explanation.
import { describe, expect, it } from 'vitest';
import type { ExplainedTarget, Explanation } from '../../../src/app/read-explanation.js';
import { explanationText, rowsMax } from '../../../src/cli/explanation-text.js';
import type { Paint } from '../../../src/cli/terminal.js';

const plain: Paint = (_, text) => text;
const marked: Paint = (style, text) => `<${String(style)}>${text}</>`;

function row(name: string, parts: Partial<ExplainedTarget> = {}): ExplainedTarget {
  return {
    name,
    address: '192.0.2.1:80',
    candidate: true,
    picked: false,
    priority: 0,
    weight: 1,
    active: 0,
    maxConnections: 0,
    score: null,
    whyNot: { kind: 'policy', text: 'round_robin takes a' },
    ...parts,
  };
}

const picked = row('a', { picked: true, whyNot: null });

function explanationOf(parts: Partial<Explanation> = {}): Explanation {
  return {
    listener: 'in',
    protocol: 'tcp',
    pool: 'web',
    policy: 'round_robin',
    worker: 0,
    generation: 3,
    outcome: 'picked',
    target: 'a',
    reason: 'a: it is next in the rotation of worker 0.',
    sticky: null,
    panic: false,
    scoreIs: null,
    waiting: 0,
    notes: ['This holds for a moment.'],
    targets: [picked, row('b')],
    workers: [{ worker: 0, outcome: 'picked', target: 'a' }],
    ...parts,
  };
}

describe('an explanation', () => {
  it('says the choice first, then the targets, then what it rests on', () => {
    expect(explanationText(explanationOf(), plain)).toBe(
      [
        'in -> web (round_robin) -> a: it is next in the rotation of worker 0.',
        '',
        'TARGET  STATE      OPEN  WEIGHT  WHY NOT',
        'a       picked        0       1',
        'b       candidate     0       1  round_robin takes a',
        '',
        'This holds for a moment.',
        '',
      ].join('\n'),
    );
  });

  it('has columns for priorities and scores where there are any', () => {
    const targets = [
      row('a', {
        picked: true,
        whyNot: null,
        score: 1 / 3,
        active: 1,
        maxConnections: 8,
        weight: 3,
      }),
      row('spare', { priority: null, whyNot: { kind: 'later_tier', text: 'later' } }),
    ];
    const text = explanationText(explanationOf({ targets, scoreIs: 'x / y', panic: true }), plain);
    expect(text.split('\n').slice(2, 7)).toEqual([
      'TARGET  STATE      OPEN  WEIGHT  PRIORITY   SCORE  WHY NOT',
      'a       picked      1/8       3  0         0.3333',
      'spare   candidate     0       1  backup            later',
      '',
      'score: x / y; smaller is better.',
    ]);
    expect(text).toContain('health is not heeded (panic)');
  });

  it('tells whether the workers agree', () => {
    const two = (target: string | null) =>
      explanationText(
        explanationOf({
          workers: [
            { worker: 0, outcome: 'picked', target: 'a' },
            { worker: 1, outcome: target === null ? 'no_target' : 'picked', target },
          ],
        }),
        plain,
      );
    expect(two('a')).toContain('All 2 workers would do the same.');
    expect(two('b')).toContain('By worker: 0: a, 1: b.');
    expect(two(null)).toContain('1: none (no_target)');
  });

  it('of a large pool is cut, but for the one that is picked', () => {
    const many = Array.from({ length: rowsMax + 20 }, (_, index) => row(`t${index}`));
    const text = explanationText(explanationOf({ targets: [...many, picked] }), plain);
    expect(text).toContain('t99 ');
    expect(text).not.toContain('t100 ');
    expect(text).toMatch(/^a +picked/m);
    expect(text).toContain('... and 20 more: --json has all of them');
  });

  it('paints the choice, and dims what cannot be picked', () => {
    const out = row('c', { candidate: false, whyNot: { kind: 'unhealthy', text: 'unhealthy' } });
    const text = explanationText(explanationOf({ targets: [picked, out] }), marked);
    expect(text).toMatch(/<green>a: it is next.*<\/>/);
    expect(text).toMatch(/<green>a +picked.*<\/>/);
    expect(text).toMatch(/<dim>c +out .*<\/>/);
    expect(explanationText(explanationOf({ target: null, reason: 'none.' }), marked)).toContain(
      '<red>none.</>',
    );
  });

  it('lets no name move the cursor', () => {
    const evil = row('\u001b[2Jx', { whyNot: { kind: 'policy', text: '\u001b[2J' } });
    const text = explanationText(
      explanationOf({ targets: [evil], reason: '\u001b[2J', notes: ['\u001b[2J'] }),
      plain,
    );
    expect(text).not.toContain('\u001b');
  });
});
