// What `sluice top` remembers: rates of the last samples of each listener and target. Pure.
import { type Fields, fieldsOf, listOf, numberOf, textOf } from './answer-fields.js';
import { healthText, stateText } from './list-targets.js';

/** Samples that are kept: the width of a sparkline. */
export const samplesMax = 60;

export interface Series {
  readonly name: string;
  readonly kind: 'listener' | 'target';
  readonly place: string;
  readonly note: string;
  readonly trouble: boolean;
  readonly open: number;
  readonly p99Ms: number | null;
  /** Per second, the newest last. */
  readonly connections: readonly number[];
  readonly bytes: readonly number[];
}

interface Totals {
  readonly connections: number;
  readonly bytes: number;
}

export interface TopHistory {
  readonly atMs: number;
  readonly head: { readonly version: string; readonly ready: boolean; readonly generation: number };
  readonly series: readonly Series[];
  readonly totals: ReadonlyMap<string, Totals>;
}

function totalsOf(part: Fields): Totals {
  const counters = fieldsOf(part.totals);
  const number = (name: string): number => numberOf(counters[name]);
  return {
    connections: number('connections_opened') + number('sessions_opened'),
    bytes: number('to_target_bytes') + number('to_client_bytes'),
  };
}

interface Part {
  readonly kind: Series['kind'];
  readonly name: string;
  readonly fields: Fields;
}

function partsOf(status: Fields): readonly Part[] {
  const listeners = listOf(status.listeners).map(
    (fields): Part => ({ kind: 'listener', name: textOf(fields.name), fields }),
  );
  const targets = listOf(status.pools).flatMap((pool) =>
    listOf(pool.targets).map((fields): Part => {
      return { kind: 'target', name: `${textOf(pool.name)}/${textOf(fields.name)}`, fields };
    }),
  );
  return [...listeners, ...targets];
}

/** `status`: what GET /api/v1/status answered at `atMs`, monotonic. */
export function addSample(before: TopHistory | null, status: Fields, atMs: number): TopHistory {
  const seconds = before === null ? 0 : (atMs - before.atMs) / 1000;
  const known = new Map(before?.series.map((one) => [`${one.kind} ${one.name}`, one]));
  const totals = new Map<string, Totals>();
  const series = partsOf(status).map(({ kind, name, fields }): Series => {
    const key = `${kind} ${name}`;
    const now = totalsOf(fields);
    totals.set(key, now);
    const last = before?.totals.get(key);
    const old = known.get(key);
    const rate = (name: keyof Totals): readonly number[] => {
      const previous = old?.[name] ?? [];
      if (last === undefined || seconds <= 0) return previous;
      // Counters begin again where sluice has been started anew.
      return [...previous, Math.max(now[name] - last[name], 0) / seconds].slice(-samplesMax);
    };
    const { p99Ms } = fieldsOf(fields.responses);
    return {
      name,
      kind,
      place: kind === 'target' ? textOf(fields.address) : addressesOf(fields),
      note: kind === 'target' ? `${stateText(fields)}, ${healthText(fields)}` : textOf(fields.pool),
      trouble: kind === 'target' && fields.eligible !== true,
      open: numberOf(fields.active),
      p99Ms: typeof p99Ms === 'number' ? p99Ms : null,
      connections: rate('connections'),
      bytes: rate('bytes'),
    };
  });
  const generation = numberOf(fieldsOf(status.generation).applied);
  const head = { version: textOf(status.version), ready: status.ready === true, generation };
  return { atMs, head, series, totals };
}

function addressesOf({ addresses }: Fields): string {
  return Array.isArray(addresses) ? addresses.map(textOf).join(', ') : '';
}
