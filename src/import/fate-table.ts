// Tables of what becomes of keywords that sluice has no key for: written as rows, looked up by key.

export interface FixedFate {
  readonly fate: 'not_needed' | 'lost';
  readonly why: string;
  /** lost: what to do; otherwise empty. */
  readonly instead: string;
}

export function notNeeded(why: string): FixedFate {
  return { fate: 'not_needed', why, instead: '' };
}

export function lost(why: string, instead: string): FixedFate {
  return { fate: 'lost', why, instead };
}

/** Keys of one row are parted by commas. */
export type FateRow = readonly [keys: string, fate: FixedFate];

export function fateTable(rows: readonly FateRow[]): ReadonlyMap<string, FixedFate> {
  return new Map(rows.flatMap(([keys, fate]) => keys.split(', ').map((key) => [key, fate])));
}
