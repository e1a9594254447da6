// Where client, balancer and target are: on one loopback, or in network namespaces of their own.
import { createServer } from 'node:net';

/** @typedef {import('../programs.mjs').Role} Role */

/**
 * @typedef {object} Topology
 * @property {'loopback' | 'namespaces'} name
 * @property {Readonly<Record<Role, readonly string[]>>} prefix of commands
 * @property {string} balancerAddress as clients see the balancer
 * @property {string} targetAddress as the balancer sees the target
 * @property {string} targetListen what a target binds to
 * @property {string} directAddress as clients see the target without a balancer
 * @property {(count: number) => string[]} manyTargets addresses that all lead to a target which is
 *   bound to every address of `manyTargetsDevice`
 * @property {string | null} manyTargetsDevice null: of all devices of the target's namespace
 */

/**
 * Addresses 1.1 to 254.254 below a /16, which the target answers as its own.
 * @param {string} network such as 10.78 @param {number} count
 */
export function addressesBelow(network, count) {
  return Array.from(
    { length: count },
    (_, i) => `${network}.${1 + Math.floor(i / 254)}.${1 + (i % 254)}`,
  );
}

/** A port that nothing uses now. @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
