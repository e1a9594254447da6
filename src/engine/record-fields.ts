// Reads and writes single fields of records in shared memory, as the layout types them.
import type { Field } from './layout.js';

const two32 = 2 ** 32;

/** `at` is the record's first byte. A u64 takes any safe integer. */
export function setNumber(view: DataView, at: number, field: Field, value: number): void {
  const offset = at + field.offset;
  switch (field.type) {
    case 'u8':
      view.setUint8(offset, value);
      return;
    case 'u16':
      view.setUint16(offset, value, true);
      return;
    case 'u32':
      view.setUint32(offset, value, true);
      return;
    case 'i32':
      view.setInt32(offset, value, true);
      return;
    case 'f64':
      view.setFloat64(offset, value, true);
      return;
    case 'u64':
      view.setUint32(offset, value % two32, true);
      view.setUint32(offset + 4, Math.floor(value / two32), true);
      return;
  }
}

/** A u64 above 2^53 loses its lowest bits: a byte counter gets there in 104 days at 1 GB/s. */
export function getNumber(view: DataView, at: number, field: Field): number {
  const offset = at + field.offset;
  switch (field.type) {
    case 'u8':
      return view.getUint8(offset);
    case 'u16':
      return view.getUint16(offset, true);
    case 'u32':
      return view.getUint32(offset, true);
    case 'i32':
      return view.getInt32(offset, true);
    case 'f64':
      return view.getFloat64(offset, true);
    case 'u64':
      return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * two32;
  }
}

/** Writes an array of bytes; what `bytes` does not fill becomes 0. */
export function setBytes(view: DataView, at: number, field: Field, bytes: Uint8Array): void {
  const into = new Uint8Array(view.buffer, view.byteOffset + at + field.offset, field.count);
  into.fill(0);
  into.set(bytes);
}

/** The bytes where they are, not a copy. */
export function bytesOf(view: DataView, at: number, field: Field): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at + field.offset, field.count);
}
