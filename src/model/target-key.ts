// Identities of a target: what survives when a configuration is replaced by the next one.
import type { Endpoint } from './address.js';
import { formatAddress } from './address-text.js';
import type { Target } from './target.js';

/**
 * Names the thing that is measured and counted: slot, counters and health belong to it. A target
 * whose name now resolves to another address is another thing. JSON, because names may contain any
 * separator that one could choose.
 */
export function targetKey(pool: string, target: string, endpoint: Endpoint): string {
  return JSON.stringify([pool, target, formatAddress(endpoint)]);
}

/** What both kinds of key are made of. */
export interface KeyParts {
  readonly pool: string;
  readonly target: string;
  readonly address: string;
}

export function partsOfKey(key: string): KeyParts {
  const [pool = '', target = '', address = ''] = JSON.parse(key) as readonly string[];
  return { pool, target, address };
}

export function keyOfParts({ pool, target, address }: KeyParts): string {
  return JSON.stringify([pool, target, address]);
}

/** Names the thing that an operator speaks of: the address as configured, resolved or not. */
export function configuredKey(pool: string, target: Target): string {
  return JSON.stringify([pool, target.name, formatAddress(target.address)]);
}
