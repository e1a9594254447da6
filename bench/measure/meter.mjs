// What a load cost: CPU of the balancer's core (interrupts and kernel threads included, so that
// nothing hides), of its processes, and how busy the client's core was.
import { readdirSync, readFileSync } from 'node:fs';
import {
  busySeconds,
  parseCoreTimes,
  parseKib,
  parseParent,
  parseProcessSeconds,
  spent,
} from './proc.mjs';

/**
 * @typedef {object} Usage
 * @property {number} elapsedSeconds
 * @property {number} coreSeconds CPU time of the balancer's core
 * @property {number} processSeconds CPU time of the balancer's processes on all cores
 * @property {number} coreShare how busy the balancer's core was, 0 to 1
 * @property {number} clientShare how busy the client's core was
 * @property {number} othersShare of the balancer's core that was not the balancer's work
 */

/** A process and its descendants. @param {number} root @returns {number[]} */
export function processTree(root) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = parseParent(readFileSync(`/proc/${name}/stat`, 'utf8'));
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // Ended while we looked.
    }
  }
  /** @type {(pid: number) => number[]} */
  const under = (pid) => [pid, ...(children.get(pid) ?? []).flatMap(under)];
  return under(root);
}

/** @param {readonly number[]} pids */
function processSeconds(pids) {
  return pids
    .map((pid) => parseProcessSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8')))
    .reduce((sum, seconds) => sum + seconds, 0);
}

/**
 * User-space memory of processes, each shared page by its share, in KiB.
 * @param {readonly number[]} pids
 */
export function memoryKib(pids) {
  return pids
    .map((pid) => parseKib(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'), 'Pss'))
    .reduce((sum, kib) => sum + kib, 0);
}

/** Slab memory of the whole machine in KiB: sockets, descriptors, what epoll keeps. */
export function slabKib() {
  return parseKib(readFileSync('/proc/meminfo', 'utf8'), 'Slab');
}

/**
 * Runs `load` and returns its result with what it cost.
 * @template T
 * @param {{ pid: number, balancerCore: number, clientCore: number }} where pid 0: no balancer
 * @param {() => Promise<T>} load
 * @returns {Promise<{ result: T, usage: Usage }>}
 */
export async function metered({ pid, balancerCore, clientCore }, load) {
  const pids = pid === 0 ? [] : processTree(pid);
  const read = () => {
    const stat = readFileSync('/proc/stat', 'utf8');
    return {
      balancer: parseCoreTimes(stat, balancerCore),
      client: parseCoreTimes(stat, clientCore),
      processes: processSeconds(pids),
      atMs: performance.now(),
    };
  };
  const before = read();
  const result = await load();
  const after = read();
  const elapsedSeconds = (after.atMs - before.atMs) / 1000;
  const balancer = spent(before.balancer, after.balancer);
  const coreSeconds = busySeconds(balancer, elapsedSeconds);
  const ofProcesses = after.processes - before.processes;
  const others = Math.max(0, balancer.user + balancer.system - ofProcesses);
  const client = spent(before.client, after.client);
  return {
    result,
    usage: {
      elapsedSeconds,
      coreSeconds,
      processSeconds: ofProcesses,
      coreShare: coreSeconds / elapsedSeconds,
      clientShare: busySeconds(client, elapsedSeconds) / elapsedSeconds,
      // Without a balancer whatever runs there is somebody else's, and disturbs nobody.
      othersShare: pid === 0 ? 0 : others / elapsedSeconds,
    },
  };
}
