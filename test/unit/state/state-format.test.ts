// The form of a state file: whatever is written is read back, whatever else is refused by value.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeState, encodeState, stateBytesMax } from '../../../src/state/state-format.js';

describe('the form of a state file', () => {
  it('gives back every section that was written', () => {
    const sections = fc.dictionary(
      fc.string().filter((name) => name !== '__proto__'),
      fc.jsonValue(),
    );
    const date = fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(sections, date, (saved, written) => {
        const bytes = encodeState({ written, sections: saved });
        const plain: unknown = JSON.parse(JSON.stringify(saved));
        expect(decodeState(bytes)).toEqual({ ok: true, content: { written, sections: plain } });
      }),
    );
  });

  it('refuses a file that was cut at any byte, and never throws', () => {
    const bytes = encodeState({ written: new Date(0), sections: { health: [{ a: 'ä' }] } });
    // Without the line feed at its end it is whole.
    for (let length = 0; length < bytes.length - 1; length++) {
      expect(decodeState(bytes.subarray(0, length)).ok).toBe(false);
    }
  });

  it('refuses bytes of any kind by value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodeState(Buffer.from(bytes)).ok).toBe(false);
      }),
    );
  });

  it.each([
    ['another version', '{"sluice_state":2,"written":"2030-01-01T00:00:00Z","sections":{}}'],
    ['no time', '{"sluice_state":1,"written":"yesterday","sections":{}}'],
    ['no sections', '{"sluice_state":1,"written":"2030-01-01T00:00:00Z"}'],
    [
      'more than it knows',
      '{"sluice_state":1,"written":"2030-01-01T00:00:00Z","sections":{},"a":1}',
    ],
    ['the file of another program', '{"name":"left-pad","version":"1.0.0"}'],
    ['a list', '[]'],
    ['null', 'null'],
  ])('refuses %s', (_name, text) => {
    expect(decodeState(Buffer.from(text))).toMatchObject({
      ok: false,
      reason: expect.stringContaining('not a state file of version 1'),
    });
  });

  it('refuses more bytes than a state can have before it reads them', () => {
    const reading = decodeState(Buffer.alloc(stateBytesMax + 1, ' '));
    expect(reading).toEqual({ ok: false, reason: `more than ${stateBytesMax} bytes` });
  });
});
