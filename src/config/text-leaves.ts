// The texts of the schema that are no number, unit or list of words: names, modes, outputs.
import { type BindAddress, parseBind } from './bind-address.js';
import { parsePort } from './host-port.js';
import type { InterfaceIndex } from './ip.js';
import { type Parsed, parsed, refused, shown } from './parsed.js';
import { nearestWord } from './suggest.js';

export const namePattern = '^[A-Za-z][A-Za-z0-9_.-]{0,62}$';
/** For editors, whose regular expressions know no \\p; control characters are refused below. */
export const targetNamePattern = '^\\S{1,128}$';
export const unixModePattern = '^0?[0-7]{3}$';

export function parseText(value: unknown): Parsed<string> {
  if (typeof value === 'string' && value !== '') return parsed(value);
  const suggestion = typeof value === 'number' ? JSON.stringify(String(value)) : undefined;
  return refused('SLUICE_CONFIG_TYPE', `${shown(value)} is not a name`, suggestion);
}

/** The names of listeners and pools: they stand in URLs, metrics and logs as they are. */
export function parseName(value: string): Parsed<string> {
  if (new RegExp(namePattern, 'u').test(value)) return parsed(value);
  const nearest = value.replaceAll(/[^A-Za-z0-9_.-]+/g, '_').replace(/^[^A-Za-z]+/, '');
  const suggestion = new RegExp(namePattern, 'u').test(nearest) ? nearest : undefined;
  const why = `${shown(value)} is not usable as a name`;
  return refused('SLUICE_CONFIG_NAME', why, suggestion);
}

export function parseTargetName(value: unknown): Parsed<string> {
  const text = parseText(value);
  if (!text.ok) return text;
  if (new RegExp(targetNamePattern, 'u').test(text.value) && !/\p{C}/u.test(text.value))
    return text;
  const why = `${shown(value)} is not usable as a name: 1 to 128 characters without spaces`;
  return refused('SLUICE_CONFIG_NAME', why);
}

/**
 * Quotes are required: YAML 1.2 reads an unquoted 0660 as the decimal number 660, YAML 1.1 as the
 * octal one, and editors disagree with each other.
 */
export function parseUnixMode(value: unknown): Parsed<number> {
  if (typeof value === 'string' && new RegExp(unixModePattern).test(value)) {
    return parsed(Number.parseInt(value, 8));
  }
  const digits = typeof value === 'number' ? String(value) : '';
  const nearest = new RegExp(unixModePattern).test(digits) ? `"0${digits}"` : undefined;
  const why = `${shown(value)} is not a mode: write octal digits in quotes, as "0660"`;
  return refused('SLUICE_CONFIG_VALUE', why, nearest);
}

export function parseAdminListen(
  value: unknown,
  interfaceIndex: InterfaceIndex,
): Parsed<BindAddress | null> {
  if (value === 'off') return parsed(null);
  if (value === false) return refused('SLUICE_CONFIG_VALUE', 'false is not an address', 'off');
  const bind = parseBind(value, interfaceIndex);
  if (!bind.ok || bind.value.kind === 'unix' || bind.value.low === bind.value.high) return bind;
  return refused('SLUICE_CONFIG_PORT', 'the admin server has one port, not a range');
}

/** Names of users and databases go into messages in which a NUL ends them. */
export function parseLoginText(value: unknown): Parsed<string> {
  const text = parseText(value);
  if (!text.ok || (text.value.length <= 128 && !/\p{Cc}/u.test(text.value))) return text;
  const why = `${shown(value)} is longer than 128 characters or has a control character`;
  return refused('SLUICE_CONFIG_NAME', why);
}

/** With a "/", so that a mistyped word does not become a file in the working directory. */
export function parseFilePath(value: unknown): Parsed<string> {
  const isPath = typeof value === 'string' && value.includes('/') && !value.endsWith('/');
  if (isPath && !value.includes('\0')) return parsed(value);
  const nearest = typeof value === 'string' && /^[\w.-]+$/.test(value) ? `./${value}` : undefined;
  const why = `${shown(value)} is not the path of a file, with a "/" in it`;
  return refused('SLUICE_CONFIG_VALUE', why, nearest);
}

export function parseLogOutput(value: unknown): Parsed<string> {
  if (typeof value === 'string') {
    if (value === 'stdout' || value === 'stderr') return parsed(value);
    if (/^syslog\b/i.test(value)) return parseSyslog(value);
    if (value.includes('/') && !value.endsWith('/') && !value.includes('\0')) return parsed(value);
  }
  const nearest = typeof value === 'string' ? nearestWord(value, ['stdout', 'stderr']) : undefined;
  const why = `${shown(value)} is neither stdout nor stderr nor a path with a "/"`;
  return refused('SLUICE_CONFIG_VALUE', why, nearest);
}

/** A URL with a host and perhaps a port, and nothing that would be left out in silence. */
function parseSyslog(value: string): Parsed<string> {
  const match = /^syslog(?:\+tcp)?:\/\/(.+)$/.exec(value);
  const authority = match?.[1] ?? '';
  const parts = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]+))?$/.exec(authority);
  const port = parsePort(parts?.[2] ?? '514', 1);
  if (parts !== null && !port.ok) return port;
  if (parts !== null && URL.canParse(value)) return parsed(value);
  const why = `${shown(value)} is not syslog://host:port or syslog+tcp://host:port`;
  return refused('SLUICE_CONFIG_VALUE', why);
}
