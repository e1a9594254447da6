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

/** Names the thing that an operator speaks of: the address as configured, resolved or not. */
export function configuredKey(pool: string, target: Target): string {
  return JSON.stringify([pool, target.name, formatAddress(target.address)]);
}
