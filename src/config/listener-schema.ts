// The shape of a listener.
import { z } from 'zod';
import { parseBind } from './bind-address.js';
import { defaults } from './defaults.js';
import { anyInterface } from './ip.js';
import {
  countRange,
  duration,
  either,
  flag,
  integer,
  integerOr,
  leaf,
  size,
  word,
} from './scalars.js';
import { tcpSchema } from './tcp-schema.js';
import { parseText, parseUnixMode, unixModePattern } from './text-leaves.js';

const timeoutsSchema = z
  .strictObject({
    connect: duration(
      { minMs: 1 },
      {
        description: 'Longest try to connect to one target.',
        default: defaults.timeouts.connect,
      },
    ).optional(),
    idle: duration(
      { minMs: 1, off: true },
      {
        description: 'A connection or session ends after this long without a byte either way.',
        defaultText: `${defaults.timeouts.idleTcp} (tcp), ${defaults.timeouts.idleUdp} (udp)`,
      },
    ).optional(),
    half_close: duration(
      { minMs: 1, off: true },
      {
        description: 'Longest silence of one side after the other has closed.',
        default: defaults.timeouts.halfClose,
      },
    ).optional(),
    lifetime: duration(
      { minMs: 1, off: true },
      {
        description: 'A connection or session ends at this age, busy or not.',
        default: defaults.timeouts.lifetime,
      },
    ).optional(),
  })
  .meta({ description: 'Time limits of connections and sessions.' });

const udpSchema = z
  .strictObject({
    requests: integerOr('off', countRange, {
      description:
        'Datagrams of a client per session; the next one opens a new session, with a new pick.',
      default: 'off',
    }).optional(),
    responses: integerOr('off', countRange, {
      description: 'Answers per request, after which a session ends; 1 suits DNS.',
      default: 'off',
    }).optional(),
    max_sessions: integer(
      { min: 1, max: 1_048_576 },
      {
        description:
          'Sessions at once, per worker; at the bound unproven and silent ones give way first.',
        default: defaults.udp.maxSessions,
      },
    ).optional(),
  })
  .meta({ description: 'Bounds of UDP sessions.' });

const bind = leaf<string>((value) => parseBind(value, anyInterface), {
  type: 'string',
  description: 'Where clients arrive: an IP address with a port or a range, or a unix socket.',
  examples: ['127.0.0.1:8080', '[::1]:8080', '*:8080', '*:8000-8010', 'unix:/run/x.sock'],
});
export const listenerSchema = z
  .strictObject({
    bind: either(bind, z.array(bind).min(1), {
      description: 'One address, or a list of addresses.',
    }),
    protocol: word(['tcp', 'udp'], {
      description: 'What arrives: TCP connections or UDP datagrams.',
      default: defaults.listener.protocol,
    }).optional(),
    pool: leaf<string>(parseText, {
      type: 'string',
      description: 'The pool whose targets serve this listener.',
    }),
    timeouts: timeoutsSchema.optional(),
    backlog: integer(
      { min: 1, max: 65_535 },
      {
        description: 'Connections that may wait in the kernel to be accepted.',
        default: defaults.listener.backlog,
      },
    ).optional(),
    max_connections: integerOr('off', countRange, {
      description: 'Connections at once over all workers; at the limit new ones wait.',
      default: defaults.listener.maxConnections,
    }).optional(),
    ipv6_only: flag({
      description: 'Binds to [::] and * leave IPv4 alone.',
      default: defaults.listener.ipv6Only,
    }).optional(),
    unix_mode: leaf<string>(parseUnixMode, {
      type: 'string',
      pattern: unixModePattern,
      description: "Permission bits of a unix socket's file, in octal and in quotes.",
      default: defaults.listener.unixMode,
    }).optional(),
    replay_safe: flag({
      description:
        'What a client sends may be sent again to another target, if the first ends unheard.',
      default: defaults.listener.replaySafe,
    }).optional(),
    replay_buffer: size(
      { min: 1024, max: 65_536 },
      {
        description: 'Whole KiB of what a client sends that are kept to be sent again.',
        default: defaults.listener.replayBuffer,
      },
    ).optional(),
    tcp: tcpSchema.optional(),
    udp: udpSchema.optional(),
    bulk: flag({
      description: 'Large datagrams in streams: let the kernel join them on receipt (GRO).',
      default: defaults.listener.bulk,
    }).optional(),
    access_log: flag({
      description: 'One log record for each connection or session that ends.',
      default: defaults.listener.accessLog,
    }).optional(),
  })
  .meta({ description: 'An address and protocol where clients arrive.' });
