// The shape of a configuration file: every key with its type, bounds, default and meaning. The
// JSON Schema for editors comes from it (json-schema.ts). Values stay as written; what several
// keys mean together is checked by rules.ts, and build.ts makes the model.
import { z } from 'zod';
import { adminSchema } from './admin-schema.js';
import { defaults } from './defaults.js';
import { listenerSchema } from './listener-schema.js';
import { poolSchema } from './pool-schema.js';
import { countRange, duration, flag, integer, integerOr, leaf, size, word } from './scalars.js';
import { namePattern, parseFilePath, parseLogOutput } from './text-leaves.js';

const engineSchema = z
  .strictObject({
    workers: integerOr(
      'auto',
      { min: 1, max: 64 },
      {
        description: 'Threads that move bytes; auto is one per CPU that sluice may use.',
        default: defaults.engine.workers,
      },
    ).optional(),
    max_connections: integerOr('auto', countRange, {
      description: 'TCP connections per worker; auto is what the descriptor limit allows.',
      default: defaults.engine.maxConnections,
    }).optional(),
    splice: word(['auto', 'off'], {
      description: 'auto moves large streams inside the kernel; off always copies.',
      default: defaults.engine.splice,
    }).optional(),
    buffer: size(
      { min: 4096, max: 1_048_576 },
      {
        description: 'The largest single read, and what is kept for a slow receiver.',
        default: defaults.engine.buffer,
      },
    ).optional(),
  })
  .meta({ description: 'The threads that move bytes. Changes need a restart.' });

const logSchema = z
  .strictObject({
    level: word(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
      description: 'The least severe records that are written.',
      default: defaults.log.level,
    }).optional(),
    format: word(['auto', 'json', 'pretty'], {
      description: 'auto is pretty on a terminal and json elsewhere.',
      default: defaults.log.format,
    }).optional(),
    output: leaf<string>(parseLogOutput, {
      type: 'string',
      description: 'stdout, stderr, the path of a file, or syslog://host:port.',
      default: defaults.log.output,
    }).optional(),
    access: leaf<string>(parseLogOutput, {
      type: 'string',
      description: 'Where access records go.',
      defaultText: 'that of `output`',
      examples: ['/var/log/sluice/access.log', 'syslog://192.0.2.1:514'],
    }).optional(),
    rotate: z
      .strictObject({
        size: size(
          { min: 65_536, max: 1024 ** 4 },
          { description: 'A file that would become larger is renamed first.' },
        ),
        keep: integer(
          { min: 0, max: 1000 },
          { description: 'Renamed files that are kept.', default: defaults.log.keep },
        ).optional(),
      })
      .meta({ description: 'Rotation of log files by size.' })
      .optional(),
  })
  .meta({ description: 'What sluice says about itself.' });

const shutdownSchema = z
  .strictObject({
    drain_timeout: duration(
      { minMs: 0 },
      {
        description: 'How long a stop waits for connections to end by themselves.',
        default: defaults.shutdown.drainTimeout,
      },
    ).optional(),
  })
  .meta({ description: 'What happens at SIGTERM.' });

const stateSchema = z
  .strictObject({
    file: leaf<string>(parseFilePath, {
      type: 'string',
      description: 'Path of the file, with a "/" in it; its folder must exist.',
      examples: ['/var/lib/sluice/state.json'],
    }),
    interval: duration(
      { minMs: 100 },
      {
        description: 'How much later a change is written.',
        default: defaults.state.interval,
      },
    ).optional(),
  })
  .meta({ description: 'What survives a restart of sluice. Changes need a restart.' });

const name = z.string().meta({ pattern: namePattern });
export const fileSchema = z.strictObject({
  listeners: z.record(name, listenerSchema).meta({
    description: 'Listeners by name.',
  }),
  pools: z.record(name, poolSchema).meta({ description: 'Pools by name.' }),
  engine: engineSchema.optional(),
  admin: adminSchema.optional(),
  log: logSchema.optional(),
  shutdown: shutdownSchema.optional(),
  state: stateSchema.optional(),
  watch: flag({
    description: 'Reload by itself when the file changes.',
    default: defaults.watch,
  }).optional(),
});

/** A file as written, known to have the right shape. */
export type FileConfig = z.output<typeof fileSchema>;
