// AgentWatcher: asks the agents beside the targets on a schedule, and reports what they say when it
// changes. One that does not answer, or answers nonsense, changes nothing: asked again later.
import type { Clock, Timer } from '../clock.js';
import type { IpEndpoint } from '../model/address.js';
import { endpointOf, type ResolvedNames } from '../model/address-text.js';
import {
  type AgentCheck,
  type AgentWords,
  afterWords,
  nothingSaid,
  sameWords,
} from '../model/agent.js';
import type { Pool } from '../model/pool.js';
import { partsOfKey, targetKey } from '../model/target-key.js';
import { ProbeQueue } from './probe-queue.js';

export interface AgentReport {
  readonly pool: string;
  readonly target: string;
  /** All that the agent has said so far, joined. */
  readonly words: AgentWords;
}

/** One question; null when there was no answer. Resolves within the check's timeout. */
export type AskAgent = (endpoint: IpEndpoint, check: AgentCheck) => Promise<AgentWords | null>;

export interface AgentWatcherOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly ask: AskAgent;
  readonly onReport: (report: AgentReport) => void;
  /** Questions under way at once (default 64); each holds a descriptor, and others wait. */
  readonly concurrency?: number;
}

interface WatchedAgent {
  readonly pool: string;
  readonly target: string;
  /** Where the target is; the agent has a port of its own there. */
  readonly endpoint: IpEndpoint;
  check: AgentCheck;
  words: AgentWords;
  timer: Timer | null;
  gone: boolean;
}

/** Each interval is shortened at random by up to this share, as that of probes. */
const jitter = 0.1;

export class AgentWatcher {
  readonly #options: AgentWatcherOptions;
  readonly #queue = new ProbeQueue<WatchedAgent>();
  /** By targetKey. */
  readonly #watched = new Map<string, WatchedAgent>();
  /** Of an earlier process, by targetKey, until the target's agent is watched. */
  readonly #restored = new Map<string, AgentWords>();
  #underWay = 0;

  constructor(options: AgentWatcherOptions) {
    this.#options = options;
  }

  /** What agents had said to an earlier process: it holds until they say something else. */
  restore(words: ReadonlyMap<string, AgentWords>): void {
    for (const [key, said] of words) this.#restored.set(key, said);
  }

  /** Asks the agents of these targets from now on. One that stays keeps what it has said. */
  update(pools: readonly Pool[], names: ResolvedNames): void {
    const wanted = new Map(wantedAgents(pools, names));
    for (const [key, agent] of this.#watched) {
      if (!wanted.has(key)) this.#forget(key, agent);
    }
    const asked = new Set(pools.flatMap(({ name, agent }) => (agent === null ? [] : [name])));
    for (const key of this.#restored.keys()) {
      if (!asked.has(partsOfKey(key).pool)) this.#restored.delete(key);
    }
    for (const [key, agent] of wanted) {
      const known = this.#watched.get(key);
      if (known) {
        known.check = agent.check;
        continue;
      }
      agent.words = this.#restored.get(key) ?? nothingSaid;
      this.#restored.delete(key);
      this.#watched.set(key, agent);
      this.#askAfter(agent, agent.check.intervalMs * this.#options.random());
    }
  }

  /** What has been said so far, by targetKey; nothing for agents that have not said anything. */
  words(): ReadonlyMap<string, AgentWords> {
    const said = new Map(this.#restored);
    for (const [key, { words }] of this.#watched) said.set(key, words);
    return said;
  }

  /** Nothing is asked or reported after this. Idempotent. */
  close(): void {
    for (const [key, agent] of this.#watched) this.#forget(key, agent);
  }

  #forget(key: string, agent: WatchedAgent): void {
    agent.timer?.cancel();
    agent.gone = true;
    this.#queue.delete(agent.pool, agent);
    this.#watched.delete(key);
  }

  #askAfter(agent: WatchedAgent, delayMs: number): void {
    agent.timer = this.#options.clock.after(delayMs, () => {
      agent.timer = null;
      this.#queue.add(agent.pool, agent);
      this.#startDue();
    });
  }

  #startDue(): void {
    while (this.#underWay < (this.#options.concurrency ?? 64)) {
      const agent = this.#queue.take();
      if (!agent) return;
      this.#underWay++;
      const endpoint = { ...agent.endpoint, port: agent.check.port };
      void this.#options.ask(endpoint, agent.check).then((said) => this.#heard(agent, said));
    }
  }

  #heard(agent: WatchedAgent, said: AgentWords | null): void {
    this.#underWay--;
    if (!agent.gone) {
      const words = afterWords(agent.words, said ?? nothingSaid);
      const changed = !sameWords(words, agent.words);
      agent.words = words;
      const { pool, target } = agent;
      if (changed) this.#options.onReport({ pool, target, words });
      this.#askAfter(agent, agent.check.intervalMs * (1 - jitter * this.#options.random()));
    }
    this.#startDue();
  }
}

function wantedAgents(
  pools: readonly Pool[],
  names: ResolvedNames,
): readonly (readonly [string, WatchedAgent])[] {
  return pools.flatMap(({ name: pool, agent: check, targets }) => {
    if (check === null) return [];
    return targets.flatMap((target): readonly (readonly [string, WatchedAgent])[] => {
      const endpoint = endpointOf(target.address, names);
      // The configuration check refuses unix sockets here: they have no ports.
      if (endpoint?.kind !== 'ip') return [];
      const key = targetKey(pool, target.name, endpoint);
      const state = { check, words: nothingSaid, timer: null, gone: false };
      return [[key, { pool, target: target.name, endpoint, ...state }]];
    });
  });
}
