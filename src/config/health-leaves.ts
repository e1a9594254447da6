// The texts in a health check: bytes as text or hexadecimal, patterns, paths, names, status ranges.
import { isIP } from 'node:net';
import { RE2JS, RE2JSSyntaxException } from 're2js';
import { type Parsed, parsed, refused, shown } from './parsed.js';

const bytesMax = 4096;
const patternCharsMax = 512;

/** Not empty, and of a length that one would type. */
export function parsePlainText(value: unknown): Parsed<string> {
  if (typeof value !== 'string' || value === '') {
    const suggestion = typeof value === 'number' ? JSON.stringify(String(value)) : undefined;
    return refused('SLUICE_CONFIG_TYPE', `${shown(value)} is not a text`, suggestion);
  }
  const bytes = Buffer.byteLength(value);
  if (bytes <= bytesMax) return parsed(value);
  return refused('SLUICE_CONFIG_LIMIT', `the text has ${bytes} bytes, ${bytesMax} are possible`);
}

/** A text as it is sent: in UTF-8. */
export function parseTextBytes(value: unknown): Parsed<Uint8Array> {
  const text = parsePlainText(value);
  return text.ok ? parsed(new TextEncoder().encode(text.value)) : text;
}

/** Pairs of hexadecimal digits, with spaces between pairs where wanted. */
export function parseHexBytes(value: unknown): Parsed<Uint8Array> {
  const text = parsePlainText(value);
  if (!text.ok) return text;
  if (!/^ *([0-9a-fA-F]{2} *)+$/.test(text.value)) {
    const why = `${shown(text.value)} is not bytes in hexadecimal, as "0d 0a"`;
    return refused('SLUICE_CONFIG_VALUE', why);
  }
  return parsed(Uint8Array.from(Buffer.from(text.value.replaceAll(' ', ''), 'hex')));
}

/** RE2: matching takes time linear in the input, whatever the pattern and whatever the input. */
export function parseRegex(value: unknown): Parsed<string> {
  const text = parsePlainText(value);
  if (!text.ok) return text;
  if (text.value.length > patternCharsMax) {
    const why = `the pattern has ${text.value.length} characters, ${patternCharsMax} are possible`;
    return refused('SLUICE_CONFIG_LIMIT', why);
  }
  try {
    RE2JS.compile(text.value);
    return text;
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    const why = `${shown(text.value)} is not a pattern of RE2: ${error.message}`;
    return refused('SLUICE_CONFIG_VALUE', why);
  }
}

export function parseStatus(
  value: unknown,
): Parsed<{ readonly low: number; readonly high: number }> {
  const match = /^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/.exec(String(value));
  const low = Number(match?.[1]);
  const high = Number(match?.[2] ?? match?.[1]);
  if (match !== null && low <= high) return parsed({ low, high });
  const why = `${shown(value)} is not an HTTP status (200) or a range of them ("200-299")`;
  return refused('SLUICE_CONFIG_VALUE', why);
}

export function parseHttpPath(value: unknown): Parsed<string> {
  const text = parsePlainText(value);
  if (!text.ok) return text;
  if (/^\/[\x21-\x7e]*$/.test(text.value) && !text.value.includes('#')) return text;
  const why = `${shown(text.value)} is not a path: "/", then no spaces, "#" or special characters`;
  const suggestion = /^[\x21-\x7e]+$/.test(text.value) ? `/${text.value}` : undefined;
  return refused('SLUICE_CONFIG_VALUE', why, text.value.startsWith('/') ? undefined : suggestion);
}

/** The value of a Host header. */
export function parseHostHeader(value: unknown): Parsed<string> {
  const text = parsePlainText(value);
  if (!text.ok) return text;
  if (/^[A-Za-z0-9._:[\]-]{1,255}$/.test(text.value)) return text;
  return refused(
    'SLUICE_CONFIG_VALUE',
    `${shown(text.value)} is not a host, with a port or without`,
  );
}

function isHostName(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.');
  return text.length <= 253 && labels.every((label) => /^[A-Za-z0-9_*-]{1,63}$/.test(label));
}

/** A name as TLS knows it: RFC 6066 has none of addresses. */
export function parseServerName(value: unknown): Parsed<string> {
  const text = parsePlainText(value);
  if (!text.ok) return text;
  if (isIP(text.value) === 0 && isHostName(text.value) && !text.value.includes('*')) return text;
  return refused('SLUICE_CONFIG_VALUE', `${shown(text.value)} is not the name of a host`);
}

/** `.` is the root, which every resolver knows. */
export function parseDnsName(value: unknown): Parsed<string> {
  const text = parsePlainText(value);
  if (!text.ok || text.value === '.') return text;
  if (isHostName(text.value)) return text;
  const why = `${shown(text.value)} is not a name in DNS: write others than ASCII as xn--...`;
  return refused('SLUICE_CONFIG_VALUE', why);
}

export function parseAbsolutePath(value: unknown): Parsed<string> {
  const text = parsePlainText(value);
  if (!text.ok) return text;
  if (/^\/[^\0]*[^\0/]$/.test(text.value)) return text;
  return refused('SLUICE_CONFIG_VALUE', `${shown(text.value)} is not the absolute path of a file`);
}

/** An argument of a program: no NUL can be in it. */
export function parseArgument(value: unknown): Parsed<string> {
  const text = value === '' ? parsed('') : parsePlainText(value);
  if (!text.ok || !text.value.includes('\0')) return text;
  return refused('SLUICE_CONFIG_VALUE', 'an argument of a program cannot hold a NUL');
}

export function parseAlpn(value: unknown): Parsed<string> {
  const text = parsePlainText(value);
  if (!text.ok || /^[\x21-\x7e]{1,255}$/.test(text.value)) return text;
  return refused('SLUICE_CONFIG_VALUE', `${shown(text.value)} is not the name of a protocol`);
}

/** A service as in a .proto file: `package.Service`. */
export function parseGrpcService(value: unknown): Parsed<string> {
  const text = parsePlainText(value);
  if (!text.ok || /^[A-Za-z0-9_./-]{1,255}$/.test(text.value)) return text;
  return refused('SLUICE_CONFIG_VALUE', `${shown(text.value)} is not the name of a service`);
}
