// The form in which sections of the state file name targets.
import { z } from 'zod';
import { endpointOf, type ResolvedNames } from '../model/address-text.js';
import type { Config } from '../model/config.js';
import type { Pool } from '../model/pool.js';
import { targetKey } from '../model/target-key.js';

/** Of the engine, for targets. */
export const entriesMax = 16_384;

const part = z.string().max(1024);

/** KeyParts of model/target-key. */
export const keySchema = { pool: part, target: part, address: part };

/** targetKeys of such pools, of targets whose addresses are known. */
export function keysWhere(
  config: Config,
  names: ResolvedNames,
  applies: (pool: Pool) => boolean,
): ReadonlySet<string> {
  return new Set(
    config.pools.filter(applies).flatMap((pool) =>
      pool.targets.flatMap(({ name, address }) => {
        const endpoint = endpointOf(address, names);
        return endpoint === null ? [] : [targetKey(pool.name, name, endpoint)];
      }),
    ),
  );
}
