// Every row, in the order of the table.
import { bulkRows } from './bulk.mjs';
import { controlRows } from './control.mjs';
import { growthRows } from './growth.mjs';
import { httpRows } from './http.mjs';
import { idleRows } from './idle.mjs';
import { openLoopRows } from './open-loop.mjs';
import { postgresRows } from './postgres.mjs';
import { redisRows } from './redis.mjs';
import { turnsRows } from './turns.mjs';
import { udpRows } from './udp.mjs';

/** @type {readonly import('./row.mjs').Row[]} */
export const allRows = [
  ...bulkRows,
  ...httpRows,
  ...redisRows,
  ...postgresRows,
  ...openLoopRows,
  ...udpRows,
  ...idleRows,
  ...growthRows,
  ...turnsRows,
  ...controlRows,
];

/** What `npm run bench:quick` measures: one of each kind of load. */
export const quickRows = [
  'bulk-1-to-client',
  'http-keep-alive-64',
  'http-close',
  'redis-plain',
  'udp-echo-64-bursts',
];
