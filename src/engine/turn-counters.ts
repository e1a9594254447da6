// Reads what workers know of turns: the signals that all of them share.
import type { EngineCounters } from './engine.js';
import type { Layout, RegionLayout } from './layout.js';

export interface TurnSources {
  readonly words: Uint32Array;
  readonly constants: Layout['constants'];
  readonly region: RegionLayout;
  /** Throws a RangeError for a slot that does not exist. */
  checkSlot(slot: number, limit: number): void;
}

type TurnCounters = Pick<EngineCounters, 'targetActiveTurns' | 'targetResponseUs'>;

export function openTurnCounters(sources: TurnSources): TurnCounters {
  const { words, constants, region, checkSlot } = sources;

  /** A number `offset` bytes into a target's signals. */
  function signal(slot: number, offset: number): number {
    checkSlot(slot, constants.target_slots_max);
    const at = region.turn_signals + slot * constants.turn_signals_bytes + offset;
    return Atomics.load(words, at / 4);
  }

  return {
    targetActiveTurns: (slot) => signal(slot, constants.turn_signals_active_turns),
    targetResponseUs: (slot) => signal(slot, constants.turn_signals_response_us),
  };
}
