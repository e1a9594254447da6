// Controller: holds what is configured, measured and wished, and keeps the engine's table true to
// it. Every change becomes one whole new table, and one table is on its way at a time.
// A new configuration goes to the checker after the reload here has been applied, and not before:
// verdicts on targets that are not configured here are dropped.
import type { Clock, Timer } from '../clock.js';
import type { Engine } from '../engine/engine.js';
import { SluiceError } from '../errors.js';
import type { Logger } from '../log/logger.js';
import type { ResolvedNames } from '../model/address-text.js';
import type { Config } from '../model/config.js';
import { type DrainOutcome, type DrainRules, endedDrain } from '../model/drain.js';
import type { HealthChange, RoleReport } from '../model/health.js';
import type { Status, StatusScope } from '../model/status.js';
import type { Table } from '../model/table.js';
import type { AdminState } from '../model/target.js';
import { BoundPorts } from './bound-ports.js';
import { buildTable, type Facts } from './build-table.js';
import { DownTargets } from './down-targets.js';
import type { EjectionRecords } from './ejection-records.js';
import { Ejector } from './ejector.js';
import { Generations } from './generations.js';
import { type Ids, listenerSlots, noIds } from './ids.js';
import { JobQueue } from './job-queue.js';
import { placementOf } from './placement.js';
import { listenerAt, makePlan, type Plan, slottedTargets } from './plan.js';
import { engineRefusal, type ReloadOutcome, refusal } from './reload-outcome.js';
import { Retirements, retiredSlots } from './retirements.js';
import { SlotOwners, type TargetOwner } from './slot-owners.js';
import { buildStatus, type ProbeDetailOf } from './status.js';
import { logApplied, logRejected } from './table-log.js';
import { type Beliefs, type RestoredBeliefs, TargetBeliefs } from './target-beliefs.js';
import { type DrainRecords, TargetDrains } from './target-drains.js';

export interface ControllerOptions {
  readonly clock: Clock;
  readonly engine: Engine;
  readonly log: Logger;
  /** What discovery knows now. It alone keeps that; lookAgain() says when to look again. */
  readonly names: () => ResolvedNames;
  readonly probeDetail: ProbeDetailOf;
  /** What agents have said, by targetKey; kept as names are. */
  readonly agents: () => Facts['agents'];
  /** Something of beliefs(), ejectionRecords() or drainRecords() is another now. */
  readonly onBeliefsChanged?: () => void;
}

/** Changes within this time of the first go into one table. */
const joinMs = 20;
/** A table that the engine refused, although no configuration was at fault, is tried again. */
const retryMs = 1000;
/** Configurations that may wait for their turn; a further one is refused as `busy`. */
const waitingMax = 8;

const shuttingDown = refusal('shutting_down', 'sluice is shutting down');

/** A configuration that is new, or the one in force with what has changed around it. */
type Purpose = 'reload' | 'refresh';

export class Controller {
  readonly #options: ControllerOptions;
  readonly #generations = new Generations();
  readonly #owners: SlotOwners;
  readonly #ports = new BoundPorts();
  readonly #retirements: Retirements;
  readonly #ejector: Ejector;
  readonly #drains: TargetDrains;
  readonly #downTargets: DownTargets;
  readonly #beliefs: TargetBeliefs;
  #inForce: { readonly plan: Plan; readonly table: Table } | null = null;
  /** Of the table on its way: its listeners are reported as bound before it counts as applied. */
  #sending: Plan | null = null;
  #listening = true;
  /** Changes so far, and how many of them the newest table that was sent has. */
  #changes = 0;
  #changesSent = 0;
  #joinTimer: Timer | null = null;
  #waiting = 0;
  readonly #jobs = new JobQueue();
  #closed = false;

