// Reads a worker's explain area: see native/shared/explain_area.h.
import type { CandidateNote, Forecast } from '../model/forecast.js';
import type { Layout, RegionLayout } from './layout.js';
import { getNumber } from './record-fields.js';

export interface ExplainArea {
  /** Of the question that the area answers; 0 before the first. */
  id(): number;
  /** Only while it answers the question that was asked last: nobody writes then. */
  read(): Forecast;
}

export function openExplainArea(
  memory: ArrayBuffer,
  worker: number,
  layout: Layout,
  region: RegionLayout,
): ExplainArea {
  const { explain_answer: answer, explain_note: note } = layout.records;
  const at = region.first_explain + worker * region.explain_bytes;
  const view = new DataView(memory, at, region.explain_bytes);
  const words = new Uint32Array(memory);
  const idIndex = (at + answer.fields.id.offset) / 4;

  const number = (name: keyof typeof answer.fields) => getNumber(view, 0, answer.fields[name]);
  const slotOrNull = (slot: number) => (slot === layout.constants.no_slot ? null : slot);

  function candidate(index: number): CandidateNote {
    const { fields } = note;
    const of = (name: keyof typeof fields) =>
      getNumber(view, answer.bytes + index * note.bytes, fields[name]);
    return {
      slot: of('slot'),
      tier: of('tier'),
      weight: of('weight'),
      maxConnections: of('max_connections'),
      active: of('active'),
      load: of('load'),
      standing: nameOf(layout.enums.standing.values, of('standing')),
      score: of('scored') === 0 ? null : of('score'),
    };
  }

  return {
    // Pairs with the worker's release store: when the id is there, so is all of the answer.
    id: () => Atomics.load(words, idIndex),
    read: () => ({
      outcome: nameOf(layout.enums.explain_outcome.values, number('outcome')),
      generation: number('generation'),
      poolSlot: slotOrNull(number('pool_slot')),
      targetSlot: slotOrNull(number('target_slot')),
      sticky: {
        step: nameOf(layout.enums.sticky_step.values, number('sticky_step')),
        targetSlot: slotOrNull(number('sticky_slot')),
      },
      firstTier: number('first_tier'),
      tier: slotOrNull(number('tier')),
      candidates: Array.from({ length: number('notes_count') }, (_, index) => candidate(index)),
      waiting: number('waiting'),
      listenerActive: number('listener_active'),
      sessionsUnseen: number('sessions_unseen') !== 0,
    }),
  };
}

function nameOf<Name extends string>(values: Readonly<Record<Name, number>>, value: number): Name {
  const name = (Object.keys(values) as Name[]).find((one) => values[one] === value);
  if (name === undefined) throw new RangeError(`the engine says ${value}, which has no name`);
  return name;
}
