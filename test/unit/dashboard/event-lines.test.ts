// Bytes of a stream of server-sent events, however they are cut, become the same messages.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventLines, type EventMessage } from '../../../src/dashboard/event-lines.ts';

const encoder = new TextEncoder();

it('a message has its id and its data; comments and names are passed over', () => {
  const lines = new EventLines();
  const text =
    ': hello\n\nid: a.1\nevent: ready\ndata: {"x":1}\n\n: ping\n\ndata: two\ndata: lines\n\n';
  expect(lines.push(encoder.encode(text))).toEqual([
    { id: 'a.1', data: '{"x":1}' },
    { id: null, data: 'two\nlines' },
  ]);
});

it('an unfinished message waits for its end', () => {
  const lines = new EventLines();
  expect(lines.push(encoder.encode('id: 7\ndata: ha'))).toEqual([]);
  expect(lines.push(encoder.encode('lf\n'))).toEqual([]);
  expect(lines.push(encoder.encode('\n'))).toEqual([{ id: '7', data: 'half' }]);
});

it('cuts anywhere, within a character too, change nothing', () => {
  const data = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\n\r]/g, ' '));
  fc.assert(
    fc.property(fc.array(data), fc.array(fc.nat(), { maxLength: 20 }), (texts, cuts) => {
      const wanted = texts.map((text, index): EventMessage => ({ id: `${index}`, data: text }));
      const bytes = encoder.encode(
        wanted.map((one) => `id: ${one.id}\ndata: ${one.data}\n\n`).join(''),
      );
      const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b);
      const lines = new EventLines();
      const got: EventMessage[] = [];
      let from = 0;
      for (const to of [...places, bytes.length]) {
        got.push(...lines.push(bytes.subarray(from, to)));
        from = to;
      }
      expect(got).toEqual(wanted);
    }),
  );
});
