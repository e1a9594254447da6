// LoadBalancer: engine, controller, health and discovery wired together around one configuration.
// No files, no signals, no HTTP: the command line and the library both stand on this.
import { setMaxListeners } from 'node:events';
import type { Readiness } from '../admin/admin-source.js';
import type { Clock } from '../clock.js';
import { askExplanation, type ExplainQuestion } from '../control/ask-explanation.js';
import { closeOpen } from '../control/close-open.js';
import { Controller } from '../control/controller.js';
import { type Drain, startDrain } from '../control/drain.js';
import type { ReloadOutcome } from '../control/reload-outcome.js';
import { DnsDiscovery, type Lookup, systemLookup } from '../discovery/dns.js';
import { loadAddon } from '../engine/addon.js';
import type { Engine } from '../engine/engine.js';
import { startNativeEngine } from '../engine/native-engine.js';
import { SluiceError } from '../errors.js';
import { AgentWatcher } from '../health/agent-watcher.js';
import { createAskAgent } from '../health/ask-agent.js';
import { HealthChecker } from '../health/checker.js';
import { createProbes } from '../health/probe-kinds.js';
import type { Logger } from '../log/logger.js';
import type { CounterCatalog } from '../metrics/collect.js';
import type { HistoryOptions } from '../metrics/history-keeper.js';
import type { AgentWords } from '../model/agent.js';
import type { CloseWish } from '../model/close-wish.js';
import type { Config } from '../model/config.js';
import type { Explanation } from '../model/explanation.js';
import type { ProbeDetail } from '../model/health.js';
import type { Status, StatusScope } from '../model/status.js';
import type { AdminState } from '../model/target.js';
import { StateFile, type StateFileOptions } from '../state/state-file.js';
import { beliefSections, pauseDisabled } from './belief-sections.js';
import { engineEvents } from './engine-events.js';
import { rotationSections } from './rotation-sections.js';

export interface LoadBalancerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** How names of targets are resolved; by default as every program on this machine does. */
  readonly lookup?: Lookup;
  /** In [0, 1); for jitter. */
  readonly random?: () => number;
}

export interface LoadBalancer {
  readonly workers: number;
  readonly counters: CounterCatalog;
  /** The one in force. */
  readonly config: Config;
  /** What a history reads, every second. */
  readonly sampling: Omit<HistoryOptions, 'clock'>;
  /** `scope`: all of it when absent. */
  status(scope?: StatusScope): Status;
  readiness(): Readiness;
  /** All or nothing; settings of engine, admin and log are not part of it. */
  reload(config: Config): Promise<ReloadOutcome>;
  /** Resolves when every worker knows; false: there is no such target. */
  setAdminState(pool: string, target: string, state: AdminState): Promise<boolean>;
  /** See Controller.drain. */
  drainTarget: Controller['drain'];
  /** What a client would get now, and why; null: no such listener. See askExplanation. */
  explain(question: ExplainQuestion): Promise<Explanation | null>;
  /** Closes what is open; how many were told to, null: no such listener or target. */
  closeOpen(wish: CloseWish): number | null;
  /** Stops listening, waits for connections to end, closes what is left at the deadline. */
  drain(timeoutMs: number): Promise<Drain>;
  /** Ends everything now. Idempotent. */
  close(): Promise<void>;
}

function hostsOf({ pools }: Config): readonly string[] {
  const hosts: string[] = [];
  for (const { targets } of pools) {
    for (const { address } of targets) if (address.kind === 'name') hosts.push(address.host);
  }
  return hosts;
}

/**
 * Resolves when every worker serves `config`. Throws SluiceError SLUICE_START_TABLE when an address
 * cannot be had, SLUICE_ENGINE_START when the threads cannot; nothing is left behind then.
 */
