// The leaves of the schema: each reads one scalar, says what is wrong in words that name the
// range or the choices, and describes itself for editors.
import { z } from 'zod';
import type { ErrorCode } from '../errors.js';
import { type Parsed, parsed, refused, shown } from './parsed.js';
import { nearestWord } from './suggest.js';
import {
  durationMaxMs,
  durationPattern,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  sizePattern,
} from './units.js';

/** What a schema issue of ours carries in `params`. */
export interface IssueParams {
  readonly code: ErrorCode;
  readonly suggestion?: string | undefined;
}

/** JSON Schema of a leaf: description, default, examples and the like. */
export type Meta = Readonly<Record<string, unknown>>;

/** A leaf of type T in the file, accepted when `parse` accepts it. */
export function leaf<T>(parse: (value: unknown) => Parsed<unknown>, meta: Meta): z.ZodType<T, T> {
  return z
    .custom<T>()
    .superRefine((value: unknown, context) => {
      const result = value === undefined || value === null ? missing(value) : parse(value);
      if (result.ok) return;
      const { code, message, suggestion } = result.problem;
      const params: IssueParams = { code, suggestion };
      // `continue: false`: a union then reports every branch, and schema-issues.ts can choose.
      context.addIssue({ code: 'custom', message, params: { ...params }, continue: false });
    })
    .meta({ ...meta });
}

function missing(value: undefined | null): Parsed<never> {
  const message = value === null ? 'has no value' : 'is required here';
  return refused('SLUICE_CONFIG_MISSING', message);
}

export function parseWord(value: unknown, words: readonly string[]): Parsed<string> {
  if (typeof value === 'string' && words.includes(value)) return parsed(value);
  // One word alone is the short form of a map (`keepalive: off`).
  const choices = words.length === 1 ? `${words[0]} or a map` : `one of ${words.join(', ')}`;
  const nearest = typeof value === 'string' ? nearestWord(value, words) : undefined;
  const off = value === false && words.includes('off') ? 'off' : undefined;
  const on = value === true && words.includes('auto') ? 'auto' : undefined;
  const suggestion = nearest ?? off ?? on;
  return refused('SLUICE_CONFIG_VALUE', `${shown(value)} is not ${choices}`, suggestion);
}

export function word<const W extends readonly string[]>(words: W, meta: Meta) {
  return leaf<W[number]>((value) => parseWord(value, words), {
    type: 'string',
    enum: words,
    ...meta,
  });
}

export function flag(meta: Meta) {
  const yes = ['yes', 'on', 'y', 'True', 'TRUE', '1'];
  const no = ['no', 'off', 'n', 'False', 'FALSE', '0'];
  return leaf<boolean>(
    (value) => {
      if (typeof value === 'boolean') return parsed(value);
      const text = String(value);
      const suggestion = yes.includes(text) ? 'true' : no.includes(text) ? 'false' : undefined;
      return refused('SLUICE_CONFIG_TYPE', `${shown(value)} is not true or false`, suggestion);
    },
    { type: 'boolean', ...meta },
  );
}

interface Range {
  readonly min: number;
  readonly max: number;
}

export function parseNumber(value: unknown, range: Range, whole: boolean): Parsed<number> {
  const kind = whole ? 'a whole number' : 'a number';
  if (typeof value !== 'number' || Number.isNaN(value)) {
    const numeric = typeof value === 'string' && /^-?[0-9]+(\.[0-9]+)?$/.test(value);
    const why = `${shown(value)} is not ${kind}${numeric ? ': remove the quotes' : ''}`;
    return refused('SLUICE_CONFIG_TYPE', why, numeric ? value : undefined);
  }
  if (whole && !Number.isInteger(value) && Number.isFinite(value)) {
    return refused('SLUICE_CONFIG_TYPE', `${value} is not a whole number`);
  }
  if (value >= range.min && value <= range.max) return parsed(value);
  const why = `${value} is outside ${range.min} to ${range.max}`;
  return refused('SLUICE_CONFIG_RANGE', why);
}

export function integer(range: Range, meta: Meta) {
  return leaf<number>((value) => parseNumber(value, range, true), {
    type: 'integer',
    minimum: range.min,
    maximum: range.max,
    ...meta,
  });
}

