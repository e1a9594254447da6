// The shape of a pool's stickiness.
import { z } from 'zod';
import { defaults } from './defaults.js';
import { duration, either, integer, word } from './scalars.js';

/** kCapacityMax in native/sticky/sticky_table.h: 1 GiB of entries. */
export const stickyCapacityMax = 16_777_216;

const stickyFull = z.strictObject({
  by: word(['source'], { description: 'What a client is known by: its address.' }),
  prefix_v4: integer(
    { min: 1, max: 32 },
    {
      description: 'Leading bits of an IPv4 client address that count.',
      default: defaults.sticky.prefixV4,
    },
  ).optional(),
  prefix_v6: integer(
    { min: 1, max: 128 },
    {
      description: 'Leading bits of an IPv6 client address that count.',
      default: defaults.sticky.prefixV6,
    },
  ).optional(),
  expire: duration(
    { minMs: 1000 },
    {
      description: 'How long a client is remembered after its last new connection or session.',
      default: defaults.sticky.expire,
    },
  ).optional(),
  capacity: integer(
    { min: 1, max: stickyCapacityMax },
    {
      description: 'Clients remembered at once; the least recently seen give way.',
      default: defaults.sticky.capacity,
    },
  ).optional(),
  when_down: word(['repick', 'refuse'], {
    description: "When the client's target is down or full: another one, or none.",
    default: defaults.sticky.whenDown,
  }).optional(),
  when_draining: word(['stay', 'repick'], {
    description: "When the client's target drains: still that one, or another.",
    default: defaults.sticky.whenDraining,
  }).optional(),
});

export const stickySchema = either(
  word(['off', 'source'], { description: 'What a client is known by, or off.' }),
  stickyFull,
  {
    description: 'Whether a client goes where it went before: a word, or a map with settings.',
    default: defaults.sticky.sticky,
  },
);