export async function startLoadBalancer(
  config: Config,
  options: LoadBalancerOptions,
): Promise<LoadBalancer> {
  const balancer = new WiredLoadBalancer(config, options);
  const outcome = await balancer.begin();
  if (outcome.applied) return balancer;
  await balancer.close();
  throw new SluiceError('SLUICE_START_TABLE', outcome.message, {
    context: { reason: outcome.reason, listener: outcome.listener, address: outcome.address },
  });
}

class WiredLoadBalancer implements LoadBalancer {
  readonly workers: number;
  readonly counters: CounterCatalog;
  readonly #options: LoadBalancerOptions;
  readonly #engine: Engine;
  readonly #controller: Controller;
  readonly #checker: HealthChecker;
  readonly #agents: AgentWatcher;
  readonly #discovery: DnsDiscovery;
  readonly #stateFile: StateFile | null;
  #config: Config;
  /** The engine's threads do not keep the process alive; serving must. */
  readonly #hold = setInterval(() => undefined, 2 ** 31 - 1);
  /** Those that wait for their names or their table; a caller need not wait for the last one. */
  readonly #arriving = new Set<Config>();
  readonly #stop = new AbortController();
  /** A target's first good probe changes no table, and yet how it stands. */
  #beliefChanges = 0;
  #draining = false;
  #closed = false;
  #details: ReadonlyMap<string, ProbeDetail> = new Map();

