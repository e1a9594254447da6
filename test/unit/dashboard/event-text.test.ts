// Events in words for people.
import { expect, it } from 'vitest';
import { eventText } from '../../../src/dashboard/event-text.ts';

it('an event says what happened, to whom, and the rest in words with units', () => {
  expect(
    eventText({
      event: 'target_health_changed',
      time: '2026-01-02T03:04:05.000Z',
      level: 'warn',
      pool: 'web',
      target: 'a',
      health: 'unhealthy',
      reason: 'refused',
      detail: '',
      latencyMs: 1.2322030000004816,
    }),
  ).toEqual({
    what: 'target health changed',
    whom: 'web/a',
    rest: 'health unhealthy, reason refused, latency 1.23 ms',
  });
});

it('whole numbers keep their digits, others are rounded, and lists are shown whole', () => {
  const event = { event: 'reload_applied', generation: 123_456, share: 0.33333, names: ['a', 'b'] };
  expect(eventText(event)).toEqual({
    what: 'reload applied',
    whom: '',
    rest: 'generation 123456, share 0.33, names ["a","b"]',
  });
});

it('an event of a pool, or of a listener, is about that', () => {
  expect(eventText({ event: 'primary_changed', pool: 'db' }).whom).toBe('db');
  expect(eventText({ event: 'drain_started', owner: 'listener', name: 'in' })).toMatchObject({
    whom: 'in',
    rest: 'owner listener',
  });
});
