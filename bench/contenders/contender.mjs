// What is measured: a balancer, the floor relay, or nothing in between ("direct").

/** @typedef {'tcp' | 'udp'} Protocol */
/** @typedef {'subject' | 'peer' | 'floor' | 'direct'} Kind */

/**
 * @typedef {object} Job what a balancer shall do
 * @property {Protocol} protocol
 * @property {string} listen address:port
 * @property {string[]} targets address:port each
 * @property {string} folder for its files; removed afterwards
 * @property {boolean} [bulk] UDP: large datagrams in runs
 * @property {number} [workers] 1 when absent; more only for contenders that scale
 * @property {string | { name: string, load: string }} [policy] of sluice; its default when absent
 */

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {Kind} kind
 * @property {readonly Protocol[]} protocols
 * @property {readonly string[]} tools
 * @property {readonly string[]} [groups] of rows on which it differs from another; all when absent
 * @property {(job: Job) => string[]} command writes its configuration and returns its command
 * @property {() => string} version
 */

/** @param {string} address such as 10.0.0.1:80 */
export function portOf(address) {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