export function fraction(range: Range, meta: Meta) {
  return leaf<number>((value) => parseNumber(value, range, false), {
    type: 'number',
    minimum: range.min,
    maximum: range.max,
    ...meta,
  });
}

/** A whole number, or a word that stands for "no number". */
export function integerOr<const W extends string>(special: W, range: Range, meta: Meta) {
  return numberOr(special, range, true, meta);
}

/** The same with a number that need not be whole. */
export function fractionOr<const W extends string>(special: W, range: Range, meta: Meta) {
  return numberOr(special, range, false, meta);
}

function numberOr<const W extends string>(special: W, range: Range, whole: boolean, meta: Meta) {
  return leaf<number | W>(
    (value) => {
      if (typeof value === 'string') {
        const numeric = whole ? /^-?[0-9]+$/.test(value) : /^-?[0-9.]+$/.test(value);
        if (numeric) return parseNumber(value, range, whole);
        return parseWordOrNumber(value, special, whole);
      }
      if (value === 0 || value === false) {
        const why = `${value} is outside ${range.min} to ${range.max}`;
        return refused('SLUICE_CONFIG_RANGE', why, special);
      }
      return parseNumber(value, range, whole);
    },
    {
      anyOf: [
        { const: special },
        { type: whole ? 'integer' : 'number', minimum: range.min, maximum: range.max },
      ],
      ...meta,
    },
  );
}

function parseWordOrNumber(value: string, special: string, whole: boolean): Parsed<string> {
  if (value === special) return parsed(value);
  const why = `${shown(value)} is neither ${special} nor a ${whole ? 'whole ' : ''}number`;
  return refused('SLUICE_CONFIG_VALUE', why, nearestWord(value, [special]));
}

export interface DurationRules {
  readonly minMs: number;
  readonly maxMs?: number;
  /** The kernel takes it in seconds. */
  readonly wholeSeconds?: boolean;
  /** `off` is possible, and means no limit. */
  readonly off?: boolean;
}

export function parseDurationBy(value: unknown, rules: DurationRules): Parsed<number> {
  const off = rules.off === true;
  if (off && value === 'off') return parsed(0);
  if (off && (value === false || value === 0)) {
    return refused('SLUICE_CONFIG_DURATION', `${value} is not a duration`, 'off');
  }
  const duration = parseDuration(value);
  if (!duration.ok) return duration;
  const ms = duration.value;
  const code = 'SLUICE_CONFIG_RANGE';
  const max = rules.maxMs ?? durationMaxMs;
  if (ms < rules.minMs || ms > max) {
    const range = `${formatDuration(rules.minMs)} to ${formatDuration(max)}`;
    return refused(code, `${value} is outside ${range}`, off && ms === 0 ? 'off' : undefined);
  }
  if (rules.wholeSeconds === true && ms % 1000 !== 0) {
    return refused(code, `${value} is not whole seconds, as the kernel needs here`);
  }
  return parsed(ms);
}

export function duration(rules: DurationRules, meta: Meta) {
  const pattern = rules.off === true ? `${durationPattern}|^off$` : durationPattern;
  return leaf<string>((value) => parseDurationBy(value, rules), {
    type: 'string',
    pattern,
    ...meta,
  });
}

export function size(range: Range, meta: Meta) {
  return leaf<string>(
    (value) => {
      const bytes = parseSize(value);
      if (!bytes.ok || (bytes.value >= range.min && bytes.value <= range.max)) return bytes;
      const why = `${value} is outside ${formatSize(range.min)} to ${formatSize(range.max)}`;
      return refused('SLUICE_CONFIG_RANGE', why);
    },
    { type: 'string', pattern: sizePattern, ...meta },
  );
}

/** Counts have no natural bound; this one is beyond every machine and fits 31 bits. */
export const countRange = { min: 1, max: 1_000_000_000 };

/** The same key in short (a scalar) or in full (a map or a list). */
export function either<A extends z.ZodType, B extends z.ZodType>(short: A, full: B, meta: object) {
  return z.union([short, full]).meta({ ...meta });
}
