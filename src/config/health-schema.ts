// The shape of a pool's health check: what all kinds have, and a section for each kind that has
// settings of its own. Which sections go with which type is checked by health-rules.
import { z } from 'zod';
import { probeKinds } from '../model/health-check.js';
import { defaults } from './defaults.js';
import {
  dnsSection,
  execSection,
  grpcSection,
  httpSection,
  sendExpectSection,
  tlsSection,
  udpSection,
} from './health-sections.js';
import { duration, either, fraction, integer, leaf, word } from './scalars.js';
import { parseFilePath, parseLoginText } from './text-leaves.js';

const typeMeta = {
  description: 'How to ask a target whether it works.',
  defaultText: 'tcp; none when only UDP listeners use the pool',
};

const loginText = (description: string, defaultText: string) =>
  leaf<string>(parseLoginText, { type: 'string', description, defaultText });

const loginSchema = z
  .strictObject({
    user: loginText('The user; not needed by redis.', 'none').optional(),
    password_file: leaf<string>(parseFilePath, {
      type: 'string',
      description: 'File whose first line is the password; read for every probe.',
      defaultText: 'none',
      examples: ['/etc/sluice/probe.password'],
    }).optional(),
    database: loginText('postgresql: the database to ask in.', '`postgres`').optional(),
  })
  .meta({ description: 'As whom to ask; with a login the role of a target is known.' });

const healthMap = z.strictObject({
  type: word(probeKinds, typeMeta).optional(),
  interval: duration(
    { minMs: 10 },
    { description: 'Time from probe to probe.', default: defaults.health.interval },
  ).optional(),
  fast_interval: duration(
    { minMs: 10 },
    {
      description: 'The same while a verdict is in doubt; at most the interval.',
      defaultText: 'the interval',
    },
  ).optional(),
  down_interval: duration(
    { minMs: 10 },
    { description: 'The same while a target is down.', defaultText: 'the interval' },
  ).optional(),
  timeout: duration(
    { minMs: 1 },
    {
      description: 'How long a probe may take; at most the interval.',
      defaultText: `the interval, at most ${defaults.health.timeoutMax}`,
    },
  ).optional(),
  rise: integer(
    { min: 1, max: 1000 },
    {
      description: 'Good probes in a row that bring a target back.',
      default: defaults.health.rise,
    },
  ).optional(),
  fall: integer(
    { min: 1, max: 1000 },
    { description: 'Bad probes in a row that take a target out.', default: defaults.health.fall },
  ).optional(),
  jitter: fraction(
    { min: 0, max: 0.5 },
    {
      description: 'Each interval is shortened at random by up to this share.',
      default: defaults.health.jitter,
    },
  ).optional(),
  initial: word(['healthy', 'unhealthy'], {
    description: 'What a target counts as before its first verdict.',
    default: defaults.health.initial,
  }).optional(),
  port: integer(
    { min: 1, max: 65_535 },
    { description: 'Port to ask at.', defaultText: "the target's own" },
  ).optional(),
  tls: tlsSection.optional(),
  http: httpSection.optional(),
  send_expect: sendExpectSection.optional(),
  dns: dnsSection.optional(),
  udp: udpSection.optional(),
  grpc: grpcSection.optional(),
  exec: execSection.optional(),
  login: loginSchema.optional(),
});

export const healthSchema = either(
  word(probeKinds, { description: 'The type alone.' }),
  healthMap,
  { description: 'How to find out which targets work: a type, or a map.' },
);
