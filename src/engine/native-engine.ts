// The engine over the native addon: commands and table images go down through the shared region,
// answers and events come up through its rings. The data plane never waits for anything here.
import type { Clock, Timer } from '../clock.js';
import { SluiceError } from '../errors.js';
import type { IpAddress } from '../model/address.js';
import type { Forecast } from '../model/forecast.js';
import type { Table } from '../model/table.js';
import type { Addon, RunningEngine } from './addon.js';
import { CommandRing } from './command-ring.js';
import { openCounters } from './counters.js';
import type {
  CloseScope,
  Engine,
  EngineCounters,
  EngineEvents,
  EngineOptions,
  ExplainRequest,
  Feature,
  PingOutcome,
  TableOutcome,
} from './engine.js';
import { deliver, errorName } from './event-delivery.js';
import { type EventRing, openEventRing, type RingEvent } from './event-ring.js';
import { openExplainArea } from './explain-answer.js';
import { ExplainDesk } from './explain-desk.js';
import type { Layout } from './layout.js';
import { encodeTableImage } from './table-image.js';

export interface NativeEngineOptions {
  readonly addon: Addon;
  readonly clock: Clock;
  readonly options: EngineOptions;
  readonly events: EngineEvents;
}

interface Load {
  readonly generation: number;
  readonly image: Uint8Array;
  readonly resolve: (outcome: TableOutcome) => void;
  readonly reject: (error: SluiceError) => void;
}

interface PingResult {
  readonly outcome: PingOutcome;
  readonly latencyMs: number;
}

interface Ping {
  readonly resolve: (result: PingResult) => void;
  readonly timeout: Timer;
}

/** Draining events takes at most so long per turn: a flood of them leaves room for others. */
const drainBudgetMs = 2;
/** Events taken from one ring before the next ring and the clock get a look. */
const drainBatch = 64;

/** Starts the threads. Throws SLUICE_ENGINE_START when the system refuses them. */
export function startNativeEngine(options: NativeEngineOptions): Engine {
  return new NativeEngine(options);
}

class NativeEngine implements Engine {
  readonly workers: number;
  readonly features: readonly Feature[];
  readonly counters: EngineCounters;
  readonly limits: Engine['limits'];
  readonly #layout: Layout;
  readonly #clock: Clock;
  readonly #events: EngineEvents;
  readonly #running: RunningEngine;
  readonly #doorbellPending: Uint32Array;
  readonly #imageAreas: readonly [Uint8Array, Uint8Array];
  readonly #coordinator: CommandRing;
  readonly #workerCommands: readonly CommandRing[];
  readonly #eventRings: readonly EventRing[];
  /** The first is on its way, the others wait for its answer. */
  readonly #loads: Load[] = [];
  #nextArea: 0 | 1 = 0;
  readonly #explains: ExplainDesk;
  readonly #pings = new Map<number, Ping>();
  #nextPingId = 1;
  #firstRing = 0;
  #continuation: NodeJS.Immediate | null = null;
  #keepAlive: NodeJS.Timeout | null = null;
  #closing: Promise<void> | null = null;

