// TargetDrains: drains of targets that are configured. Connections and sessions may end by
// themselves until a deadline, then what is left is closed little by little, each at a moment
// drawn by lot, so that clients who come again do not come as a crowd.
import type { Clock, Timer } from '../clock.js';
import type { Engine } from '../engine/engine.js';
import type { Logger } from '../log/logger.js';
import {
  type DrainCause,
  type DrainOutcome,
  type DrainPhase,
  type DrainResult,
  type DrainRules,
  endedDrain,
} from '../model/drain.js';
import type { EjectorTarget } from './ejector.js';

export interface TargetDrainsOptions {
  readonly clock: Clock;
  readonly engine: Pick<Engine, 'counters' | 'closeConnections'>;
  readonly log: Logger;
  /** closing() has changed: another table is needed. */
  readonly onChange: () => void;
}

/** What /status says of one. */
export interface DrainState {
  readonly cause: DrainCause;
  readonly phase: DrainPhase;
  readonly since: Date;
  readonly deadline: Date | null;
  /** Closed so far. */
  readonly closed: number;
}

/** What of a drain outlives the process: its connections do not, its deadline does. */
export interface DrainRecord {
  readonly since: Date;
  readonly deadline: Date | null;
  readonly closeOverMs: number;
}

/** By targetKey. */
export type DrainRecords = ReadonlyMap<string, DrainRecord>;

interface TargetDrain {
  readonly target: EjectorTarget;
  readonly cause: DrainCause;
  readonly rules: DrainRules;
  readonly since: Date;
  readonly startedMs: number;
  /** What had been closed in the slot before. */
  readonly closedBefore: number;
  /** From an earlier process: nothing was open at its begin, and clients may yet come back. */
  readonly resumed: boolean;
  phase: DrainPhase;
  outcome: DrainOutcome | null;
  readonly finished: Promise<DrainOutcome>;
  readonly resolve: (outcome: DrainOutcome) => void;
}

/** From one lot to the next. At most one in (close_over / 100 ms) is closed at once. */
const tickMs = 100;

export class TargetDrains {
  readonly #options: TargetDrainsOptions;
  /** By targetKey. */
  readonly #drains = new Map<string, TargetDrain>();
  /** Of an earlier process, until their targets are in a table. */
  readonly #restored = new Map<string, DrainRecord>();
  #timer: Timer | null = null;
  #closed = false;

  constructor(options: TargetDrainsOptions) {
    this.#options = options;
  }

  /** Drains of an earlier process. Before the first table: it is made by closing() already. */
  restore(records: DrainRecords): void {
    for (const [key, record] of records) this.#restored.set(key, record);
  }

