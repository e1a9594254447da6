// The form in which sections of the state file name targets.
import { z } from 'zod';
import { endpointOf, type ResolvedNames } from '../model/address-text.js';
import type { Config } from '../model/config.js';
import type { Pool } from '../model/pool.js';
import type { Target } from '../model/target.js';
import { targetKey } from '../model/target-key.js';

/** Of the engine, for targets. */
export const entriesMax = 16_384;

const part = z.string().max(1024);

/** KeyParts of model/target-key. */
export const keySchema = { pool: part, target: part, address: part };

/** targetKeys of such targets, as far as their addresses are known. */
export function keysWhere(
  config: Config,
  names: ResolvedNames,
  applies: (pool: Pool, target: Target) => boolean,
): ReadonlySet<string> {
  return new Set(
    config.pools.flatMap((pool) =>
      pool.targets.flatMap((target) => {
        const endpoint = endpointOf(target.address, names);
        if (endpoint === null || !applies(pool, target)) return [];
        return [targetKey(pool.name, target.name, endpoint)];
      }),
    ),
  );
}