  constructor({ addon, clock, options, events }: NativeEngineOptions) {
    this.#layout = addon.layout;
    this.#clock = clock;
    this.#events = events;
    this.#running = addon.start(options, () => this.#drain());
    this.workers = options.workers;
    this.features = this.#running.features;
    const { memory, region } = this.#running;
    const { constants } = addon.layout;
    this.limits = {
      listeners: constants.listener_slots_max,
      pools: constants.pool_slots_max,
      targets: constants.target_slots_max,
    };
    this.#doorbellPending = new Uint32Array(memory, region.doorbell_pending, 1);
    this.#imageAreas = [
      new Uint8Array(memory, region.image_area_0, constants.image_bytes_max),
      new Uint8Array(memory, region.image_area_1, constants.image_bytes_max),
    ];
    // Ring 0 is the coordinator's, then one per worker; first all commands, then all events.
    const rings = options.workers + 1;
    const ringAt = (index: number) => region.first_ring + index * region.ring_bytes;
    const openCommands = (ring: number) =>
      new CommandRing({
        memory,
        offset: ringAt(ring),
        layout: addon.layout,
        region,
        clock,
        doorbell: () => this.#running.doorbell(ring),
      });
    this.#coordinator = openCommands(0);
    this.#workerCommands = Array.from({ length: options.workers }, (_, i) => openCommands(i + 1));
    this.#explains = new ExplainDesk(
      clock,
      this.#workerCommands.map((commands, worker) => ({
        commands,
        area: openExplainArea(memory, worker, addon.layout, region),
      })),
      () => this.#holdOpen(),
    );
    this.#eventRings = Array.from({ length: rings }, (_, i) =>
      openEventRing(memory, ringAt(rings + i), addon.layout, region),
    );
    this.counters = openCounters({
      memory,
      layout: addon.layout,
      region,
      workers: options.workers,
      eventRings: this.#eventRings,
    });
  }

  async apply(table: Table): Promise<TableOutcome> {
    this.#checkOpen();
    const image = encodeTableImage(table, this.#layout);
    return new Promise((resolve, reject) => {
      this.#loads.push({ generation: table.generation, image, resolve, reject });
      if (this.#loads.length === 1) this.#sendLoad();
    });
  }

  closeConnections(scope: CloseScope, slot: number, oneIn = 1): void {
    // A closed engine has no connections left: the wish is met.
    const { command_type: type, close_scope: scopes } = this.#layout.enums;
    for (const ring of this.#workerCommands) {
      ring.send({
        type: type.values.close_connections,
        scope: scopes.values[scope],
        slot,
        one_in: oneIn,
      });
    }
  }

  async ping(address: IpAddress, timeoutMs: number): Promise<PingResult> {
    this.#checkOpen();
    const id = this.#nextPingId;
    this.#nextPingId = id === 0xffffffff ? 1 : id + 1;
    return new Promise((resolve) => {
      const timeout = this.#clock.after(timeoutMs, () =>
        this.#settlePing(id, { outcome: 'timed_out', latencyMs: timeoutMs }),
      );
      this.#pings.set(id, { resolve, timeout });
      this.#coordinator.send({
        type: this.#layout.enums.command_type.values.ping,
        id,
        ip: mappedBytes(address),
        scope_id: address.scopeId,
      });
      this.#holdOpen();
    });
  }

  async explain({ listenerSlot, worker, client }: ExplainRequest): Promise<Forecast> {
    this.#checkOpen();
    return this.#explains.ask(worker, {
      type: this.#layout.enums.command_type.values.explain,
      slot: listenerSlot,
      ip: client.ip === null ? new Uint8Array(16) : mappedBytes(client.ip),
      scope_id: client.ip?.scopeId ?? 0,
      port: client.port,
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const load of this.#loads.splice(0)) load.reject(closedError());
    for (const id of [...this.#pings.keys()]) {
      this.#settlePing(id, { outcome: 'failed', latencyMs: 0 });
    }
    this.#explains.close(closedError());
    for (const ring of [this.#coordinator, ...this.#workerCommands]) ring.close();
    this.#holdOpen();
    await this.#running.stop();
    // The threads are gone: what they said last is all there is.
    this.#drain(Number.POSITIVE_INFINITY);
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw closedError();
  }

  /** The addon's doorbell does not keep the process alive; an answer that somebody awaits does. */
  #holdOpen(): void {
    const awaited = this.#loads.length > 0 || this.#pings.size > 0 || this.#explains.awaited;
    if (awaited) {
      this.#keepAlive ??= setInterval(() => undefined, 2 ** 30);
    } else if (this.#keepAlive !== null) {
      clearInterval(this.#keepAlive);
      this.#keepAlive = null;
    }
  }

  /** Sends the first waiting load. One is on its way at a time, so the other area is free. */
  #sendLoad(): void {
    const load = this.#loads[0];
    if (load !== undefined) {
      const area = this.#nextArea;
      this.#nextArea = area === 0 ? 1 : 0;
      this.#imageAreas[area].set(load.image);
      this.#coordinator.send({
        type: this.#layout.enums.command_type.values.load_table,
        generation: load.generation,
        area,
        bytes: load.image.length,
      });
    }
    this.#holdOpen();
  }

  #drain(budgetMs = drainBudgetMs): void {
    if (this.#continuation !== null) clearImmediate(this.#continuation);
    this.#continuation = null;
    // An exchange, not a store: it reads what the producer set, so all it pushed before is visible,
    // and whatever it pushes from now on rings again.
    Atomics.exchange(this.#doorbellPending, 0, 0);
    const deadline = this.#clock.nowMs() + budgetMs;
    let emptied = 0;
    while (emptied < this.#eventRings.length) {
      const index = this.#firstRing;
      this.#firstRing = (index + 1) % this.#eventRings.length;
      const taken = this.#drainRing(index);
      emptied = taken < drainBatch ? emptied + 1 : 0;
      if (taken > 0 && this.#clock.nowMs() >= deadline) {
        this.#continuation = setImmediate(() => this.#drain());
        return;
      }
    }
  }

  /** Answers how many events it took: fewer than a batch leave the ring empty. */
  #drainRing(index: number): number {
    const ring = this.#eventRings[index];
    for (let taken = 0; taken < drainBatch; taken++) {
      const event = ring?.next() ?? null;
      if (event === null) return taken;
      this.#take(event, index - 1);
    }
    return drainBatch;
  }

  #take(event: RingEvent, worker: number): void {
    switch (event.type) {
      case 'table_applied':
        this.#settleLoad(event, (generation) => ({ applied: true, generation }));
        return;
      case 'table_rejected':
        this.#settleLoad(event, (generation) => rejection(event, generation, this.#layout));
        return;
      case 'ping_answered':
        this.#settlePing(event.id, {
          outcome: nameOf(this.#layout.enums.ping_outcome.values, event.code) ?? 'failed',
          latencyMs: event.connectUs / 1000,
        });
        return;
      case 'explain_answered':
        this.#explains.answered(worker, event.id);
        return;
      default:
        deliver(event, worker, this.#layout, this.#events);
    }
  }

  #settleLoad(event: RingEvent, outcome: (generation: number) => TableOutcome): void {
    const load = this.#loads[0];
    // The answer to a load that close() has given up.
    if (load === undefined || load.generation % 2 ** 32 !== event.id) return;
    this.#loads.shift();
    load.resolve(outcome(load.generation));
    this.#sendLoad();
  }

  #settlePing(id: number, result: PingResult): void {
    const ping = this.#pings.get(id);
    // Timed out before: nobody waits for this answer any more.
    if (ping === undefined) return;
    this.#pings.delete(id);
    ping.timeout.cancel();
    ping.resolve(result);
    this.#holdOpen();
  }
}

function closedError(): SluiceError {
  return new SluiceError('SLUICE_ENGINE_CLOSED', 'the engine is closed');
}

function nameOf<Name extends string>(
  values: Readonly<Record<Name, number>>,
  value: number,
): Name | undefined {
  return (Object.keys(values) as Name[]).find((name) => values[name] === value);
}

function rejection(event: RingEvent, generation: number, layout: Layout): TableOutcome {
  const reason = nameOf(layout.enums.table_error.values, event.code) ?? 'malformed';
  const located = reason !== 'malformed' && event.slot !== layout.constants.no_slot;
  return {
    applied: false,
    generation,
    reason,
    listenerSlot: located ? event.slot : null,
    bindIndex: located ? event.index : 0,
    // A malformed image is a bug of ours: the number of the failed check says which.
    error: reason === 'malformed' ? `check ${event.index}` : errorName(event.error),
  };
}

/** IPv4 as v4-mapped IPv6. */
function mappedBytes(address: IpAddress): Uint8Array {
  if (address.family === 'ipv6') return address.bytes;
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...address.bytes);
}
