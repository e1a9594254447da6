// Three network namespaces over veth pairs: client - balancer - target, and client - target beside
// them for "direct". Needs root.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { addressesBelow } from './topology.mjs';

const prefix = 'sluice-bench';
const roles = /** @type {const} */ (['client', 'balancer', 'target']);

/** @param {string[]} args */
const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

/**
 * The same for every contender: without it a run of short connections measures how soon the
 * client's or the balancer's own ports run out (28 000 ports, each held for a minute).
 */
const settings = ['net.ipv4.tcp_tw_reuse=1', 'net.ipv4.ip_local_port_range=1024 65535'];

/** Ends what runs in a namespace and removes it. @param {string} name */
function remove(name) {
  for (const pid of ip('netns', 'pids', name).split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Ended meanwhile.
    }
  }
  ip('netns', 'delete', name);
}

/** Namespaces of a bench that was killed: named after a process that is gone. */
function removeAbandoned() {
  if (!existsSync('/run/netns')) return;
  for (const name of readdirSync('/run/netns')) {
    const owner = new RegExp(`^${prefix}-(\\d+)-`).exec(name)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) remove(name);
  }
}

/**
 * A veth pair between two namespaces.
 * @param {{ name: string, ends: { namespace: string, address: string }[] }} link
 */
function connect({ name, ends }) {
  const [first, second] = ends;
  if (first === undefined || second === undefined) throw new Error('a link has two ends');
  ip(
    ...['link', 'add', name, 'netns', first.namespace, 'type', 'veth'],
    ...['peer', 'name', name, 'netns', second.namespace],
  );
  for (const { namespace, address } of ends) {
    ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', name);
    ip('-n', namespace, 'link', 'set', name, 'up');
  }
}

/**
 * @param {import('../cleanup.mjs').Cleanup} cleanup
 * @returns {import('./topology.mjs').Topology}
 */
export function namespaces(cleanup) {
  removeAbandoned();
  const [client, balancer, target] = roles.map((role) => `${prefix}-${process.pid}-${role}`);
  if (!client || !balancer || !target) throw new Error('a namespace has no name');
  for (const name of [client, balancer, target]) {
    ip('netns', 'add', name);
    cleanup.add(() => remove(name));
    ip('-n', name, 'link', 'set', 'lo', 'up');
    for (const setting of settings) {
      execFileSync('ip', ['netns', 'exec', name, 'sysctl', '-q', '-w', setting]);
    }
  }
  const end = (/** @type {string} */ namespace, /** @type {string} */ address) => ({
    namespace,
    address,
  });
  connect({ name: 'near', ends: [end(client, '10.77.1.1'), end(balancer, '10.77.1.2')] });
  connect({ name: 'far', ends: [end(balancer, '10.77.2.1'), end(target, '10.77.2.2')] });
  connect({ name: 'direct', ends: [end(client, '10.77.3.1'), end(target, '10.77.3.2')] });
  // A whole network that the target takes for its own: thousands of targets without an interface.
  ip('-n', target, 'route', 'add', 'local', '10.78.0.0/16', 'dev', 'lo');
  ip('-n', balancer, 'route', 'add', '10.78.0.0/16', 'via', '10.77.2.2');
  const inside = (/** @type {string} */ name) => ['ip', 'netns', 'exec', name];
  return {
    name: 'namespaces',
    prefix: { client: inside(client), balancer: inside(balancer), target: inside(target) },
    balancerAddress: '10.77.1.2',
    targetAddress: '10.77.2.2',
    targetListen: '0.0.0.0',
    directAddress: '10.77.3.2',
    manyTargets: (count) => addressesBelow('10.78', count),
    manyTargetsDevice: null,
  };
}