  constructor(options: ControllerOptions) {
    const { counters } = options.engine;
    this.#options = options;
    this.#owners = new SlotOwners(counters);
    this.#retirements = new Retirements(options);
    const onEjection = () => {
      this.#changed();
      options.onBeliefsChanged?.();
    };
    this.#ejector = new Ejector({ ...options, counters, onChange: onEjection });
    this.#drains = new TargetDrains({ ...options, onChange: () => void this.#changed() });
    this.#downTargets = new DownTargets({ ...options, drains: this.#drains });
    this.#beliefs = new TargetBeliefs({
      ...options,
      slotOf: (key) => this.#ids().targets.used.get(key),
      changed: () => this.#changed(),
      wanted: () => this.generation.wanted,
      whenApplied: (generation) => this.#generations.whenApplied(generation),
    });
  }

  /** What has been measured, said and wished: what a later process should know. */
  beliefs(): Beliefs {
    return this.#beliefs.current();
  }

  ejectionRecords(): EjectionRecords {
    return this.#ejector.records();
  }

  drainRecords(): DrainRecords {
    return this.#drains.records();
  }

  /** Beliefs of an earlier process. Before start(), which drops what names no target of ours. */
  restore(beliefs: RestoredBeliefs): void {
    this.#beliefs.restore(beliefs);
    if (beliefs.ejections) this.#ejector.restore(beliefs.ejections);
    if (beliefs.drains) this.#drains.restore(beliefs.drains);
  }

  /** The first configuration. Resolves when every worker has its table, or with why not. */
  start(config: Config): Promise<ReloadOutcome> {
    return this.#replace(config);
  }

  /**
   * Replaces the configuration, as a whole or not at all: a refusal leaves everything as it was,
   * slots included. Health and admin states of targets that stay (same pool, name and address) are
   * kept. Connections of listeners and targets that go may end by themselves for
   * `shutdown.drain_timeout`, then they are closed; a target whose name resolves to another address
   * goes in the same way.
   */
  async reload(config: Config): Promise<ReloadOutcome> {
    const outcome = await this.#replace(config);
    if (!outcome.applied) {
      const { reason, message } = outcome;
      this.#options.log.event('reload_refused', { reason, message });
    }
    return outcome;
  }

  /** Takes a verdict of the checker. Returns the generation from which on it holds. */
  setHealth(change: HealthChange): number {
    return this.#beliefs.setHealth(change);
  }

  /** Takes what a probe learnt of a target's role. */
  setRole(report: RoleReport): void {
    this.#beliefs.setRole(report);
  }

  /** Takes an operator's wish. Returns the generation from which on it holds, null: no target. */
  setAdminState(pool: string, target: string, adminState: AdminState): number | null {
    const key = this.#beliefs.find(pool, target)?.key ?? null;
    if (adminState === 'enabled' && key !== null) this.#drains.cancel(key, 'operator');
    return this.#beliefs.setAdminState(pool, target, adminState);
  }

  /**
   * Drains a target: see TargetDrains. Resolves when every worker knows that it takes no new
   * clients, null: no such target. What `rules` leaves open is as its pool has it.
   */
  async drain(
    pool: string,
    target: string,
    rules: Partial<DrainRules>,
  ): Promise<{ readonly finished: Promise<DrainOutcome> } | null> {
    const generation = this.setAdminState(pool, target, 'draining');
    if (generation === null) return null;
    const applied = await this.#generations.whenApplied(generation);
    if (!applied) return endedDrain('stopped');
    const found = this.#beliefs.find(pool, target);
    if (found === null) return endedDrain('removed');
    if (found.adminState === 'enabled') return endedDrain('cancelled');
    const { key, place } = found;
    const slot = key === null ? undefined : this.#ids().targets.used.get(key);
    // Without an address there is nothing to it.
    if (key === null || slot === undefined) return endedDrain('drained');
    const all = { ...place.pool.drain, ...rules };
    const finished = this.#drains.begin({ key, pool, target, slot }, all, 'operator');
    this.#options.onBeliefsChanged?.();
    return { finished };
  }

  /** A probe that began at `startedMs` has passed; the target by targetKey. */
  probePassed(key: string, pool: string, startedMs: number): void {
    this.#ejector.probePassed(key, pool, startedMs);
  }

  /** A connect that failed through no fault of ours, or an ICMP error. */
  connectFailed(targetSlot: number): void {
    this.#ejector.connectFailed(targetSlot);
  }

  /** Names resolve anew, or agents say more. Returns the generation from which on that holds. */
  lookAgain(): number {
    return this.#changed();
  }

  /**
   * Closes all listeners; connections and sessions live on. For a shutdown: there is no way back,
   * and configurations are refused from now on. Resolves true when no worker listens any more.
   */
  async drainListeners(): Promise<boolean> {
    this.#listening = false;
    const generation = this.#changed();
    this.#flush();
    await this.#jobs.idle();
    // Never started, or refused: nothing listens.
    if (this.#inForce === null) return true;
    return this.#generations.whenApplied(generation);
  }

  /** The engine's listenerBound event. */
  listenerBound(slot: number, bindIndex: number, port: number): void {
    const plan = this.#sending ?? this.#inForce?.plan;
    const listener = plan && listenerAt(plan, slot);
    if (listener) this.#ports.record(listener, bindIndex, port);
  }

  /** Whose slot an event or a record names; removed targets and listeners are known for a while. */
  targetAt(slot: number): TargetOwner | null {
    return this.#owners.target(slot);
  }

  listenerAt(slot: number): string | null {
    return this.#owners.listener(slot);
  }

  /** Connections and sessions open now, those of removed listeners included. */
  active(): number {
    const { counters } = this.#options.engine;
    const slots = listenerSlots(this.#ids());
    return slots.reduce((sum, slot) => sum + counters.listenerActive(slot), 0);
  }

  /** Of the table in force, and how its targets stand now; null before the first. */
  placement() {
    return placementOf(this.#facts(), this.#ports);
  }

  /** `wanted` is above `applied` while a change is not yet everywhere. */
  get generation(): { readonly wanted: number; readonly applied: number } {
    const { applied, sent, next } = this.#generations;
    return { wanted: this.#changes === this.#changesSent ? sent : next, applied };
  }

  /** Resolves true once this generation or a later one is applied, false if it will never be. */
  whenApplied(generation: number): Promise<boolean> {
    return this.#generations.whenApplied(generation);
  }

  /** The table that every worker has, and what it was made from; null before the first. */
  get inForce(): { readonly plan: Plan; readonly table: Table } | null {
    return this.#inForce;
  }

  snapshot(scope?: StatusScope): Status {
    const { engine, probeDetail } = this.#options;
    const sources = {
      generation: this.generation,
      facts: this.#facts(),
      drains: this.#drains.states(),
      counters: engine.counters,
      workers: engine.workers,
      owners: this.#owners,
      ports: this.#ports,
      probeDetail,
    };
    return buildStatus(sources, scope);
  }

  /** No table is sent after this. The engine is not closed: it is not ours. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#joinTimer?.cancel();
    this.#joinTimer = null;
    this.#retirements.close();
    this.#ejector.close();
    this.#drains.close();
    this.#generations.close();
  }

  #changed(): number {
    this.#changes++;
    this.#flushAfter(joinMs);
    return this.#generations.next;
  }

  #flushAfter(delayMs: number): void {
    if (this.#closed || this.#inForce === null || this.#joinTimer !== null) return;
    this.#joinTimer = this.#options.clock.after(delayMs, () => this.#flush());
  }

  #flush(): void {
    this.#joinTimer?.cancel();
    this.#joinTimer = null;
    void this.#jobs.run(async () => {
      if (this.#inForce === null || this.#changes === this.#changesSent) return;
      await this.#apply(this.#inForce.plan.config, 'refresh');
    });
  }

  async #replace(config: Config): Promise<ReloadOutcome> {
    if (this.#waiting >= waitingMax) {
      return refusal('busy', `${waitingMax} other configurations wait to be applied`);
    }
    this.#waiting++;
    try {
      return await this.#jobs.run(() => this.#apply(config, 'reload'));
    } finally {
      this.#waiting--;
    }
  }

  async #apply(config: Config, purpose: Purpose): Promise<ReloadOutcome> {
    if (this.#closed || (purpose === 'reload' && !this.#listening)) return shuttingDown;
    const { clock, engine, log, names } = this.#options;
    const startedMs = clock.nowMs();
    const generation = this.#generations.take();
    const before = { inForce: this.#inForce, changesSent: this.#changesSent };
    this.#changesSent = this.#changes;
    const planned = makePlan({
      config,
      inForce: before.inForce,
      ...this.beliefs(),
      ejections: this.#ejector.ejections(),
      closing: this.#drains.closing(),
      names: names(),
      agents: this.#options.agents(),
      listening: this.#listening,
      engine,
    });
    const outcome = planned.ok ? await this.#send(planned.plan, generation) : planned.refusal;
    this.#generations.settle(generation, outcome.applied);
    if (this.#closed) return shuttingDown;
    if (outcome.applied && planned.ok) {
      const durationMs = clock.nowMs() - startedMs;
      const was = before.inForce?.plan ?? null;
      const isReload = purpose === 'reload';
      logApplied(log, { plan: planned.plan, before: was, generation, durationMs, isReload });
    } else if (!outcome.applied) {
      this.#changesSent = before.changesSent;
      logRejected(log, outcome, { generation, retryMs: purpose === 'refresh' ? retryMs : 0 });
    }
    const again = !outcome.applied && purpose === 'refresh' ? retryMs : joinMs;
    if (this.#changes !== this.#changesSent) this.#flushAfter(again);
    return outcome;
  }

  async #send(plan: Plan, generation: number): Promise<ReloadOutcome> {
    const table = buildTable({ ...plan, generation });
    const ids = { before: this.#ids(), after: plan.ids };
    const bases = this.#owners.prepare(ids, plan.config, plan.names);
    this.#sending = plan;
    try {
      const outcome = await this.#options.engine.apply(table);
      if (!outcome.applied) {
        const { listenerSlot } = outcome;
        const listener = listenerSlot === null ? undefined : listenerAt(plan, listenerSlot);
        return engineRefusal(outcome, listener);
      }
      this.#owners.adopt(bases);
      this.#adopt(plan, table);
      return outcome;
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      if (error.code === 'SLUICE_TABLE_TOO_LARGE') return refusal('too_large', error.message);
      if (error.code === 'SLUICE_ENGINE_CLOSED') return shuttingDown;
      throw error;
    } finally {
      this.#sending = null;
    }
  }

  /** Every worker has the table: what was planned is now so. */
  #adopt(plan: Plan, table: Table): void {
    if (this.#closed) return;
    const { config, ids } = plan;
    this.#inForce = { plan, table };
    this.#beliefs.adopt(config, ids.targets.used);
    this.#ports.keep(config.listeners);
    const slotted = slottedTargets(plan);
    this.#ejector.follow(config.pools, slotted);
    this.#drains.follow(slotted);
    this.#downTargets.follow(plan);
    this.#retirements.follow(retiredSlots(ids, this.#owners), config.shutdown.drainTimeoutMs);
  }

  #facts(): Plan | null {
    const ejections = this.#ejector.ejections();
    return this.#inForce && { ...this.#inForce.plan, ...this.beliefs(), ejections };
  }

  #ids(): Ids {
    return this.#inForce?.plan.ids ?? noIds;
  }
}
