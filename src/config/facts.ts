// Facts: a draft with its addresses read, in the form that the rules ask for.
import type { TargetAddress } from '../model/address.js';
import type { Protocol } from '../model/listener.js';
import { type BindAddress, parseBind } from './bind-address.js';
import { defaults } from './defaults.js';
import type { Draft } from './draft.js';
import { formatIp, type InterfaceIndex } from './ip.js';
import type { Finding } from './located.js';
import type { Path } from './problem.js';
import { parseTargetAddress } from './target-address.js';

export interface BindFacts {
  readonly path: Path;
  readonly address: BindAddress;
  readonly listener: ListenerFacts;
}

export type ListenerDraft = NonNullable<NonNullable<Draft['listeners']>[string]>;
export type PoolDraft = NonNullable<NonNullable<Draft['pools']>[string]>;
export type TargetDraft = Exclude<
  NonNullable<NonNullable<PoolDraft['targets']>[number]>,
  string | undefined
>;

export interface ListenerFacts {
  readonly name: string;
  readonly path: Path;
  /** undefined: it has one, but a wrong one. */
  readonly protocol: Protocol | undefined;
  readonly ipv6Only: boolean;
  readonly binds: readonly BindFacts[];
  readonly draft: ListenerDraft;
}

export interface TargetFacts {
  readonly path: Path;
  readonly addressPath: Path;
  readonly address: TargetAddress | undefined;
  readonly addressText: string | undefined;
  /** The full form; the short one has an address only. */
  readonly draft: TargetDraft;
}

export interface PoolFacts {
  readonly name: string;
  readonly path: Path;
  readonly targets: readonly TargetFacts[];
  readonly draft: PoolDraft;
  /** Listeners that name it. */
  readonly listeners: readonly ListenerFacts[];
}

export interface Facts {
  readonly draft: Draft;
  readonly listeners: readonly ListenerFacts[];
  readonly pools: ReadonlyMap<string, PoolFacts>;
  readonly interfaceIndex: InterfaceIndex;
  /** Line of what stands at `path`, for messages that point to a second place. */
  readonly lineOf: (path: Path) => number;
  readonly report: (finding: Finding) => void;
}

type FactsContext = Pick<Facts, 'interfaceIndex' | 'lineOf' | 'report'>;

export function factsOf(draft: Draft, context: FactsContext): Facts {
  const listeners = Object.entries(draft.listeners ?? {}).flatMap(([name, listener]) =>
    listener === undefined ? [] : [listenerFacts(name, listener, context)],
  );
  const users = new Map<string, ListenerFacts[]>();
  for (const listener of listeners) {
    const pool = listener.draft.pool;
    if (pool !== undefined) users.set(pool, [...(users.get(pool) ?? []), listener]);
  }
  const pools = new Map<string, PoolFacts>();
  for (const [name, pool] of Object.entries(draft.pools ?? {})) {
    const path = ['pools', name];
    const targets = (pool?.targets ?? []).flatMap((target, index) =>
      target === undefined ? [] : [targetFacts([...path, 'targets', index], target, context)],
    );
    // A pool that is wrong as a whole still exists by name.
    pools.set(name, { name, path, targets, draft: pool ?? {}, listeners: users.get(name) ?? [] });
  }
  return { draft, listeners, pools, ...context };
}

function listenerFacts(name: string, draft: ListenerDraft, context: FactsContext): ListenerFacts {
  const path = ['listeners', name];
  const binds: BindFacts[] = [];
  const wrongProtocol = Object.hasOwn(draft, 'protocol') && draft.protocol === undefined;
  const listener: ListenerFacts = {
    name,
    path,
    protocol: wrongProtocol ? undefined : (draft.protocol ?? defaults.listener.protocol),
    ipv6Only: draft.ipv6_only ?? defaults.listener.ipv6Only,
    binds,
    draft,
  };
  const add = (text: string | undefined, bindPath: Path) => {
    if (text === undefined) return;
    const address = parseBind(text, context.interfaceIndex);
    if (!address.ok) context.report({ ...address.problem, path: bindPath });
    else binds.push({ path: bindPath, address: address.value, listener });
  };
  const bind = draft.bind;
  if (typeof bind === 'string') add(bind, [...path, 'bind']);
  else bind?.forEach((text, index) => void add(text, [...path, 'bind', index]));
  return listener;
}

function targetFacts(path: Path, target: string | TargetDraft, context: FactsContext): TargetFacts {
  const short = typeof target === 'string';
  const addressText = short ? target : target.address;
  const addressPath = short ? path : [...path, 'address'];
  const address =
    addressText === undefined ? undefined : parseTargetAddress(addressText, context.interfaceIndex);
  // The schema has seen the text: what is wrong now is an interface that this machine lacks.
  if (address?.ok === false) context.report({ ...address.problem, path: addressPath });
  return {
    path,
    addressPath,
    address: address?.ok === true ? address.value : undefined,
    addressText,
    draft: short ? { address: target } : target,
  };
}

/** The same text for the same address, however it was written. */
export function addressKey(address: TargetAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  if (address.kind === 'name') return `${address.host}:${address.port}`;
  const ip = formatIp(address.ip);
  return address.ip.family === 'ipv6' ? `[${ip}]:${address.port}` : `${ip}:${address.port}`;
}

export function protocolsOf(pool: PoolFacts): ReadonlySet<Protocol> {
  return new Set(pool.listeners.flatMap(({ protocol }) => protocol ?? []));
}
