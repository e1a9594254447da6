// DnsDiscovery: keeps an address for every target that is given by name. Names are never resolved
// on the data path; a resolver that fails leaves the last good answer in use.
import { lookup as systemResolve } from 'node:dns/promises';
import type { Clock, Timer } from '../clock.js';
import type { Logger } from '../log/logger.js';
import type { IpAddress } from '../model/address.js';
import { formatIp, type ResolvedNames } from '../model/address-text.js';
import { chooseAddress } from './choose-address.js';

/** Addresses of a host in the resolver's order, as text; rejects when it has none. */
export type Lookup = (host: string) => Promise<readonly { readonly address: string }[]>;

/** getaddrinfo: honours /etc/hosts, nsswitch.conf and gai.conf as every other program here does. */
export const systemLookup: Lookup = (host) => systemResolve(host, { all: true });

export interface AddressChange {
  readonly host: string;
  readonly address: IpAddress;
  /** null: the first answer. */
  readonly previous: IpAddress | null;
}

export interface DnsOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly lookup: Lookup;
  readonly log: Logger;
  readonly onChange: (change: AddressChange) => void;
}

export interface NameStatus {
  readonly host: string;
  readonly address: IpAddress | null;
  /** Why the last lookup failed; null when it did not, or before the first. */
  readonly failure: string | null;
}

const intervalMs = 30_000;
/** A name that has no address at all is tried sooner: its target cannot be used until then. */
const unresolvedIntervalMs = 5_000;
/** Each distance is shortened at random by up to this share, so that lookups spread. */
const jitter = 0.1;
/** After this a lookup counts as failed; its answer is still taken if it comes later. */
const timeoutMs = 5_000;
/**
 * Lookups at once. getaddrinfo holds a thread of libuv's pool of four until it returns, and file
 * access needs the others. So a place is held until the lookup has really ended, timeout or not.
 */
const concurrency = 2;

interface Name {
  readonly host: string;
  address: IpAddress | null;
  failure: string | null;
  timer: Timer | null;
  /** Resolves after the first try, whatever came of it. */
  readonly tried: Promise<void>;
  readonly markTried: () => void;
}

export class DnsDiscovery {
  readonly #options: DnsOptions;
  readonly #names = new Map<string, Name>();
  /** Names whose lookup waits for a place, in order of arrival. */
  readonly #waiting = new Set<Name>();
  #lookups = 0;

  constructor(options: DnsOptions) {
    this.#options = options;
  }

  /**
   * Keeps exactly these hosts resolved from now on. Resolves when every new one has an answer or a
   * failure, at the latest after 5 s: a start or a reload waits for that, then goes on without.
   */
  async update(hosts: Iterable<string>): Promise<void> {
    const wanted = new Set(hosts);
    for (const [host, name] of this.#names) {
      if (!wanted.has(host)) this.#forget(host, name);
    }
    const added: Promise<void>[] = [];
    for (const host of wanted) {
      if (this.#names.has(host)) continue;
      const name = createName(host);
      this.#names.set(host, name);
      this.#waiting.add(name);
      added.push(name.tried);
    }
    this.#startWaiting();
    if (added.length === 0) return;
    const { clock } = this.#options;
    await new Promise<void>((resolve) => {
      const limit = clock.after(timeoutMs, resolve);
      void Promise.all(added).then(() => {
        limit.cancel();
        resolve();
      });
    });
  }

  /** What the names resolve to now; those that never did are missing. */
  addresses(): ResolvedNames {
    const known = new Map<string, IpAddress>();
    for (const { host, address } of this.#names.values()) {
      if (address !== null) known.set(host, address);
    }
    return known;
  }

  snapshot(): readonly NameStatus[] {
    return [...this.#names.values()].map(({ host, address, failure }) => {
      return { host, address, failure };
    });
  }

  /** Nothing is looked up or reported after this. Idempotent. */
  close(): void {
    for (const [host, name] of this.#names) this.#forget(host, name);
  }

  #forget(host: string, name: Name): void {
    name.timer?.cancel();
    name.markTried();
    this.#names.delete(host);
    this.#waiting.delete(name);
  }

  #startWaiting(): void {
    for (const name of this.#waiting) {
      if (this.#lookups >= concurrency) return;
      this.#waiting.delete(name);
      this.#start(name);
    }
  }

  #start(name: Name): void {
    const { clock, lookup } = this.#options;
    this.#lookups++;
    name.timer = clock.after(timeoutMs, () => this.#fail(name, 'timed_out'));
    const end = (report: () => void): void => {
      this.#lookups--;
      if (this.#isCurrent(name)) {
        name.timer?.cancel();
        report();
        this.#rest(name);
      }
      this.#startWaiting();
    };
    lookup(name.host).then(
      (answers) => end(() => this.#accept(name, answers)),
      (error: unknown) => end(() => this.#fail(name, failureOf(error))),
    );
  }

  #isCurrent(name: Name): boolean {
    return this.#names.get(name.host) === name;
  }

  #rest(name: Name): void {
    const { clock, random } = this.#options;
    const distanceMs = name.address === null ? unresolvedIntervalMs : intervalMs;
    name.timer = clock.after(distanceMs * (1 - jitter * random()), () => {
      this.#waiting.add(name);
      this.#startWaiting();
    });
  }

  #accept(name: Name, answers: readonly { readonly address: string }[]): void {
    const { host, address: previous } = name;
    const chosen = chooseAddress(answers, previous);
    if (chosen === null) {
      this.#fail(name, 'no_address');
      return;
    }
    const { log, onChange } = this.#options;
    const address = formatIp(chosen);
    if (name.failure !== null) log.event('name_resolved', { host, address });
    name.failure = null;
    name.address = chosen;
    name.markTried();
    if (chosen === previous) return;
    log.event('target_address_changed', {
      host,
      address,
      previous: previous === null ? '' : formatIp(previous),
    });
    onChange({ host, address: chosen, previous });
  }

  #fail(name: Name, reason: string): void {
    const isNew = name.failure === null;
    name.failure = reason;
    name.markTried();
    if (!isNew) return;
    const kept = name.address === null ? '' : formatIp(name.address);
    this.#options.log.event('name_unresolved', { host: name.host, reason, kept });
  }
}

function createName(host: string): Name {
  let markTried = (): void => undefined;
  const tried = new Promise<void>((resolve) => {
    markTried = resolve;
  });
  return { host, address: null, failure: null, timer: null, tried, markTried };
}

/** The resolver's code (ENOTFOUND, EAI_AGAIN): what an operator can look up. */
function failureOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return 'failed';
}
