// Retirements: listeners and targets that the configuration no longer has, while connections of
// theirs live. They may end by themselves until the drain timeout, then they are closed.
import type { Clock, Timer } from '../clock.js';
import type { Engine } from '../engine/engine.js';
import type { Owner } from '../log/events.js';
import type { Logger } from '../log/logger.js';
import type { Ids } from './ids.js';
import type { SlotOwners } from './slot-owners.js';

export interface RetiredSlot {
  readonly owner: Owner;
  readonly slot: number;
  readonly name: string;
}

interface Retirement extends RetiredSlot {
  readonly startedMs: number;
  closeAtMs: number;
  phase: 'draining' | 'closing' | 'finished';
  cut: number;
}

export interface RetirementOptions {
  readonly clock: Clock;
  readonly engine: Pick<Engine, 'counters' | 'closeConnections'>;
  readonly log: Logger;
}

const pollMs = 100;

export class Retirements {
  readonly #options: RetirementOptions;
  readonly #retired = new Map<string, Retirement>();
  #timer: Timer | null = null;

  constructor(options: RetirementOptions) {
    this.#options = options;
  }

  /**
   * `slots` are all that are retired now, by a table that every worker has adopted. One that is new
   * has `timeoutMs` from now; one that is missing has come back, or is free.
   */
  follow(slots: readonly RetiredSlot[], timeoutMs: number): void {
    const { clock, log } = this.#options;
    const wanted = new Map(slots.map((retired) => [`${retired.owner} ${retired.slot}`, retired]));
    for (const id of this.#retired.keys()) {
      if (!wanted.has(id)) this.#retired.delete(id);
    }
    const nowMs = clock.nowMs();
    for (const [id, { owner, slot, name }] of wanted) {
      if (this.#retired.has(id)) continue;
      const active = this.#active(owner, slot);
      const phase = active > 0 ? 'draining' : 'finished';
      const times = { startedMs: nowMs, closeAtMs: nowMs + timeoutMs };
      this.#retired.set(id, { owner, slot, name, ...times, phase, cut: 0 });
      if (active > 0) log.event('drain_started', { owner, name, active, timeoutMs });
    }
    this.#poll();
  }

  /** Idempotent. What is still open stays so. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#retired.clear();
  }

  #active(owner: Owner, slot: number): number {
    const { counters } = this.#options.engine;
    return owner === 'listener' ? counters.listenerActive(slot) : counters.targetActive(slot);
  }

  #poll(): void {
    this.#timer?.cancel();
    this.#timer = null;
    let waiting = false;
    for (const retirement of this.#retired.values()) {
      if (retirement.phase !== 'finished') this.#look(retirement);
      waiting ||= retirement.phase !== 'finished';
    }
    if (waiting) this.#timer = this.#options.clock.after(pollMs, () => this.#poll());
  }

  #look(retirement: Retirement): void {
    const { clock, engine, log } = this.#options;
    const { owner, slot, name, startedMs } = retirement;
    const active = this.#active(owner, slot);
    const nowMs = clock.nowMs();
    if (active === 0) {
      retirement.phase = 'finished';
      const durationMs = nowMs - startedMs;
      log.event('drain_finished', { owner, name, cut: retirement.cut, durationMs });
    } else if (retirement.phase === 'draining' && nowMs >= retirement.closeAtMs) {
      retirement.phase = 'closing';
      retirement.cut = active;
      log.event('connections_closed', { owner, name, active });
      engine.closeConnections(owner, slot);
    }
  }
}

export function retiredSlots(
  { listeners, targets }: Ids,
  owners: Pick<SlotOwners, 'target'>,
): readonly RetiredSlot[] {
  const named = (owner: RetiredSlot['owner'], slot: number, name: string): RetiredSlot => {
    return { owner, slot, name };
  };
  return [
    ...[...listeners.retired].map(([name, slot]) => named('listener', slot, name)),
    ...[...targets.retired.values()].map((slot) => {
      const owner = owners.target(slot);
      return named('target', slot, owner ? `${owner.pool}/${owner.target}` : '');
    }),
  ];
}
