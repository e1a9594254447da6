// The `tcp` map, the same in listeners (client side) and pools (target side).
import { z } from 'zod';
import { defaults } from './defaults.js';
import { duration, either, flag, integer, word } from './scalars.js';

export const tcpSchema = z
  .strictObject({
    nodelay: flag({
      description: 'TCP_NODELAY: send small writes at once.',
      default: defaults.tcp.nodelay,
    }).optional(),
    user_timeout: duration(
      { minMs: 1, off: true },
      {
        description: 'TCP_USER_TIMEOUT: how long sent bytes may stay unacknowledged.',
        default: defaults.tcp.userTimeout,
      },
    ).optional(),
    keepalive: either(
      word(['off'], { description: 'No keep-alive probes.' }),
      z.strictObject({
        idle: duration(
          { minMs: 1000, maxMs: 32_767_000, wholeSeconds: true },
          { description: 'Silence before the first probe.', default: defaults.keepalive.idle },
        ).optional(),
        interval: duration(
          { minMs: 1000, maxMs: 32_767_000, wholeSeconds: true },
          { description: 'Time between probes.', default: defaults.keepalive.interval },
        ).optional(),
        count: integer(
          { min: 1, max: 127 },
          {
            description: 'Unanswered probes that end the connection.',
            default: defaults.keepalive.count,
          },
        ).optional(),
      }),
      { description: 'TCP keep-alive: finds a side that vanished without a word.' },
    ).optional(),
  })
  .meta({ description: 'Socket options of TCP connections.' });
