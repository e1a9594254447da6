// What the terminal shows of an event.
import { expect, it } from 'vitest';
import { eventLine } from '../../../src/cli/event-line.js';
import type { Paint } from '../../../src/cli/terminal.js';

const plain: Paint = (_, text) => text;
const time = '2030-01-01T00:00:00.000Z';

it('is one line: when, how bad, what, and its fields', () => {
  const event = { event: 'drain_ended', time, level: 'info', pool: 'web', target: 'a', cut: 0 };
  expect(eventLine(event, plain)).toBe(`${time}  info   drain_ended  pool=web target=a cut=0`);
});

it('leaves out what has nothing to say, and quotes what could be taken for more', () => {
  const fields = { detail: '', latencyMs: null, message: 'a b="c"', reason: 'x=y', ids: [1, 2] };
  const line = eventLine({ event: 'e', time, level: 'warn', ...fields }, plain);
  expect(line).toBe(`${time}  warn   e  message="a b=\\"c\\"" reason="x=y" ids=[1,2]`);
});

it('has colours for what is bad, and none of those that an event brings along', () => {
  const marked: Paint = (style, text) => `<${String(style)}>${text}</>`;
  const bad = { event: 'e', time, level: 'error', message: '\x1b[2J' };
  expect(eventLine(bad, marked)).toBe(`${time}  <red>error</>  <bold>e</>  message=\ufffd[2J`);
  expect(eventLine({ event: 'e\x1b', level: '\x07' }, plain)).toBe('  \ufffd      e\ufffd');
});
