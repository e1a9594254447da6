// What the control plane believes, as sections of the state file: health, the operator's wishes
// and who is the primary.
// Only what still names a target of the configuration, by pool, name and address, is taken back.
import { z } from 'zod';
import type { HealthRecord } from '../control/beliefs.js';
import type { Controller } from '../control/controller.js';
import type { HealthChecker } from '../health/checker.js';
import { endpointOf, type ResolvedNames } from '../model/address-text.js';
import type { Config } from '../model/config.js';
import type { AdminState } from '../model/target.js';
import { configuredKey, targetKey } from '../model/target-key.js';
import { type StateSection, stateSection } from '../state/state-section.js';

export interface Believers {
  readonly controller: Pick<Controller, 'beliefs' | 'restore'>;
  readonly checker: Pick<HealthChecker, 'restore'>;
  /** The one of the start: restoring happens once, before it is applied. */
  readonly config: Config;
  readonly names: () => ResolvedNames;
}

/**
 * Health of longer ago is not believed: whoever was down then is as likely up by now. The file is
 * written every minute, so that this is the time without any sluice, and not since a change.
 */
export const healthAgeMaxMs = 10 * 60_000;

/** Of the engine, for targets; and what the keys of model/target-key are made of. */
const entriesMax = 16_384;
const part = z.string().max(1024);
const keyParts = { pool: part, target: part, address: part };

const healthSchema = z
  .array(
    z.strictObject({
      ...keyParts,
      health: z.enum(['healthy', 'unhealthy']),
      since: z.iso.datetime(),
    }),
  )
  .max(entriesMax);
const adminSchema = z
  .array(z.strictObject({ ...keyParts, admin_state: z.enum(['draining', 'disabled']) }))
  .max(entriesMax);
const primarySchema = z.array(z.strictObject(keyParts)).max(entriesMax);

interface KeyParts {
  readonly pool: string;
  readonly target: string;
  readonly address: string;
}

/** model/target-key makes both kinds of key from the same three parts. */
function partsOf(key: string): KeyParts {
  const [pool = '', target = '', address = ''] = JSON.parse(key) as readonly string[];
  return { pool, target, address };
}

const keyOf = ({ pool, target, address }: KeyParts): string =>
  JSON.stringify([pool, target, address]);

export function beliefSections(believers: Believers): readonly StateSection[] {
  return [healthSection(believers), adminSection(believers), primarySection(believers)];
}

function healthSection({ controller, checker, config, names }: Believers): StateSection {
  return stateSection({
    name: 'health',
    schema: healthSchema,
    save: () =>
      [...controller.beliefs().health].flatMap(([key, { health, since }]) =>
        health === 'unknown' ? [] : [{ ...partsOf(key), health, since: since.toISOString() }],
      ),
    restore: (entries, { ageMs }) => {
      if (ageMs > healthAgeMaxMs) return;
      const probed = probedKeys(config, names());
      const known = entries.filter((entry) => probed.has(keyOf(entry)));
      controller.restore({
        health: new Map(
          known.map(({ health, since, ...parts }): [string, HealthRecord] => [
            keyOf(parts),
            { health, reason: 'restored', latencyMs: null, detail: '', since: new Date(since) },
          ]),
        ),
      });
      checker.restore(new Map(known.map((entry) => [keyOf(entry), entry.health])));
    },
  });
}

/** A verdict on a target that is not probed would stay for ever. */
function probedKeys(config: Config, names: ResolvedNames): ReadonlySet<string> {
  return new Set(
    config.pools
      .filter(({ health }) => health.kind !== 'none')
      .flatMap((pool) =>
        pool.targets.flatMap(({ name, address }) => {
          const endpoint = endpointOf(address, names);
          return endpoint === null ? [] : [targetKey(pool.name, name, endpoint)];
        }),
      ),
  );
}

function adminSection({ controller, config }: Believers): StateSection {
  return stateSection({
    name: 'admin_states',
    schema: adminSchema,
    save: () =>
      [...controller.beliefs().adminStates].flatMap(([key, state]) =>
        state === 'enabled' ? [] : [{ ...partsOf(key), admin_state: state }],
      ),
    restore: (entries) => {
      const configured = new Set(
        config.pools.flatMap((pool) => pool.targets.map((each) => configuredKey(pool.name, each))),
      );
      const adminStates = entries
        .filter((entry) => configured.has(keyOf(entry)))
        .map(({ admin_state: state, ...parts }): [string, AdminState] => [keyOf(parts), state]);
      controller.restore({ adminStates: new Map(adminStates) });
    },
  });
}

/** However old: who else claims to be the primary by now has to be confirmed against it. */
function primarySection({ controller, config, names }: Believers): StateSection {
  return stateSection({
    name: 'primaries',
    schema: primarySchema,
    save: () => [...controller.beliefs().roles.primaries.values()].map(partsOf),
    restore: (entries) => {
      const probed = probedKeys(config, names());
      const known = entries.filter((entry) => probed.has(keyOf(entry)));
      controller.restore({
        primaries: new Map(known.map((parts) => [parts.pool, keyOf(parts)])),
      });
    },
  });
}

/** The checker learns the operator's wishes from who sets them; these were set before it ran. */
export function pauseDisabled(
  config: Config,
  controller: Pick<Controller, 'beliefs'>,
  checker: Pick<HealthChecker, 'setAdminState'>,
): void {
  const { adminStates } = controller.beliefs();
  for (const pool of config.pools) {
    for (const target of pool.targets) {
      if (adminStates.get(configuredKey(pool.name, target)) !== 'disabled') continue;
      checker.setAdminState(pool.name, target.name, 'disabled');
    }
  }
}
