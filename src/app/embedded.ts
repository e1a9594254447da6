// A load balancer for a program that embeds sluice: no signals, no log of its own unless asked for,
// and everything that it opened is closed by close().
import { stringify } from 'yaml';
import type { AdminServer } from '../admin/server.js';
import { systemClock } from '../clock.js';
import { type LoadResult, loadConfig } from '../config/load.js';
import { formatProblems } from '../config/problem.js';
import { loadConfigFile } from '../config/read-file.js';
import type { ReloadOutcome } from '../control/reload-outcome.js';
import { SluiceError } from '../errors.js';
import { EventFeed } from '../log/event-feed.js';
import type { Logger } from '../log/logger.js';
import type { Config } from '../model/config.js';
import type { Explanation } from '../model/explanation.js';
import type { Status } from '../model/status.js';
import { startAdmin } from './admin.js';
import { answerExplain } from './answer-explain.js';
import { type LoadBalancer, startLoadBalancer } from './load-balancer.js';

/** Where the configuration comes from; an object has the shape of the YAML file. */
export type ConfigSource =
  | { readonly configFile: string }
  | { readonly configText: string }
  | { readonly config: Readonly<Record<string, unknown>> };

export type CreateOptions = ConfigSource & {
  /** Gets every event of log/events.ts; the `log` section has no effect. Default: no log. */
  readonly logger?: Logger;
};

export interface EmbeddedQuestion {
  readonly listener: string;
  /** `192.0.2.7`, with its port `192.0.2.7:4000` or `[2001:db8::1]:4000`; `unix`. */
  readonly client: string;
  /** Whose next pick is explained, from 0 on. Default: all are asked, and the first one's is. */
  readonly worker?: number;
}

export interface EmbeddedLoadBalancer {
  /** Base URL of the admin API; null when the configuration has none. */
  readonly adminAddress: string | null;
  /** `host:port` of each bind of a listener, as bound. Empty for an unknown listener. */
  addresses(listener: string): readonly string[];
  status(): Status;
  /**
   * Which target a client of the listener would get now, and for every other target why not.
   * Nothing changes by the asking. Throws SluiceError: SLUICE_LIBRARY_EXPLAIN for a listener, a
   * client or a worker that there is not; SLUICE_EXPLAIN_TIMEOUT and SLUICE_EXPLAIN_BUSY when the
   * workers do not answer in time; SLUICE_ENGINE_CLOSED after close().
   */
  explain(question: EmbeddedQuestion): Promise<Explanation>;
  /** All or nothing. Throws as createLoadBalancer does when the configuration has errors. */
  reload(source: ConfigSource): Promise<ReloadOutcome>;
  /**
   * Stops listening and closes; connections get `drainTimeoutMs` to end by themselves (default: the
   * configuration's shutdown.drain_timeout). Idempotent.
   */
  close(options?: { readonly drainTimeoutMs?: number }): Promise<void>;
}

const silent: Logger = { event: () => undefined };

async function load(source: ConfigSource): Promise<LoadResult> {
  if ('configFile' in source) return await loadConfigFile(source.configFile);
  const text = 'configText' in source ? source.configText : stringify(source.config);
  return loadConfig(Buffer.from(text), '(config)');
}

async function loadOrThrow(source: ConfigSource): Promise<Config> {
  const loaded = await load(source);
  if (loaded.ok) return loaded.config;
  const text = formatProblems(loaded.errors, { colour: false });
  throw new SluiceError('SLUICE_LIBRARY_CONFIG', `the configuration has errors:\n${text}`, {
    context: { problems: loaded.errors },
  });
}

/**
 * Resolves when every worker serves the configuration. Like `sluice run` it opens the admin API on
 * 127.0.0.1:9090 unless `admin: {listen: off}` or another address is configured. `watch` has no
 * effect: call reload().
 *
 * Throws SluiceError: SLUICE_LIBRARY_CONFIG (context.problems has each with its place),
 * SLUICE_START_TABLE (an address cannot be had), SLUICE_ADMIN_LISTEN, SLUICE_ENGINE_START.
 */
export async function createLoadBalancer(options: CreateOptions): Promise<EmbeddedLoadBalancer> {
  const config = await loadOrThrow(options);
  const clock = systemClock();
  const feed = new EventFeed({ clock, log: options.logger ?? silent });
  const balancer = await startLoadBalancer(config, { clock, log: feed });
  try {
    return new Embedded(config, balancer, await startAdmin(config, balancer, feed, null));
  } catch (error) {
    await balancer.close();
    throw error;
  }
}

class Embedded implements EmbeddedLoadBalancer {
  readonly adminAddress: string | null;
  readonly #balancer: LoadBalancer;
  readonly #admin: AdminServer | null;
  #config: Config;
  #closing: Promise<void> | null = null;

  constructor(config: Config, balancer: LoadBalancer, admin: AdminServer | null) {
    this.#config = config;
    this.#balancer = balancer;
    this.#admin = admin;
    this.adminAddress = admin?.address ?? null;
  }

  addresses(listener: string): readonly string[] {
    const { listeners } = this.#balancer.status('listeners');
    return listeners.find(({ name }) => name === listener)?.addresses ?? [];
  }

  status(): Status {
    return this.#balancer.status();
  }

  async explain({ listener, client, worker }: EmbeddedQuestion): Promise<Explanation> {
    const wish = { listener, client, worker: worker ?? null };
    const answer = await answerExplain(this.#balancer, wish);
    if (answer.ok) return answer.explanation;
    throw new SluiceError('SLUICE_LIBRARY_EXPLAIN', answer.message);
  }

  async reload(source: ConfigSource): Promise<ReloadOutcome> {
    const config = await loadOrThrow(source);
    const outcome = await this.#balancer.reload(config);
    if (outcome.applied) this.#config = config;
    return outcome;
  }

  close(options: { readonly drainTimeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainTimeoutMs ?? this.#config.shutdown.drainTimeoutMs);
    return this.#closing;
  }

  async #close(drainTimeoutMs: number): Promise<void> {
    const drain = await this.#balancer.drain(drainTimeoutMs);
    await drain.finished;
    await this.#balancer.close();
    await this.#admin?.close();
  }
}
