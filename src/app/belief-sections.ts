// What the control plane believes, as sections of the state file: health, the operator's wishes
// and who is the primary.
// Only what still names a target of the configuration, by pool, name and address, is taken back.
import { z } from 'zod';
import type { HealthRecord } from '../control/beliefs.js';
import type { Controller } from '../control/controller.js';
import type { HealthChecker } from '../health/checker.js';
import type { ResolvedNames } from '../model/address-text.js';
import type { Config } from '../model/config.js';
import type { Pool } from '../model/pool.js';
import type { AdminState } from '../model/target.js';
import { configuredKey, keyOfParts, partsOfKey } from '../model/target-key.js';
import { type StateSection, stateSection } from '../state/state-section.js';
import { entriesMax, keySchema, keysWhere } from './section-keys.js';

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

const healthSchema = z
  .array(
    z.strictObject({
      ...keySchema,
      health: z.enum(['healthy', 'unhealthy']),
      since: z.iso.datetime(),
    }),
  )
  .max(entriesMax);
const adminSchema = z
  .array(z.strictObject({ ...keySchema, admin_state: z.enum(['draining', 'disabled']) }))
  .max(entriesMax);
const primarySchema = z.array(z.strictObject(keySchema)).max(entriesMax);

export function beliefSections(believers: Believers): readonly StateSection[] {
  return [healthSection(believers), adminSection(believers), primarySection(believers)];
}

function healthSection({ controller, checker, config, names }: Believers): StateSection {
  return stateSection({
    name: 'health',
    schema: healthSchema,
    save: () =>
      [...controller.beliefs().health].flatMap(([key, { health, since }]) =>
        health === 'unknown' ? [] : [{ ...partsOfKey(key), health, since: since.toISOString() }],
      ),
    restore: (entries, { ageMs }) => {
      if (ageMs > healthAgeMaxMs) return;
      const probed = keysWhere(config, names(), isProbed);
      const known = entries.filter((entry) => probed.has(keyOfParts(entry)));
      controller.restore({
        health: new Map(
          known.map(({ health, since, ...parts }): [string, HealthRecord] => [
            keyOfParts(parts),
            { health, reason: 'restored', latencyMs: null, detail: '', since: new Date(since) },
          ]),
        ),
      });
      checker.restore(new Map(known.map((entry) => [keyOfParts(entry), entry.health])));
    },
  });
}

/** A verdict on a target that is not probed would stay for ever. */
const isProbed = ({ health }: Pool): boolean => health.kind !== 'none';

function adminSection({ controller, config }: Believers): StateSection {
  return stateSection({
    name: 'admin_states',
    schema: adminSchema,
    save: () =>
      [...controller.beliefs().adminStates].flatMap(([key, state]) =>
        state === 'enabled' ? [] : [{ ...partsOfKey(key), admin_state: state }],
      ),
    restore: (entries) => {
      const configured = new Set(
        config.pools.flatMap((pool) => pool.targets.map((each) => configuredKey(pool.name, each))),
      );
      const adminStates = entries
        .filter((entry) => configured.has(keyOfParts(entry)))
        .map(({ admin_state: state, ...parts }): [string, AdminState] => [
          keyOfParts(parts),
          state,
        ]);
      controller.restore({ adminStates: new Map(adminStates) });
    },
  });
}

/** However old: who else claims to be the primary by now has to be confirmed against it. */
function primarySection({ controller, config, names }: Believers): StateSection {
  return stateSection({
    name: 'primaries',
    schema: primarySchema,
    save: () => [...controller.beliefs().roles.primaries.values()].map(partsOfKey),
    restore: (entries) => {
      const probed = keysWhere(config, names(), isProbed);
      const known = entries.filter((entry) => probed.has(keyOfParts(entry)));
      controller.restore({
        primaries: new Map(known.map((parts) => [parts.pool, keyOfParts(parts)])),
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
