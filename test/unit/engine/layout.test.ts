// Narrowing what the addon describes, and single fields of records.
import { describe, expect, it } from 'vitest';
import { parseLayout, parseRegionLayout } from '../../../src/engine/layout.js';
import { bytesOf, getNumber, setBytes, setNumber } from '../../../src/engine/record-fields.js';
import { fakeLayout, fakeRegion, rawFakeLayout } from '../../support/fake-layout.js';

describe('parseLayout', () => {
  it('takes what the addon describes, with the names of values both ways', () => {
    const layout = fakeLayout();
    expect(layout.enums.policy.nameOf.get(layout.enums.policy.values.random)).toBe('random');
    expect(layout.records.candidate.fields.weight).toEqual({ type: 'u32', offset: 0, count: 1 });
    expect(layout.counters.worker.counters.map(({ name }) => name)).toEqual([
      'worker_first',
      'worker_second',
    ]);
  });

  it('names what is missing when the addon is of another version', () => {
    const raw = rawFakeLayout();
    const command = raw.records.command;
    if (command !== undefined) delete command.fields.generation;
    expect(() => parseLayout(raw)).toThrow(/records\.command\.generation/);
    expect(() => parseLayout({ ...rawFakeLayout(), enums: {} })).toThrow(/enums\.command_type/);
    expect(() => parseLayout(null)).toThrow(TypeError);
    expect(() => parseRegionLayout({ ...fakeRegion(fakeLayout()), active: -1 })).toThrow(
      /region\.active/,
    );
  });
});

describe('record fields', () => {
  it.each([
    ['u8', 255],
    ['u16', 65_535],
    ['u32', 4_294_967_295],
    ['i32', -98],
    ['u64', Number.MAX_SAFE_INTEGER],
  ] as const)('keep a %s and touch nothing beside it', (type, value) => {
    const view = new DataView(new ArrayBuffer(24));
    new Uint8Array(view.buffer).fill(0xaa);
    const field = { type, offset: 4, count: 1 };
    setNumber(view, 4, field, value);
    expect(getNumber(view, 4, field)).toBe(value);
    const bytes = { u8: 1, u16: 2, u32: 4, i32: 4, u64: 8 }[type];
    expect(view.getUint8(7)).toBe(0xaa);
    expect(view.getUint8(8 + bytes)).toBe(0xaa);
  });

  it('clear what a shorter array leaves of an earlier one', () => {
    const view = new DataView(new ArrayBuffer(16));
    const field = { type: 'u8', offset: 0, count: 16 } as const;
    setBytes(view, 0, field, new Uint8Array(16).fill(9));
    setBytes(view, 0, field, Uint8Array.of(1, 2));
    expect([...bytesOf(view, 0, field)]).toEqual([1, 2, ...new Array(14).fill(0)]);
  });
});
