// DownTargets: what happens to the connections and sessions of a target that goes down, by the
// `on_down` of its pool. Down is a target that probes, its agent or the rules about failed
// connections have taken out, and that gets no new client: where all of a pool are down and used
// nevertheless, closing would only make clients come back to the same.
import type { Engine } from '../engine/engine.js';
import type { Logger } from '../log/logger.js';
import { chooseTiers } from './choose-tiers.js';
import type { EjectorTarget } from './ejector.js';
import type { Plan } from './plan.js';
import type { TargetDrains } from './target-drains.js';
import { targetStates } from './target-states.js';

export interface DownTargetsOptions {
  readonly engine: Pick<Engine, 'counters' | 'closeConnections'>;
  readonly log: Logger;
  readonly drains: Pick<TargetDrains, 'begin' | 'cancel'>;
}

export class DownTargets {
  readonly #options: DownTargetsOptions;
  /** Keys of the targets that were down by the last table, in pools that act on it. */
  #down: ReadonlySet<string> = new Set();

  constructor(options: DownTargetsOptions) {
    this.#options = options;
  }

  /** Every worker has the table of this plan: no new connection reaches who is down in it. */
  follow(plan: Plan): void {
    const { drains } = this.#options;
    const down = new Set<string>();
    for (const pool of plan.config.pools) {
      if (pool.onDown === 'keep') continue;
      const states = targetStates(pool, plan);
      const chosen = new Set(chooseTiers(pool, states).flatMap(({ members }) => members));
      for (const [index, { key, record, target, health, ejection }] of states.entries()) {
        if (key === null || record === null || chosen.has(index)) continue;
        if (health !== 'unhealthy' && ejection === null) continue;
        down.add(key);
        if (this.#down.has(key)) continue;
        const named = { key, pool: pool.name, target: target.name, slot: record.slot };
        if (pool.onDown === 'drain') void drains.begin(named, pool.drain, 'down');
        else this.#close(named);
      }
    }
    for (const key of this.#down) if (!down.has(key)) drains.cancel(key, 'down');
    this.#down = down;
  }

  #close({ pool, target, slot }: EjectorTarget): void {
    const { engine, log } = this.#options;
    const active = engine.counters.targetActive(slot);
    if (active > 0) {
      log.event('connections_closed', { owner: 'target', name: `${pool}/${target}`, active });
    }
    engine.closeConnections('target', slot);
  }
}
