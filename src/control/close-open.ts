// close-open: closes what is open of a listener or on a target, TCP and UDP, also where that was
// removed and its connections live on. The workers do it in their turns and do not report, so the
// answer is how many were open when they were told.
import type { Engine } from '../engine/engine.js';
import type { CloseWish } from '../model/close-wish.js';
import type { Controller } from './controller.js';

/** What a controller knows of slots. */
type SlotKnowledge = Pick<Controller, 'inForce' | 'targetAt'>;

/** How many were told to close; null: there is no such listener or target. */
export function closeOpen(
  engine: Pick<Engine, 'counters' | 'closeConnections'>,
  knowledge: SlotKnowledge,
  wish: CloseWish,
): number | null {
  const isListener = 'listener' in wish;
  const slots = isListener ? listenerSlots(knowledge, wish) : targetSlots(knowledge, wish);
  if (slots === null) return null;
  let told = 0;
  for (const slot of slots) {
    told += isListener ? engine.counters.listenerActive(slot) : engine.counters.targetActive(slot);
    engine.closeConnections(isListener ? 'listener' : 'target', slot);
  }
  return told;
}

function listenerSlots({ inForce }: SlotKnowledge, { listener }: { readonly listener: string }) {
  const { used, retired } = inForce?.plan.ids.listeners ?? {};
  const slot = used?.get(listener) ?? retired?.get(listener);
  return slot === undefined ? null : [slot];
}

/** Several where a name resolves to another address by now; none where it never has. */
function targetSlots(
  knowledge: SlotKnowledge,
  { pool, target }: { readonly pool: string; readonly target: string },
): readonly number[] | null {
  const { inForce } = knowledge;
  const { used = new Map(), retired = new Map() } = inForce?.plan.ids.targets ?? {};
  const slots = [...used.values(), ...retired.values()].filter((slot) => {
    const owner = knowledge.targetAt(slot);
    return owner?.pool === pool && owner.target === target;
  });
  const configured = inForce?.plan.config.pools
    .find(({ name }) => name === pool)
    ?.targets.some(({ name }) => name === target);
  return slots.length > 0 || configured === true ? slots : null;
}
