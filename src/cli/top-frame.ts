// One frame of `sluice top`, as one text: pure, and never wider or higher than the terminal.
import { milliseconds } from './answer-fields.js';
import { type Paint, visible } from './terminal.js';
import type { Series, TopHistory } from './top-history.js';

export const sortKeys = ['name', 'connections', 'bytes', 'open', 'p99'] as const;
export type SortKey = (typeof sortKeys)[number];

export interface TopView {
  readonly columns: number;
  readonly rows: number;
  readonly sort: SortKey;
  /** Targets that are scrolled past. */
  readonly offset: number;
  /** What the last question for news ended with; empty: all well. */
  readonly trouble: string;
}

const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** As high as the highest of them; the newest is at the right. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const top = Math.max(...shown, 0);
  const text = shown
    .map((value) => blocks[top === 0 ? 0 : Math.round((value / top) * (blocks.length - 1))] ?? ' ')
    .join('');
  return text.padStart(width);
}

const units = ['', 'k', 'M', 'G', 'T'];

/** Three or four characters and a unit. */
export function short(value: number): string {
  let rest = value;
  let unit = 0;
  while (rest >= 1000 && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  const text =
    rest >= 100 || Number.isInteger(rest) ? Math.round(rest).toString() : rest.toFixed(1);
  return text + (units[unit] ?? '');
}

function compare(sort: SortKey): (a: Series, b: Series) => number {
  const last = (values: readonly number[]): number => values.at(-1) ?? 0;
  switch (sort) {
    case 'connections':
      return (a, b) => last(b.connections) - last(a.connections);
    case 'bytes':
      return (a, b) => last(b.bytes) - last(a.bytes);
    case 'open':
      return (a, b) => b.open - a.open;
    case 'p99':
      return (a, b) => (b.p99Ms ?? -1) - (a.p99Ms ?? -1);
    case 'name':
      return () => 0;
  }
}

/** Cut, or filled up, to a width. */
function cell(text: string, width: number): string {
  const characters = [...visible(text)];
  if (characters.length <= width)
    return characters.join('') + ' '.repeat(width - characters.length);
  return `${characters.slice(0, Math.max(width - 1, 0)).join('')}${width > 0 ? '…' : ''}`;
}

interface Widths {
  readonly name: number;
  readonly spark: number;
  readonly place: number;
}

function line(widths: Widths, cells: readonly string[]): string {
  const [name = '', place = '', open = '', c = '', cs = '', b = '', bs = '', p99 = '', note = ''] =
    cells;
  return [
    cell(name, widths.name),
    ...(widths.place > 0 ? [cell(place, widths.place)] : []),
    open.padStart(6),
    c.padStart(7),
    ...(widths.spark > 0 ? [cs.padStart(widths.spark)] : []),
    b.padStart(7),
    ...(widths.spark > 0 ? [bs.padStart(widths.spark)] : []),
    p99.padStart(8),
    note,
  ].join(' ');
}

function seriesLine(widths: Widths, one: Series): string {
  return line(widths, [
    one.name,
    one.place,
    String(one.open),
    short(one.connections.at(-1) ?? 0),
    sparkline(one.connections, widths.spark),
    short(one.bytes.at(-1) ?? 0),
    sparkline(one.bytes, widths.spark),
    milliseconds(one.p99Ms),
    one.note,
  ]);
}

export function topFrame(history: TopHistory, view: TopView, paint: Paint): string {
  const { columns, rows, sort, offset, trouble } = view;
  const widths: Widths = {
    name: Math.max(Math.min(28, Math.floor(columns / 4)), 8),
    spark: columns >= 120 ? 16 : columns >= 90 ? 8 : 0,
    place: columns >= 140 ? 24 : 0,
  };
  const listeners = history.series.filter(({ kind }) => kind === 'listener');
  const targets = history.series.filter(({ kind }) => kind === 'target').sort(compare(sort));
  const { version, ready, generation } = history.head;
  const state = trouble === '' ? (ready ? 'ready' : 'not ready') : trouble;
  const head = `sluice ${version}  ${state}  generation ${generation}  ${targets.length} targets`;
  const titles = (what: string): string =>
    line(widths, [what, 'ADDRESS', 'OPEN', 'CONN/s', '', 'BYTES/s', '', 'P99', '']);
  const cut = (text: string): string => cell(text, columns).trimEnd();
  const lines = [
    paint(trouble === '' ? 'bold' : 'red', cut(head)),
    paint('dim', cut(titles('LISTENER'))),
  ];
  // Targets get half of the height at least.
  const listenerRows = Math.max(Math.min(listeners.length, Math.floor(rows / 2) - 4), 1);
  for (const one of listeners.slice(0, listenerRows)) lines.push(cut(seriesLine(widths, one)));
  lines.push(paint('dim', cut(titles(`TARGET (by ${sort})`))));
  const targetRows = Math.max(rows - lines.length - 1, 0);
  const from = Math.max(Math.min(offset, targets.length - targetRows), 0);
  for (const one of targets.slice(from, from + targetRows)) {
    const text = cut(seriesLine(widths, one));
    lines.push(one.trouble ? paint('red', text) : text);
  }
  const more = targets.length - from - targetRows;
  const keys = `q quit  s sort  up/down scroll${more > 0 ? `  (${more} more below)` : ''}`;
  return [...lines.slice(0, Math.max(rows - 1, 1)), paint('dim', cut(keys))].join('\n');
}
