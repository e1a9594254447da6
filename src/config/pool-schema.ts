// The shape of a pool and of its targets.
import { z } from 'zod';
import { loadKinds, policyKeys, policyNames } from '../model/policy.js';
import { defaults } from './defaults.js';
import { drainCloseOverRules, drainDeadlineRules } from './drain-durations.js';
import { outlierSchema, passiveSchema } from './ejection-schema.js';
import { healthSchema } from './health-schema.js';
import { agentSection } from './health-sections.js';
import { anyInterface } from './ip.js';
import { retrySchema } from './retry-schema.js';
import { countRange, duration, either, flag, integer, integerOr, leaf, word } from './scalars.js';
import { stickySchema } from './sticky-schema.js';
import { parseSource, parseTargetAddress } from './target-address.js';
import { tcpSchema } from './tcp-schema.js';
import { parseTargetName, targetNamePattern } from './text-leaves.js';
import { tiersSchema } from './tier-schema.js';

const address = leaf<string>((value) => parseTargetAddress(value, anyInterface), {
  type: 'string',
  description: 'Where the target is: host:port, where host is an IP address or a name; or unix:',
  examples: ['10.0.0.1:5432', '[fd00::1]:5432', 'db1.example:5432', 'unix:/run/x.sock'],
});
const targetFull = z.strictObject({
  address,
  name: leaf<string>(parseTargetName, {
    type: 'string',
    pattern: targetNamePattern,
    description: 'Its name in logs and metrics, and its identity for consistent policies.',
    defaultText: 'the address',
  }).optional(),
  weight: integer(
    { min: 0, max: 65_535 },
    {
      description: 'Its share, relative to the others; 0 takes no new connections.',
      default: defaults.target.weight,
    },
  ).optional(),
  priority: integer(
    { min: 0, max: 15 },
    {
      description: 'Its rank in the pool: lower is asked first, others take what spills over.',
      default: defaults.target.priority,
    },
  ).optional(),
  backup: flag({
    description: 'Picked only when no other target can be.',
    default: defaults.target.backup,
  }).optional(),
  max_connections: integerOr('off', countRange, {
    description: 'Connections and sessions at once, over all workers.',
    default: defaults.target.maxConnections,
  }).optional(),
});
const targetSchema = either(address, targetFull, {
  description: 'An address, or a map with more about the target.',
});

/** Below 125 nearly every new connection would be turned away by its first choice. */
const boundedLoadRange = { min: 125, max: 1000 } as const;

const policyWord = word(policyNames, {
  description: 'How a target is picked for a new connection or session.',
  default: defaults.pool.policy,
});
const policyFull = z.strictObject({
  name: word(policyNames, { description: 'The policy.' }),
  key: word(policyKeys, {
    description: 'What ring_hash and maglev decide by.',
    default: defaults.policy.key,
  }).optional(),
  prefix_v4: integer(
    { min: 1, max: 32 },
    {
      description: 'Leading bits of an IPv4 client address that count in a key.',
      default: defaults.policy.prefixV4,
    },
  ).optional(),
  prefix_v6: integer(
    { min: 1, max: 128 },
    {
      description: 'Leading bits of an IPv6 client address that count in a key.',
      default: defaults.policy.prefixV6,
    },
  ).optional(),
  load: word(loadKinds, {
    description: 'Policies that count load: what counts as the load of a target.',
    default: defaults.policy.load,
  }).optional(),
  bounded_load: integerOr('off', boundedLoadRange, {
    description: 'source_hash, ring_hash, maglev: percent of the mean load that a target may have.',
    default: defaults.policy.boundedLoad,
  }).optional(),
});

