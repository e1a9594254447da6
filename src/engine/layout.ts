// The shared memory's layout as the addon describes it, narrowed from `unknown` once. All numbers
// come from native/shared/layout.h and native/table/table_image.h; names are in layout-names.ts.
import { constantNames, enumNames, recordFields, regionNames, rowNames } from './layout-names.js';

const fieldTypes = ['u8', 'u16', 'u32', 'u64', 'i32', 'f64'] as const;

export type FieldType = (typeof fieldTypes)[number];

export interface Field {
  readonly type: FieldType;
  readonly offset: number;
  /** More than 1: an array. */
  readonly count: number;
}

export interface RecordLayout<Name extends string> {
  readonly bytes: number;
  readonly fields: Readonly<Record<Name, Field>>;
}

type RecordName = keyof typeof recordFields;
type EnumName = keyof typeof enumNames;

export type Records = {
  readonly [R in RecordName]: RecordLayout<(typeof recordFields)[R][number]>;
};

export interface EnumLayout<Name extends string> {
  readonly values: Readonly<Record<Name, number>>;
  /** The name of a value; undefined for one that nobody declared. */
  readonly nameOf: ReadonlyMap<number, string>;
}

export type Enums = { readonly [E in EnumName]: EnumLayout<(typeof enumNames)[E][number]> };

export interface CounterField {
  readonly name: string;
  readonly unit: string;
  readonly help: string;
  /** Bytes from the start of its row. */
  readonly offset: number;
}

export interface CounterRow {
  /** From one row to the next. */
  readonly bytes: number;
  readonly counters: readonly CounterField[];
}

export interface Layout {
  readonly constants: Readonly<Record<(typeof constantNames)[number], number>>;
  readonly enums: Enums;
  readonly records: Records;
  readonly counters: Readonly<Record<(typeof rowNames)[number], CounterRow>>;
}

/** Offsets in the region of one engine; they depend on its number of workers. */
export type RegionLayout = Readonly<Record<(typeof regionNames)[number], number>>;

function fail(path: string, expected: string): never {
  throw new TypeError(`the addon's layout does not fit this version: ${path} is not ${expected}`);
}

function asObject(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) fail(path, 'an object');
  return value as Readonly<Record<string, unknown>>;
}

function asArray(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) fail(path, 'an array');
  return value;
}

function asNumber(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    fail(path, 'a whole number');
  }
  return value;
}

function asString(value: unknown, path: string): string {
  if (typeof value !== 'string') fail(path, 'a string');
  return value;
}

/** One value per name, with exactly these names as keys. */
function perName<Name extends string, Value>(
  names: readonly Name[],
  make: (name: Name) => Value,
): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>;
}

function parseNumbers<Name extends string>(
  raw: unknown,
  names: readonly Name[],
  path: string,
): Record<Name, number> {
  const object = asObject(raw, path);
  return perName(names, (name) => asNumber(object[name], `${path}.${name}`));
}

function parseField(raw: unknown, path: string): Field {
  const field = asObject(raw, path);
  const type = fieldTypes.find((known) => known === field.type);
  if (type === undefined) fail(`${path}.type`, fieldTypes.join(', '));
  return {
    type,
    offset: asNumber(field.offset, `${path}.offset`),
    count: asNumber(field.count, `${path}.count`),
  };
}

function parseRecord<Name extends string>(
  raw: unknown,
  names: readonly Name[],
  path: string,
): RecordLayout<Name> {
  const record = asObject(raw, path);
  const fields = asObject(record.fields, `${path}.fields`);
  return {
    bytes: asNumber(record.bytes, `${path}.bytes`),
    fields: perName(names, (name) => parseField(fields[name], `${path}.${name}`)),
  };
}

function parseEnum<Name extends string>(
  raw: unknown,
  names: readonly Name[],
  path: string,
): EnumLayout<Name> {
  const object = asObject(raw, path);
  return {
    values: parseNumbers(object, names, path),
    nameOf: new Map(
      Object.entries(object).map(([name, value]) => [asNumber(value, `${path}.${name}`), name]),
    ),
  };
}

function parseCounterRow(raw: unknown, path: string): CounterRow {
  const row = asObject(raw, path);
  const counters = asArray(row.counters, `${path}.counters`).map((item, index) => {
    const at = `${path}.counters[${index}]`;
    const counter = asObject(item, at);
    return {
      name: asString(counter.name, `${at}.name`),
      unit: asString(counter.unit, `${at}.unit`),
      help: asString(counter.help, `${at}.help`),
      offset: asNumber(counter.offset, `${at}.offset`),
    };
  });
  return { bytes: asNumber(row.bytes, `${path}.bytes`), counters };
}

/** Narrows what the addon's `layout()` returned; throws a TypeError that names what is missing. */
export function parseLayout(raw: unknown): Layout {
  const layout = asObject(raw, 'layout');
  const enums = asObject(layout.enums, 'enums');
  const records = asObject(layout.records, 'records');
  const rows = asObject(layout.counters, 'counters');
  return {
    constants: parseNumbers(layout.constants, constantNames, 'constants'),
    enums: perName(Object.keys(enumNames) as EnumName[], (name) =>
      parseEnum<string>(enums[name], enumNames[name], `enums.${name}`),
    ) as Enums,
    records: perName(Object.keys(recordFields) as RecordName[], (name) =>
      parseRecord<string>(records[name], recordFields[name], `records.${name}`),
    ) as Records,
    counters: perName(rowNames, (name) => parseCounterRow(rows[name], `counters.${name}`)),
  };
}

/** Narrows the region offsets that the addon's `start()` returned. */
export function parseRegionLayout(raw: unknown): RegionLayout {
  return parseNumbers(raw, regionNames, 'region');
}
