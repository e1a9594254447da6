// Everything on one loopback: works for anyone, but flatters copies and hides the network.
import { addressesBelow } from './topology.mjs';

/** @returns {import('./topology.mjs').Topology} */
export function loopback() {
  return {
    name: 'loopback',
    prefix: { client: [], balancer: [], target: [] },
    balancerAddress: '127.0.0.1',
    targetAddress: '127.0.0.1',
    targetListen: '127.0.0.1',
    directAddress: '127.0.0.1',
    // All of 127.0.0.0/8 is local.
    manyTargets: (count) => addressesBelow('127.78', count),
    // Not every device: nothing of the bench is to be reached from outside.
    manyTargetsDevice: 'lo',
  };
}
