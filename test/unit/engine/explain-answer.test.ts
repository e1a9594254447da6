// The explain area is read by the exported layout, whatever that is.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openExplainArea } from '../../../src/engine/explain-answer.js';
import { setNumber } from '../../../src/engine/record-fields.js';
import {
  type CandidateNote,
  candidateStandings,
  type Forecast,
  forecastOutcomes,
  stickySteps,
} from '../../../src/model/forecast.js';
import { fakeLayout, fakeRegion } from '../../support/fake-layout.js';

const layout = fakeLayout();
const region = fakeRegion(layout);
const { explain_answer: answerRecord, explain_note: noteRecord } = layout.records;
const noSlot = layout.constants.no_slot;

const u32 = fc.nat({ max: 0xfffffffe });
const slotOrNull = fc.option(u32);
const candidate: fc.Arbitrary<CandidateNote> = fc.record({
  slot: u32,
  tier: u32,
  weight: u32,
  maxConnections: u32,
  active: u32,
  load: u32,
  standing: fc.constantFrom(...candidateStandings),
  score: fc.option(fc.double({ noNaN: true })),
});
const forecast: fc.Arbitrary<Forecast> = fc.record({
  outcome: fc.constantFrom(...forecastOutcomes),
  generation: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  poolSlot: slotOrNull,
  targetSlot: slotOrNull,
  sticky: fc.record({ step: fc.constantFrom(...stickySteps), targetSlot: slotOrNull }),
  firstTier: u32,
  tier: slotOrNull,
  candidates: fc.array(candidate, { maxLength: layout.constants.target_slots_max }),
  waiting: u32,
  listenerActive: u32,
  sessionsUnseen: fc.boolean(),
});

/** Writes as the worker does. */
function write(memory: ArrayBuffer, worker: number, id: number, said: Forecast): void {
  const at = region.first_explain + worker * region.explain_bytes;
  const view = new DataView(memory);
  const { explain_outcome: outcomes, standing: standings, sticky_step: steps } = layout.enums;
  const answer = {
    id,
    outcome: outcomes.values[said.outcome],
    generation: said.generation,
    pool_slot: said.poolSlot ?? noSlot,
    target_slot: said.targetSlot ?? noSlot,
    sticky_step: steps.values[said.sticky.step],
    sticky_slot: said.sticky.targetSlot ?? noSlot,
    first_tier: said.firstTier,
    tier: said.tier ?? noSlot,
    notes_count: said.candidates.length,
    waiting: said.waiting,
    listener_active: said.listenerActive,
    sessions_unseen: said.sessionsUnseen ? 1 : 0,
  };
  for (const [name, value] of Object.entries(answer)) {
    setNumber(view, at, answerRecord.fields[name as keyof typeof answer], value);
  }
  for (const [index, one] of said.candidates.entries()) {
    const note = {
      slot: one.slot,
      tier: one.tier,
      weight: one.weight,
      max_connections: one.maxConnections,
      active: one.active,
      load: one.load,
      standing: standings.values[one.standing],
      scored: one.score === null ? 0 : 1,
      score: one.score ?? 0,
    };
    const noteAt = at + answerRecord.bytes + index * noteRecord.bytes;
    for (const [name, value] of Object.entries(note)) {
      setNumber(view, noteAt, noteRecord.fields[name as keyof typeof note], value);
    }
  }
}

describe('the explain area', () => {
  it('is read as the worker wrote it, each worker from its own', () => {
    fc.assert(
      fc.property(fc.tuple(forecast, forecast), ([first, second]) => {
        const memory = new ArrayBuffer(region.total_bytes);
        write(memory, 0, 7, first);
        write(memory, 1, 8, second);
        for (const [worker, said] of [first, second].entries()) {
          const area = openExplainArea(memory, worker, layout, region);
          expect(area.id()).toBe(7 + worker);
          expect(area.read()).toEqual(said);
        }
      }),
    );
  });

  it('answers no question before the first', () => {
    const memory = new ArrayBuffer(region.total_bytes);
    expect(openExplainArea(memory, 0, layout, region).id()).toBe(0);
  });

  it('that says what has no name is a mistake of ours and not passed on', () => {
    const memory = new ArrayBuffer(region.total_bytes);
    expect(() => openExplainArea(memory, 0, layout, region).read()).toThrow(RangeError);
  });
});
