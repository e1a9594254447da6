// Every contender, in the order of the tables.
import { direct, floor } from './floor.mjs';
import { haproxy, haproxySplice } from './haproxy.mjs';
import { nginx } from './nginx.mjs';
import { pen } from './pen.mjs';
import { sluice } from './sluice.mjs';

/** @type {readonly import('./contender.mjs').Contender[]} */
export const allContenders = [sluice, haproxy, haproxySplice, nginx, pen, floor, direct];
