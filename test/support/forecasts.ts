// Forecasts for tests, in a line each.
import type { CandidateNote, Forecast } from '../../src/model/forecast.js';

export function noteOf(slot: number, overrides: Partial<CandidateNote> = {}): CandidateNote {
  return {
    slot,
    tier: 0,
    weight: 1,
    maxConnections: 0,
    active: 0,
    load: 0,
    standing: 'usable',
    score: null,
    ...overrides,
  };
}

/** The only pool's first candidate is picked. */
export function forecastOf(overrides: Partial<Forecast> = {}): Forecast {
  return {
    outcome: 'picked',
    generation: 1,
    poolSlot: 0,
    targetSlot: 0,
    sticky: { step: 'none', targetSlot: null },
    firstTier: 0,
    tier: 0,
    candidates: [noteOf(0)],
    waiting: 0,
    listenerActive: 0,
    sessionsUnseen: false,
    ...overrides,
  };
}
