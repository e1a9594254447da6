// UDP echo: small datagrams in bursts and one by one, and large ones in runs (GSO).
import { BrokenMeasurement } from '../sanity.mjs';
import { startEchoTarget } from '../targets/echo.mjs';
import { cpuMetric, microsecondsEach } from './row.mjs';

/**
 * @typedef {object} UdpLoad
 * @property {string} name
 * @property {number} sessions
 * @property {number} burst
 * @property {number} size in bytes
 * @property {number} [reach] of CPU per datagram
 * @property {boolean} [gso]
 */

/** @param {UdpLoad} load @returns {import('./row.mjs').Row} */
function udp({ name, sessions, burst, size, reach, gso = false }) {
  return {
    name: `udp-${name}`,
    group: 'udp',
    title: `UDP echo of ${size} B, ${sessions} sessions x ${burst}${gso ? ', GSO' : ''}`,
    protocol: 'udp',
    tools: [],
    secondsEach: 1,
    metrics: [
      { name: 'rate', title: 'round trips', unit: '/s', better: 'higher' },
      cpuMetric({ unit: 'us/round trip', ...(reach === undefined ? {} : { reach }) }),
      { name: 'lost', title: 'lost', unit: '%', better: 'lower', plain: true },
      { name: 'p99', title: 'p99 of a burst', unit: 'us', better: 'lower' },
    ],
    measure: async (run) => {
      const target = await startEchoTarget(run, { protocol: 'udp', gso });
      const balancer = await run.startBalancer({ port: target.port, protocol: 'udp', bulk: gso });
      const { figures, usage, marks } = await run.generate(balancer, 'udp_echo', {
        sessions,
        burst,
        size,
        gso: gso ? 1 : 0,
        'duration-ms': run.durationMs,
      });
      const counted = (await target.counted())('received');
      const [sent, received] = [figures('sent'), figures('received')];
      if (counted < received) throw new BrokenMeasurement('more answers than the target saw');
      return {
        values: {
          rate: received / figures('seconds'),
          cpu: microsecondsEach(usage.coreSeconds, received),
          lost: (figures('lost') / sent) * 100,
          p99: figures('p99_us'),
        },
        usage,
        // What is lost on the way to the target is not seen there; that is the row's own metric.
        counts: [{ unit: 'datagrams', client: sent, target: counted, slack: figures('lost') }],
        marks,
      };
    },
  };
}

export const udpRows = [
  udp({ name: 'echo-64-bursts', sessions: 16, burst: 16, size: 64, reach: 0.6 }),
  udp({ name: 'echo-64-single', sessions: 200, burst: 1, size: 64, reach: 0.8 }),
  udp({ name: 'echo-512-bursts', sessions: 16, burst: 16, size: 512 }),
  udp({ name: 'bulk-1200', sessions: 8, burst: 32, size: 1200, gso: true, reach: 0.35 }),
];
