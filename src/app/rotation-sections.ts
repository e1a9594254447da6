// What takes targets out of rotation beside health and wishes, as sections of the state file:
// ejections, what agents have said, and the deadlines of drains.
// Only what names a target of the configuration, and still has rules there, is taken back.
import { z } from 'zod';
import type { Clock } from '../clock.js';
import type { Controller } from '../control/controller.js';
import type { EjectionRecord } from '../control/ejection-records.js';
import type { AgentWatcher } from '../health/agent-watcher.js';
import type { ResolvedNames } from '../model/address-text.js';
import { nothingSaid, sameWords } from '../model/agent.js';
import type { Config } from '../model/config.js';
import { ejectionReasons } from '../model/ejection.js';
import { configuredKey, keyOfParts, partsOfKey } from '../model/target-key.js';
import { type StateSection, stateSection } from '../state/state-section.js';
import { entriesMax, keySchema, keysWhere } from './section-keys.js';

export interface Rotation {
  readonly clock: Pick<Clock, 'wallTime'>;
  readonly controller: Pick<Controller, 'beliefs' | 'ejectionRecords' | 'drainRecords' | 'restore'>;
  readonly agents: Pick<AgentWatcher, 'words' | 'restore'>;
  /** The one of the start: restoring happens once, before it is applied. */
  readonly config: Config;
  readonly names: () => ResolvedNames;
}

const time = z.iso.datetime();
const amount = z.number().min(0).max(Number.MAX_SAFE_INTEGER);

const ejectionSchema = z
  .array(
    z.strictObject({
      ...keySchema,
      times: z.int().min(0).max(1_000_000),
      on_trial: z.boolean(),
      ejection: z
        .strictObject({ reason: z.enum(ejectionReasons), since: time, until: time })
        .nullable(),
    }),
  )
  .max(entriesMax);
const drainSchema = z
  .array(
    z.strictObject({ ...keySchema, since: time, deadline: time.nullable(), close_over_ms: amount }),
  )
  .max(entriesMax);
const agentSchema = z
  .array(
    z.strictObject({
      ...keySchema,
      weight: z.strictObject({ kind: z.enum(['share', 'weight']), value: amount }).nullable(),
      max_connections: z.int().min(0).max(0xffff_ffff).nullable(),
      admin_state: z.enum(['enabled', 'draining', 'disabled']).nullable(),
      up: z.boolean().nullable(),
    }),
  )
  .max(entriesMax);

/** The section of drains comes last, and after that of admin states: it goes by them. */
export function rotationSections(rotation: Rotation): readonly StateSection[] {
  return [ejectionSection(rotation), agentSection(rotation), drainSection(rotation)];
}

function ejectionSection({ clock, controller, config, names }: Rotation): StateSection {
  return stateSection({
    name: 'ejections',
    schema: ejectionSchema,
    save: () =>
      [...controller.ejectionRecords()].map(([key, { times, onTrial, ejection }]) => ({
        ...partsOfKey(key),
        times,
        on_trial: onTrial,
        ejection: ejection && {
          reason: ejection.reason,
          since: ejection.since.toISOString(),
          until: ejection.until.toISOString(),
        },
      })),
    restore: (entries, { ageMs }) => {
      const ruled = keysWhere(
        config,
        names(),
        ({ passive, outlier }) => passive !== null || outlier !== null,
      );
      const nowMs = clock.wallTime().getTime();
      const at = new Date(nowMs - ageMs);
      controller.restore({
        ejections: new Map(
          entries
            .filter((entry) => ruled.has(keyOfParts(entry)))
            .map(({ times, on_trial: onTrial, ejection: saved, ...parts }) => {
              const until = new Date(saved?.until ?? 0);
              // The first table must not have one that is over.
              const lasts = saved !== null && until.getTime() > nowMs;
              const ejection = lasts ? { ...saved, since: new Date(saved.since), until } : null;
              return [keyOfParts(parts), { ejection, times, onTrial, at }] as const;
            }),
        ) satisfies ReadonlyMap<string, EjectionRecord>,
      });
    },
  });
}

/** What agents say is theirs alone to take back: it does not grow old. */
function agentSection({ agents, config, names }: Rotation): StateSection {
  return stateSection({
    name: 'agents',
    schema: agentSchema,
    save: () =>
      [...agents.words()].flatMap(([key, words]) => {
        if (sameWords(words, nothingSaid)) return [];
        const { weight, maxConnections, adminState, up } = words;
        const said = { weight, max_connections: maxConnections, admin_state: adminState, up };
        return [{ ...partsOfKey(key), ...said }];
      }),
    restore: (entries) => {
      const asked = keysWhere(config, names(), ({ agent }) => agent !== null);
      agents.restore(
        new Map(
          entries
            .filter((entry) => asked.has(keyOfParts(entry)))
            .map(
              ({ weight, max_connections: maxConnections, admin_state: adminState, ...rest }) => {
                const { up, ...parts } = rest;
                return [keyOfParts(parts), { weight, maxConnections, adminState, up }] as const;
              },
            ),
        ),
      );
    },
  });
}

function drainSection({ controller, config, names }: Rotation): StateSection {
  return stateSection({
    name: 'drains',
    schema: drainSchema,
    save: () =>
      [...controller.drainRecords()].map(([key, { since, deadline, closeOverMs }]) => ({
        ...partsOfKey(key),
        since: since.toISOString(),
        deadline: deadline?.toISOString() ?? null,
        close_over_ms: closeOverMs,
      })),
    restore: (entries) => {
      const { adminStates } = controller.beliefs();
      // Of a target that is in use nothing may be closed.
      const out = keysWhere(config, names(), ({ name }, target) => {
        return (adminStates.get(configuredKey(name, target)) ?? 'enabled') !== 'enabled';
      });
      controller.restore({
        drains: new Map(
          entries
            .filter((entry) => out.has(keyOfParts(entry)))
            .map(({ since, deadline, close_over_ms: closeOverMs, ...parts }) => {
              const end = deadline === null ? null : new Date(deadline);
              return [keyOfParts(parts), { since: new Date(since), deadline: end, closeOverMs }];
            }),
        ),
      });
    },
  });
}
