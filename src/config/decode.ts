// Bytes to text: UTF-8 only, with the place of the first bad byte when it is not. A byte order
// mark is accepted and dropped.
import { isUtf8 } from 'node:buffer';
import type { ErrorCode } from '../errors.js';

export type Decoded =
  | { readonly ok: true; readonly text: string }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      /** The text as far as it could be read, bad bytes replaced. */
      readonly text: string;
      /** Where in `text` the fault is. */
      readonly offset: number;
    };

/** 16384 targets with every key written out take 2 MiB. Read-file applies the same bound. */
export const fileBytesMax = 4 * 1024 * 1024;

export function decode(bytes: Uint8Array): Decoded {
  if (bytes.length > fileBytesMax) {
    const message = `the file has ${bytes.length} bytes, ${fileBytesMax} (4 MiB) are possible`;
    return { ok: false, code: 'SLUICE_CONFIG_FILE_TOO_LARGE', message, text: '', offset: 0 };
  }
  const text = new TextDecoder('utf-8').decode(bytes);
  if (!isUtf8(bytes)) return refuseEncoding(bytes, text);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose.
  const control = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.exec(text);
  if (control === null) return { ok: true, text };
  const hex = control[0].charCodeAt(0).toString(16).padStart(2, '0');
  const message = `control character 0x${hex}${hex === '00' ? ' (NUL)' : ''}`;
  const code = 'SLUICE_CONFIG_CONTROL_CHARACTER';
  return { ok: false, code, message, text, offset: control.index };
}

function refuseEncoding(bytes: Uint8Array, text: string): Decoded {
  const index = firstBadByte(bytes);
  const offset = new TextDecoder('utf-8').decode(bytes.subarray(0, index)).length;
  const utf16 = bytes[0] === 0xff || bytes[0] === 0xfe;
  const hex = (bytes[index] ?? 0).toString(16).padStart(2, '0');
  const message = utf16
    ? 'the file is UTF-16: save it as UTF-8'
    : `byte ${index + 1} (0x${hex}) is not UTF-8`;
  return { ok: false, code: 'SLUICE_CONFIG_ENCODING', message, text, offset };
}

/** The index at which the first ill-formed sequence begins (Unicode 15, table 3-7). */
function firstBadByte(bytes: Uint8Array): number {
  let index = 0;
  while (index < bytes.length) {
    const lead = bytes[index] ?? 0;
    const length = sequenceLength(lead);
    if (length === 0) return index;
    if (length > 1) {
      const second = bytes[index + 1] ?? 0;
      // Overlong forms, surrogates and code points above U+10FFFF show in the second byte.
      const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
      const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
      if (second < low || second > high) return index;
      for (let more = 2; more < length; more++) {
        if (((bytes[index + more] ?? 0) & 0xc0) !== 0x80) return index;
      }
    }
    index += length;
  }
  return index;
}

/** 0 for a byte that cannot begin a character. */
function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}
