// Reading the kernel's text files under /proc. Pure: the callers read the files.

/**
 * @typedef {object} CoreTimes CPU time of one core since boot, in seconds
 * @property {number} user with nice
 * @property {number} system without interrupts; kernel threads count here
 * @property {number} interrupts hard and soft
 * @property {number} steal taken by the hypervisor
 * @property {number} idle with waiting for I/O
 */

/** USER_HZ: a constant of Linux's interface to user space on every architecture we know. */
const ticksPerSecond = 100;

/**
 * The line of `core` in /proc/stat.
 * @param {string} stat
 * @param {number} core
 * @returns {CoreTimes}
 */
export function parseCoreTimes(stat, core) {
  const line = stat.split('\n').find((text) => text.startsWith(`cpu${core} `));
  if (line === undefined) throw new Error(`/proc/stat has no core ${core}`);
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, hard = 0, soft = 0, steal = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) / ticksPerSecond);
  return { user: user + nice, system, interrupts: hard + soft, steal, idle: idle + wait };
}

/** @param {CoreTimes} before @param {CoreTimes} after @returns {CoreTimes} */
export function spent(before, after) {
  return {
    user: after.user - before.user,
    system: after.system - before.system,
    interrupts: after.interrupts - before.interrupts,
    steal: after.steal - before.steal,
    idle: after.idle - before.idle,
  };
}

/**
 * Seconds of `elapsedSeconds` in which a core worked. What is left beside idling and the
 * hypervisor, and not the sum of user, system and interrupts: the kernel counts idling exactly, but
 * gives out the rest by what its tick meets. A core that sleeps and wakes thousands of times a
 * second is mostly met asleep: of 26 % of work the sum showed none.
 * @param {CoreTimes} times @param {number} elapsedSeconds
 */
export const busySeconds = ({ idle, steal }, elapsedSeconds) =>
  Math.max(0, elapsedSeconds - idle - steal);

/** CPU seconds of a process with all its threads, from /proc/PID/stat. @param {string} stat */
export function parseProcessSeconds(stat) {
  // The name in parentheses may hold spaces and parentheses: the fields follow the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  if (!Number.isFinite(user + system)) throw new Error('not the form of /proc/PID/stat');
  return (user + system) / ticksPerSecond;
}

/** The parent's id, from /proc/PID/stat. @param {string} stat */
export function parseParent(stat) {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** A value in KiB of a file of `Name:  123 kB` lines. @param {string} text @param {string} name */
export function parseKib(text, name) {
  const value = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`no line ${name}`);
  return Number(value);
}

/** TCP_LISTEN, and the state of a UDP socket that is not connected. */
const boundStates = new Set(['0A', '07']);

/**
 * Is there a listening (UDP: bound) socket in /proc/net/tcp?
 * @param {string} table
 * @param {number} port
 */
export function isBound(table, port) {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').some((line) => {
    const [, local = '', , state = ''] = line.trim().split(/\s+/);
    return local.endsWith(suffix) && boundStates.has(state);
  });
}
