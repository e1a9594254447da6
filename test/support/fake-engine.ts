// FakeEngine: an Engine without threads or sockets. It keeps the tables it was given, checks them
// as native does, counts what a test says, and answers when and how a test says.
import type {
  CloseScope,
  Engine,
  EngineCounters,
  ExplainRequest,
  PingOutcome,
  TableOutcome,
} from '../../src/engine/engine.js';
import type { IpAddress } from '../../src/model/address.js';
import type { Forecast } from '../../src/model/forecast.js';
import { emptyHistogram } from '../../src/model/histogram.js';
import type { Table } from '../../src/model/table.js';
import { noEndHistograms } from './no-ends.js';

type Refusal = Partial<Omit<Extract<TableOutcome, { applied: false }>, 'applied' | 'generation'>>;

export class FakeEngine implements Engine {
  readonly workers = 2;
  readonly features = [];
  readonly limits: Engine['limits'];
  readonly counters: EngineCounters;
  /** Every table that was sent, refused ones too. */
  readonly sent: Table[] = [];
  /** What closeConnections was asked for; the connections it names are gone then. */
  readonly closed: { readonly scope: CloseScope; readonly slot: number }[] = [];
  /** The same for a share of them: a test says who has gone. */
  readonly thinned: { readonly slot: number; readonly oneIn: number }[] = [];
  /** Called for every bind with port 0 of an accepted table that is new. */
  onBound: (listenerSlot: number, bindIndex: number, port: number) => void = () => undefined;
  pingResult: { outcome: PingOutcome; latencyMs: number } = { outcome: 'answered', latencyMs: 1 };
  /** What explain() was asked, and what it answers: a Forecast, or an error. */
  readonly explained: ExplainRequest[] = [];
  forecast: (request: ExplainRequest) => Forecast = () => {
    throw new Error('the test does not say what explain answers');
  };
  readonly #active = { listener: new Map<number, number>(), target: new Map<number, number>() };
  readonly #totals = {
    listener: new Map<number, number>(),
    target: new Map<number, number>(),
    pool: new Map<number, number>(),
  };
  readonly #closedByOperator = new Map<number, number>();
  readonly #stickyEntries = new Map<number, number>();
  readonly #refusals: (Refusal | Error)[] = [];
  #applied: Table | null = null;
  #gate: Promise<void> = Promise.resolve();
  #open: () => void = () => undefined;
  #nextPort = 40_000;
  #closedEngine = false;

  constructor(limits: Partial<Engine['limits']> = {}) {
    this.limits = { listeners: 64, pools: 64, targets: 1024, ...limits };
    this.counters = this.#makeCounters();
  }

  /** The table in force; throws before the first. */
  get table(): Table {
    if (this.#applied === null) throw new Error('no table has been applied');
    return this.#applied;
  }

  /** The next tables are answered only after release(). */
  hold(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  release(): void {
    this.#open();
    this.#gate = Promise.resolve();
  }

  /** Refuses the next table that would be answered. */
  refuseNext(refusal: Refusal | Error): void {
    this.#refusals.push(refusal);
  }

  setActive(owner: 'listener' | 'target', slot: number, count: number): void {
    this.#active[owner].set(slot, count);
  }

  /** So many connections of the target were closed by a command. */
  endByOperator(slot: number, count: number): void {
    if (count === 0) return;
    this.#closedByOperator.set(slot, (this.#closedByOperator.get(slot) ?? 0) + count);
    this.#active.target.set(slot, (this.#active.target.get(slot) ?? 0) - count);
  }

  setStickyEntries(slot: number, count: number): void {
    this.#stickyEntries.set(slot, count);
  }

  /** Sets the one counter that listeners, targets and pools of this engine have. */
  setTotal(owner: 'listener' | 'target' | 'pool', slot: number, count: number): void {
    this.#totals[owner].set(slot, count);
  }

  async apply(table: Table): Promise<TableOutcome> {
    checkTable(table, this.#applied, this.limits);
    this.sent.push(table);
    await this.#gate;
    const { generation } = table;
    const refusal = this.#refusals.shift();
    if (refusal instanceof Error) throw refusal;
    if (refusal) {
      const located = { listenerSlot: null, bindIndex: 0, error: '' };
      return { applied: false, generation, reason: 'no_memory', ...located, ...refusal };
    }
    this.#reportBinds(table);
    this.#applied = table;
    return { applied: true, generation };
  }

  closeConnections(scope: CloseScope, slot: number, oneIn = 1): void {
    if (oneIn > 1) {
      this.thinned.push({ slot, oneIn });
      return;
    }
    this.closed.push({ scope, slot });
    if (scope === 'target') this.endByOperator(slot, this.#active.target.get(slot) ?? 0);
    for (const owner of ['listener', 'target'] as const) {
      if (scope === 'all') this.#active[owner].clear();
      else if (scope === owner) this.#active[owner].delete(slot);
    }
  }

  async ping(_address: IpAddress, _timeoutMs: number) {
    return this.pingResult;
  }

  async explain(request: ExplainRequest): Promise<Forecast> {
    this.explained.push(request);
    return this.forecast(request);
  }

  async close(): Promise<void> {
    this.#closedEngine = true;
  }

  get isClosed(): boolean {
    return this.#closedEngine;
  }

  #reportBinds(table: Table): void {
    const before = this.#applied?.listeners ?? [];
    for (const { slot, listener } of table.listeners) {
      const known = before.find((other) => other.slot === slot)?.listener.binds ?? [];
      for (const [index, bind] of listener.binds.entries()) {
        if (bind.kind !== 'ip' || bind.port !== 0 || known.includes(bind)) continue;
        this.onBound(slot, index, this.#nextPort++);
      }
    }
  }

  #makeCounters(): EngineCounters {
    const one = (name: string) => [{ name, unit: 'count', help: '' }];
    const total = (owner: 'listener' | 'target') => (slot: number) =>
      new Map([['connections', this.#totals[owner].get(slot) ?? 0]]);
    const active = (owner: 'listener' | 'target') => (slot: number) =>
      this.#active[owner].get(slot) ?? 0;
    return {
      workerCounters: one('turns'),
      listenerCounters: one('connections'),
      targetCounters: one('connections'),
      poolCounters: one('picks'),
      closeReasons: ['client_closed'],
      worker: () => new Map([['turns', 1]]),
      listener: total('listener'),
      listenerCloseReasons: (slot) =>
        new Map([['client_closed', this.#totals.listener.get(slot) ?? 0]]),
      target: (slot) => {
        const values = total('target')(slot);
        const closed = this.#closedByOperator.get(slot);
        return closed === undefined ? values : values.set('closed_by_operator', closed);
      },
      pool: (slot) => new Map([['picks', this.#totals.pool.get(slot) ?? 0]]),
      stickyEntries: (slot) => this.#stickyEntries.get(slot) ?? 0,
      targetActive: active('target'),
      targetActiveTurns: () => 0,
      targetResponseUs: () => 0,
      targetResponses: () => emptyHistogram,
      targetConnects: () => emptyHistogram,
      targetConnectUs: () => 0,
      listenerEnds: () => noEndHistograms,
      listenerActive: active('listener'),
      listenerSums: () => () => undefined,
      targetSums: () => () => undefined,
      responseBuckets: 0,
      readTargetResponses: () => false,
      eventsDropped: () => 0,
    };
  }
}

/** What native validates, and what it relies on without being able to see it. */
export function checkTable(table: Table, previous: Table | null, limits: Engine['limits']): void {
  const fail = (what: string): never => {
    throw new Error(`table ${table.generation}: ${what}`);
  };
  if (previous && table.generation <= previous.generation) fail('generation does not rise');
  const kinds = [
    ['listener', table.listeners, limits.listeners],
    ['pool', table.pools, limits.pools],
    ['target', table.targets, limits.targets],
  ] as const;
  for (const [kind, items, limit] of kinds) {
    const slots = items.map(({ slot }) => slot);
    if (new Set(slots).size !== slots.length) fail(`two ${kind}s in one slot`);
    if (slots.some((slot) => !Number.isInteger(slot) || slot < 0 || slot >= limit)) {
      fail(`${kind} slot out of range`);
    }
  }
  for (const { pool } of table.listeners) {
    if (table.pools[pool] === undefined) fail('listener without a pool');
  }
  for (const { tiers } of table.pools) {
    const candidates = tiers.flatMap((tier) => tier.candidates);
    const indices = candidates.map(({ target }) => target);
    if (indices.some((index) => table.targets[index] === undefined)) fail('unknown candidate');
    if (new Set(indices).size !== indices.length) fail('a candidate twice');
    if (candidates.some(({ weight }) => weight < 1)) fail('weight below 1');
    if (tiers.length > 32) fail('too many tiers');
    if (tiers.some((tier) => tier.configured < tier.candidates.length)) fail('configured');
    if (tiers.some(({ share }) => !Number.isInteger(share) || share < 0)) fail('share');
    if (tiers.reduce((sum, { share }) => sum + share, 0) > 10_000) fail('shares above the whole');
  }
}