const source = leaf<string>((value) => parseSource(value, anyInterface), {
  type: 'string',
  description: 'An IP address of this machine, without a port.',
  examples: ['10.0.0.5'],
});
const waiters = { min: 1, max: 1_048_576 } as const;
const queueSchema = z.strictObject({
  max: integer(waiters, {
    description: 'Connections that wait at once, over all workers.',
    default: defaults.queue.max,
  }).optional(),
  timeout: duration(
    { minMs: 1 },
    { description: 'Longest wait for a place.', default: defaults.queue.timeout },
  ).optional(),
});
const parkSchema = z
  .strictObject({
    max: integer(waiters, {
      description: 'Connections that are parked at once, over all workers.',
      default: defaults.park.max,
    }).optional(),
    timeout: duration(
      { minMs: 1 },
      { description: 'Longest wait for a target.', default: defaults.park.timeout },
    ).optional(),
  })
  .meta({ description: 'Bounds of when_none_healthy: park.' });

const drainSchema = z
  .strictObject({
    deadline: duration(drainDeadlineRules, {
      description: 'For how long connections may end by themselves; off: for ever.',
      default: defaults.drain.deadline,
    }).optional(),
    close_over: duration(drainCloseOverRules, {
      description: 'Over which time those that are left are closed, evenly.',
      default: defaults.drain.closeOver,
    }).optional(),
  })
  .meta({ description: 'How the connections of a target end when it is drained.' });

export const poolSchema = z
  .strictObject({
    policy: either(policyWord, policyFull, {
      description: 'How to pick: a word, or a map with settings of the policy.',
      default: defaults.pool.policy,
    }).optional(),
    sticky: stickySchema.optional(),
    targets: z.array(targetSchema).min(1).meta({
      description: 'The targets, in the order in which rotations visit them.',
    }),
    health: healthSchema.optional(),
    agent: agentSection.optional(),
    retries: integer(
      { min: 0, max: 15 },
      {
        description: 'Further targets tried when a connect fails.',
        default: defaults.pool.retries,
      },
    ).optional(),
    retry: retrySchema
      .meta({ description: 'Where a failed connect is tried again, when, and how often at most.' })
      .optional(),
    when_none_healthy: word(['refuse', 'use_all', 'park'], {
      description: 'With no healthy target: refuse clients, use the unhealthy ones, or wait.',
      default: defaults.pool.whenNoneHealthy,
    }).optional(),
    on_down: word(['keep', 'drain', 'close'], {
      description: 'Connections of a target that goes down: leave them, drain or close them.',
      default: defaults.pool.onDown,
    }).optional(),
    drain: drainSchema.optional(),
    tiers: tiersSchema
      .meta({ description: 'How connections are spread over the priorities of the targets.' })
      .optional(),
    role: word(['any', 'primary', 'replica'], {
      description: 'Use only targets whose probe says that they are this.',
      default: defaults.pool.role,
    }).optional(),
    role_confirm: integer(
      { min: 1, max: 100 },
      {
        description: 'Good probes in a row until a new primary takes over from the old one.',
        default: defaults.pool.roleConfirm,
      },
    ).optional(),
    backups: word(['one', 'all'], {
      description: 'Backups are used one after the other, or all together.',
      default: defaults.pool.backups,
    }).optional(),
    passive: passiveSchema
      .meta({
        description: 'Skips a target for a time when connects to it fail.',
        defaultText: 'off',
      })
      .optional(),
    outlier: outlierSchema
      .meta({
        description: 'Ejects targets that behave unlike the others.',
        defaultText: 'off',
      })
      .optional(),
    queue: either(word(['off'], { description: 'Nobody waits.' }), queueSchema, {
      description: 'Who waits when every target is at its max_connections.',
      default: defaults.pool.queue,
    }).optional(),
    park: parkSchema.optional(),
    source: either(source, z.array(source).min(1).max(64), {
      description: 'Source address of connections to targets; several are used in turn.',
      defaultText: 'the kernel chooses',
    }).optional(),
    tcp: tcpSchema.optional(),
  })
  .meta({ description: 'A named set of targets with a policy and a health check.' });