  /** What a later process should know: the wishes of operators. */
  records(): DrainRecords {
    const records = new Map<string, DrainRecord>(this.#restored);
    for (const [key, { cause, since, rules }] of this.#drains) {
      if (cause !== 'operator') continue;
      const { closeOverMs } = rules;
      records.set(key, { since, deadline: deadlineOf(since, rules), closeOverMs });
    }
    return records;
  }

  /**
   * Of a target to which no worker sends new clients any more. One that drains already gets the new
   * rules from now on; who waits for it goes on waiting. An operator's drain is not replaced by one
   * for another cause. Resolves when it has ended.
   */
  begin(target: EjectorTarget, rules: DrainRules, cause: DrainCause): Promise<DrainOutcome> {
    const before = this.#drains.get(target.key);
    if (this.#closed) return endedDrain('stopped').finished;
    if (before?.cause === 'operator' && cause !== 'operator') return before.finished;
    const { clock, log } = this.#options;
    let resolve: (outcome: DrainOutcome) => void = () => undefined;
    const finished = new Promise<DrainOutcome>((settle) => {
      resolve = settle;
    });
    // Who waits for the drain before waits for this one.
    if (before !== undefined && before.outcome === null) void finished.then(before.resolve);
    const drain: TargetDrain = {
      target,
      cause,
      rules,
      since: clock.wallTime(),
      startedMs: clock.nowMs(),
      closedBefore: this.#closedIn(target.slot),
      resumed: false,
      phase: 'waiting',
      outcome: null,
      finished,
      resolve,
    };
    this.#drains.set(target.key, drain);
    log.event('drain_started', {
      ...named(target),
      active: this.#options.engine.counters.targetActive(target.slot),
      timeoutMs: rules.deadlineMs ?? Number.POSITIVE_INFINITY,
    });
    if (before !== undefined && before.phase !== 'waiting') this.#options.onChange();
    this.#look(drain);
    this.#timer ??= this.#options.clock.after(tickMs, () => this.#poll());
    return finished;
  }

  /** The target is in use again: what is still open stays so. */
  cancel(key: string, cause: DrainCause): void {
    const drain = this.#drains.get(key);
    if (drain?.cause === cause) this.#end(key, drain, 'cancelled');
  }

  /** After every table: a target that is gone from it has no drain any more. */
  follow(targets: readonly EjectorTarget[]): void {
    this.#resume(targets);
    if (this.#drains.size === 0) return;
    const keys = new Set(targets.map(({ key }) => key));
    for (const [key, drain] of this.#drains) {
      if (!keys.has(key)) this.#end(key, drain, 'removed');
    }
  }

  states(): ReadonlyMap<string, DrainState> {
    return new Map(
      [...this.#drains].map(([key, drain]) => {
        const { cause, phase, since, rules, outcome } = drain;
        const deadline = deadlineOf(since, rules);
        const closed = outcome?.closed ?? this.#closedBy(drain);
        return [key, { cause, phase, since, deadline, closed }] as const;
      }),
    );
  }

  /** Past their deadline: clients do not stay on them either, or their closing would not end. */
  closing(): ReadonlySet<string> {
    const now = this.#options.clock.wallTime();
    const overdue = [...this.#restored].flatMap(([key, { deadline }]) =>
      deadline !== null && deadline <= now ? [key] : [],
    );
    const closing = [...this.#drains].flatMap(([key, { phase }]) =>
      phase === 'waiting' ? [] : [key],
    );
    return new Set([...overdue, ...closing]);
  }

  /** What is still open stays so. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
    for (const [key, drain] of this.#drains) this.#end(key, drain, 'stopped');
  }

  /** Silently: nothing begins, it only goes on. */
  #resume(targets: readonly EjectorTarget[]): void {
    if (this.#restored.size === 0) return;
    const { clock } = this.#options;
    for (const target of targets) {
      const record = this.#restored.get(target.key);
      if (record === undefined) continue;
      this.#restored.delete(target.key);
      if (this.#drains.has(target.key)) continue;
      const { since, deadline, closeOverMs } = record;
      const deadlineMs = deadline && Math.max(0, deadline.getTime() - since.getTime());
      const drain: TargetDrain = {
        target,
        cause: 'operator',
        rules: { deadlineMs, closeOverMs },
        since,
        startedMs: clock.nowMs() - Math.max(0, clock.wallTime().getTime() - since.getTime()),
        closedBefore: this.#closedIn(target.slot),
        resumed: true,
        phase: 'waiting',
        outcome: null,
        finished: endedDrain('stopped').finished,
        resolve: () => undefined,
      };
      this.#drains.set(target.key, drain);
      this.#timer ??= clock.after(tickMs, () => this.#poll());
    }
  }

  #closedIn(slot: number): number {
    return this.#options.engine.counters.target(slot).get('closed_by_operator') ?? 0;
  }

  #closedBy({ target, closedBefore }: TargetDrain): number {
    return this.#closedIn(target.slot) - closedBefore;
  }

  /** A finished one stays known until the target is in use again. */
  #end(key: string, drain: TargetDrain, result: DrainResult): void {
    const wasClosing = drain.phase !== 'waiting';
    const ended = drain.outcome !== null;
    this.#drains.delete(key);
    if (!ended) this.#settle(drain, result);
    if (wasClosing && result === 'cancelled') this.#options.onChange();
  }

  #settle(drain: TargetDrain, result: DrainResult): void {
    const { clock, engine, log } = this.#options;
    const closed = this.#closedBy(drain);
    const active = engine.counters.targetActive(drain.target.slot);
    const durationMs = clock.nowMs() - drain.startedMs;
    const outcome = { result, closed, active, durationMs };
    drain.outcome = outcome;
    if (result === 'drained' || result === 'closed') {
      log.event('drain_finished', { ...named(drain.target), cut: closed, durationMs });
    } else {
      log.event('drain_ended', { ...named(drain.target), result, cut: closed, active, durationMs });
    }
    drain.resolve(outcome);
  }

  #poll(): void {
    this.#timer = null;
    let waiting = false;
    for (const drain of this.#drains.values()) {
      if (drain.phase !== 'finished') this.#look(drain);
      waiting ||= drain.phase !== 'finished';
    }
    if (waiting && !this.#closed) {
      this.#timer = this.#options.clock.after(tickMs, () => this.#poll());
    }
  }

  #look(drain: TargetDrain): void {
    const { clock, engine, log, onChange } = this.#options;
    const { target, rules, startedMs, resumed } = drain;
    const active = engine.counters.targetActive(target.slot);
    const nowMs = clock.nowMs();
    const closeAtMs = startedMs + (rules.deadlineMs ?? Number.POSITIVE_INFINITY);
    if (active === 0 && (!resumed || nowMs >= closeAtMs)) {
      const wasWaiting = drain.phase === 'waiting';
      drain.phase = 'finished';
      this.#settle(drain, this.#closedBy(drain) > 0 ? 'closed' : 'drained');
      if (wasWaiting) onChange();
      return;
    }
    if (nowMs < closeAtMs) return;
    if (drain.phase === 'waiting') {
      drain.phase = 'closing';
      log.event('connections_closed', { ...named(target), active });
      onChange();
    }
    // With a chance of one in the ticks that are left each is as likely to be closed in one tick
    // as in another; the last takes all.
    const ticksLeft = Math.ceil((closeAtMs + rules.closeOverMs - nowMs) / tickMs);
    engine.closeConnections('target', target.slot, Math.max(1, ticksLeft));
  }
}

function deadlineOf(since: Date, { deadlineMs }: DrainRules): Date | null {
  return deadlineMs === null ? null : new Date(since.getTime() + deadlineMs);
}

function named({ pool, target }: EjectorTarget) {
  return { owner: 'target', name: `${pool}/${target}` } as const;
}