  constructor(config: Config, options: LoadBalancerOptions) {
    const { clock, log, random = Math.random, lookup = systemLookup } = options;
    this.#config = config;
    this.#options = options;
    // As many listen as programs run at once.
    setMaxListeners(0, this.#stop.signal);
    const { workers, maxConnections, bufferBytes, splice } = config.engine;
    this.#engine = startNativeEngine({
      addon: loadAddon(),
      clock,
      options: {
        workers,
        connectionsMax: maxConnections,
        bufferBytes,
        splice,
        udpGso: true,
        udpGro: true,
      },
      events: engineEvents(log, {
        controller: () => this.#controller,
        connectFailed: (pool, target) => this.#checker.connectFailed(pool, target),
      }),
    });
    this.workers = workers;
    this.counters = this.#engine.counters;
    this.#tellFeatures();
    this.#discovery = new DnsDiscovery({
      clock,
      random,
      lookup,
      log,
      onChange: () => {
        this.#controller.lookAgain();
        this.#follow();
      },
    });
    this.#controller = new Controller({
      clock,
      engine: this.#engine,
      log,
      names: () => this.#discovery.addresses(),
      agents: () => this.#agents.words(),
      probeDetail: (pool, target) => this.#details.get(placeKey(pool, target)) ?? null,
      onBeliefsChanged: () => {
        this.#beliefChanges++;
        this.#stateFile?.changed();
      },
    });
    this.#agents = watchAgents({ clock, log, random }, () => {
      this.#controller.lookAgain();
      this.#stateFile?.changed();
    });
    this.#checker = new HealthChecker({
      clock,
      random,
      probes: createProbes({
        clock,
        log,
        random,
        ping: (address, timeoutMs) => this.#engine.ping(address, timeoutMs),
        environment: process.env,
        stop: this.#stop.signal,
      }),
      onChange: (change) => this.#controller.setHealth(change),
      onRole: (report) => this.#controller.setRole(report),
      onPass: (...passed) => this.#controller.probePassed(...passed),
    });
    this.#stateFile = config.state && new StateFile({ ...config.state, ...this.#stateParts() });
  }

  #tellFeatures(): void {
    for (const { name, available, detail } of this.#engine.features) {
      if (!available) this.#options.log.event('feature_missing', { feature: name, detail });
    }
  }

  /** What the state file is made of. */
  #stateParts(): Pick<StateFileOptions, 'sections' | 'clock' | 'log'> {
    const { clock, log } = this.#options;
    const believers = {
      clock,
      controller: this.#controller,
      checker: this.#checker,
      agents: this.#agents,
      config: this.#config,
      names: () => this.#discovery.addresses(),
    };
    const sections = [...beliefSections(believers), ...rotationSections(believers)];
    return { sections, clock, log };
  }

  get config(): Config {
    return this.#config;
  }

  get sampling(): LoadBalancer['sampling'] {
    return {
      counters: this.#engine.counters,
      version: () => this.#controller.generation.applied + this.#beliefChanges,
      placement: () => this.#controller.placement(),
    };
  }

  async begin(): Promise<ReloadOutcome> {
    await this.#followNames();
    await this.#stateFile?.restore();
    const outcome = await this.#controller.start(this.#config);
    if (!outcome.applied) return outcome;
    this.#follow();
    pauseDisabled(this.#config, this.#controller, this.#checker);
    this.#stateFile?.begin();
    return outcome;
  }

  async reload(config: Config): Promise<ReloadOutcome> {
    this.#arriving.add(config);
    await this.#followNames();
    const outcome = await this.#controller.reload(config);
    this.#arriving.delete(config);
    if (outcome.applied) this.#config = config;
    await this.#followNames();
    if (!this.#closed) this.#follow();
    return outcome;
  }

  /** Names of all, until it is known which configuration stays. */
  async #followNames(): Promise<void> {
    if (this.#closed) return;
    await this.#discovery.update([this.#config, ...this.#arriving].flatMap(hostsOf));
  }

  #follow(): void {
    this.#checker.update(this.#config.pools, this.#discovery.addresses());
    this.#agents.update(this.#config.pools, this.#discovery.addresses());
  }

  status(scope?: StatusScope): Status {
    const details = this.#checker.snapshot();
    this.#details = new Map(
      details.map((detail) => [placeKey(detail.pool, detail.target), detail]),
    );
    return this.#controller.snapshot(scope);
  }

  readiness(): Readiness {
    const { applied } = this.#controller.generation;
    const missing: string[] = [];
    if (applied === 0) missing.push('the first table is not applied yet');
    if (this.#draining) missing.push('shutting down');
    return { ready: missing.length === 0, missing };
  }

  async setAdminState(pool: string, target: string, state: AdminState): Promise<boolean> {
    const generation = this.#controller.setAdminState(pool, target, state);
    if (generation === null) return false;
    this.#checker.setAdminState(pool, target, state);
    await this.#controller.whenApplied(generation);
    return true;
  }

  drainTarget(...[pool, target, rules]: Parameters<Controller['drain']>) {
    this.#checker.setAdminState(pool, target, 'draining');
    return this.#controller.drain(pool, target, rules);
  }

  explain(question: ExplainQuestion): Promise<Explanation | null> {
    return askExplanation(this.#engine, this.#controller, question);
  }

  closeOpen(wish: CloseWish): number | null {
    return closeOpen(this.#engine, this.#controller, wish);
  }

  async drain(timeoutMs: number): Promise<Drain> {
    const { clock, log } = this.#options;
    this.#draining = true;
    await this.#controller.drainListeners();
    return startDrain({
      clock,
      log,
      timeoutMs,
      active: () => this.#controller.active(),
      closeAll: () => this.#engine.closeConnections('all', 0),
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#hold);
    await this.#stateFile?.close();
    this.#checker.close();
    this.#stop.abort();
    this.#agents.close();
    this.#discovery.close();
    this.#controller.close();
    await this.#engine.close();
  }
}

function placeKey(pool: string, target: string): string {
  return JSON.stringify([pool, target]);
}

function watchAgents(
  { clock, log, random }: Required<Pick<LoadBalancerOptions, 'clock' | 'log' | 'random'>>,
  onChange: () => void,
): AgentWatcher {
  return new AgentWatcher({
    clock,
    random,
    ask: createAskAgent(clock),
    onReport: ({ pool, target, words }) => {
      log.event('target_agent_changed', { pool, target, ...agentFields(words) });
      onChange();
    },
  });
}

function agentFields({ weight, maxConnections, adminState, up }: AgentWords) {
  const text = weight && (weight.kind === 'share' ? `${weight.value * 100}%` : `${weight.value}`);
  return { weight: text, maxConnections, adminState, up };
}
