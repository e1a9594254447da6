// A real engine for tests: started with small defaults, its events recorded, its tables written in
// a line each.
import { systemClock } from '../../src/clock.js';
import { loadAddon } from '../../src/engine/addon.js';
import type {
  AccessRecord,
  ConnectFailure,
  Engine,
  EngineOptions,
  TableOutcome,
} from '../../src/engine/engine.js';
import { startNativeEngine } from '../../src/engine/native-engine.js';
import type { Endpoint, IpAddress } from '../../src/model/address.js';
import type { Listener, TcpOptions } from '../../src/model/listener.js';
import type { Policy, PolicyName } from '../../src/model/policy.js';
import { noWaiting } from '../../src/model/pool.js';
import { plainRetries } from '../../src/model/retry.js';
import type { Table, TableListener, TablePool, TableTarget } from '../../src/model/table.js';

export const plainTcpOptions: TcpOptions = {
  nodelay: true,
  userTimeoutMs: 0,
  keepaliveIdleS: 0,
  keepaliveIntervalS: 0,
  keepaliveCount: 0,
};

export function ipv4(text: string): IpAddress {
  return { family: 'ipv4', bytes: Uint8Array.from(text.split('.'), Number), scopeId: 0 };
}

export const loopbackIpv6: IpAddress = {
  family: 'ipv6',
  bytes: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
  scopeId: 0,
};

/** A loopback endpoint; port 0 on a bind lets the kernel choose. */
export function loopback(port: number): Endpoint {
  return { kind: 'ip', ip: ipv4('127.0.0.1'), port };
}

/** A listener with everything at rest: no limits but the connect timeout. */
export function listenerOf(overrides: Partial<Listener> = {}): Listener {
  return {
    name: 'listener',
    protocol: 'tcp',
    binds: [loopback(0)],
    ipv6Only: false,
    pool: 'pool',
    timeouts: { connectMs: 1000, idleMs: 0, halfCloseMs: 0, lifetimeMs: 0 },
    backlog: 512,
    maxConnections: 0,
    tcp: plainTcpOptions,
    udp: { requests: 0, responses: 0, sessionsMax: 1024, bulk: false },
    unixMode: 0,
    accessLog: true,
    replayBytes: 0,
    ...overrides,
  };
}

export interface PoolSpec {
  /** Ports on loopback, or addresses; each becomes a target of weight 1. */
  readonly targets: readonly (number | Endpoint)[];
  readonly policy?: PolicyName;
  /** Of each target; 0 or none: no limit. */
  readonly maxConnections?: number;
  readonly overrides?: Partial<TablePool>;
}

export interface TableSpec {
  readonly generation: number;
  /** Listener i has slot i and, if there are several pools, pool i. */
  readonly listeners: readonly Partial<Listener>[];
  readonly pools: readonly PoolSpec[];
}

/** Targets get slots 0, 1, ... over all pools in order. */
export function tableOf({ generation, listeners, pools }: TableSpec): Table {
  const targets: TableTarget[] = [];
  const tablePools = pools.map((spec, slot): TablePool => {
    const { targets: addresses, maxConnections = 0, policy, overrides } = spec;
    const first = targets.length;
    for (const address of addresses) {
      targets.push({
        slot: targets.length,
        name: `target-${targets.length}`,
        address: typeof address === 'number' ? loopback(address) : address,
        maxConnections,
        servesSessions: true,
        poolSlot: slot,
        servesSticky: true,
        renewsSticky: true,
      });
    }
    const pickedBy: Policy = {
      name: policy ?? 'round_robin',
      key: 'source',
      prefixV4: 32,
      prefixV6: 128,
      load: 'connections',
      boundedLoad: 0,
    };
    return {
      slot,
      name: `pool-${slot}`,
      policy: pickedBy,
      sticky: null,
      retries: 1,
      retry: plainRetries,
      tiers: [
        {
          candidates: addresses.map((_, index) => ({ target: first + index, weight: 1 })),
          configured: addresses.length,
          share: 10_000,
        },
      ],
      queue: noWaiting,
      park: noWaiting,
      weightMax: 1,
      sources: [],
      tcp: plainTcpOptions,
      ...overrides,
    };
  });
  return {
    generation,
    targets,
    pools: tablePools,
    listeners: listeners.map(
      (overrides, slot): TableListener => ({
        slot,
        pool: pools.length > 1 ? slot : 0,
        listener: listenerOf({ name: `listener-${slot}`, ...overrides }),
      }),
    ),
  };
}

export interface EngineHarness {
  readonly engine: Engine;
  readonly accessRecords: readonly AccessRecord[];
  readonly connectFailures: readonly {
    readonly targetSlot: number;
    readonly failure: ConnectFailure;
    readonly error: string;
  }[];
  readonly unreachable: readonly { readonly targetSlot: number; readonly error: string }[];
  /** Applies a table and throws when the engine refuses it. */
  apply(spec: TableSpec): Promise<void>;
  tryApply(spec: TableSpec): Promise<TableOutcome>;
  /** The port that a bind got. */
  port(listenerSlot: number, bindIndex?: number): number;
  close(): Promise<void>;
}

export function startEngineHarness(options: Partial<EngineOptions> = {}): EngineHarness {
  const ports = new Map<string, number>();
  const accessRecords: AccessRecord[] = [];
  const connectFailures: EngineHarness['connectFailures'][number][] = [];
  const unreachable: EngineHarness['unreachable'][number][] = [];
  const engine = startNativeEngine({
    addon: loadAddon(),
    clock: systemClock(),
    options: {
      workers: 2,
      connectionsMax: 4096,
      bufferBytes: 64 * 1024,
      splice: true,
      udpGso: true,
      udpGro: true,
      ...options,
    },
    events: {
      connectFailed: (targetSlot, failure, error) =>
        void connectFailures.push({ targetSlot, failure, error }),
      targetUnreachable: (targetSlot, error) => void unreachable.push({ targetSlot, error }),
      accessRecord: (record) => void accessRecords.push(record),
      listenerBound: (slot, index, port) => void ports.set(`${slot}/${index}`, port),
      acceptPaused: () => undefined,
    },
  });
  const tryApply = (spec: TableSpec) => engine.apply(tableOf(spec));
  return {
    engine,
    accessRecords,
    connectFailures,
    unreachable,
    tryApply,
    async apply(spec) {
      const outcome = await tryApply(spec);
      if (!outcome.applied) throw new Error(`table refused: ${JSON.stringify(outcome)}`);
    },
    port(listenerSlot, bindIndex = 0) {
      const port = ports.get(`${listenerSlot}/${bindIndex}`);
      if (port === undefined) throw new Error(`listener ${listenerSlot} has no bind ${bindIndex}`);
      return port;
    },
    close: () => engine.close(),
  };
}
