// Bulk TCP: iperf3 as fast as it goes, one stream and eight, in both directions.
import { readFileSync } from 'node:fs';
import { portOf } from '../contenders/contender.mjs';
import { BrokenMeasurement } from '../sanity.mjs';
import { pathOf } from '../tools.mjs';
import { cpuMetric } from './row.mjs';

/**
 * What may be under way on one stream when time is up: the buffers of two connections, a sending
 * and a receiving one each, as large as the kernel lets them grow, and a pipe.
 */
function slackBytesPerStream() {
  const [write, read] = ['tcp_wmem', 'tcp_rmem'].map((name) =>
    Number(readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8').trim().split(/\s+/).at(-1)),
  );
  return 2 * ((write ?? 0) + (read ?? 0)) + 2 ** 20;
}

/**
 * Bytes that left and bytes that arrived, as both of iperf3's ends report them.
 * @param {string} output of iperf3 -J
 */
export function parseIperf(output) {
  const report = JSON.parse(output);
  if (report.error !== undefined) throw new BrokenMeasurement(`iperf3: ${report.error}`);
  const { sum_sent: sent, sum_received: received } = report.end;
  return {
    sentBytes: Number(sent.bytes),
    receivedBytes: Number(received.bytes),
    seconds: Number(received.seconds),
  };
}

/**
 * @param {number} streams @param {'target' | 'client'} to
 * @returns {import('./row.mjs').Row}
 */
function bulk(streams, to) {
  const one = streams === 1;
  return {
    name: `bulk-${streams}-to-${to}`,
    group: 'bulk',
    title: `bulk TCP, ${streams} stream${one ? '' : 's'} to the ${to}`,
    protocol: 'tcp',
    tools: ['iperf3'],
    secondsEach: 1.5,
    metrics: [
      {
        name: 'rate',
        title: 'throughput',
        unit: 'Gb/s',
        better: 'higher',
        ...(one ? { reach: 1.4 } : {}),
      },
      cpuMetric({ unit: 's/GB', reach: one ? 0.7 : 0.9 }),
    ],
    measure: async (run) => {
      const listen = await run.targetListen();
      const [host = '', port = ''] = listen.split(':');
      const target = run.programs.start('target', [pathOf('iperf3'), '-s', '-B', host, '-p', port]);
      await target.bound('tcp', portOf(listen));
      const balancer = await run.startBalancer({ port: portOf(listen) });
      const [address = '', at = ''] = balancer.address.split(':');
      const { output, usage, marks } = await run.load(balancer, [
        ...[pathOf('iperf3'), '-J', '-c', address, '-p', at, '-P', String(streams)],
        ...['-t', String(Math.max(1, Math.round(run.seconds)))],
        ...(to === 'client' ? ['-R'] : []),
      ]);
      const { sentBytes, receivedBytes, seconds } = parseIperf(output);
      const [client, counted] =
        to === 'client' ? [receivedBytes, sentBytes] : [sentBytes, receivedBytes];
      return {
        values: {
          rate: (receivedBytes * 8) / seconds / 1e9,
          cpu: usage.coreSeconds / (receivedBytes / 1e9),
        },
        usage,
        counts: [
          { unit: 'bytes', client, target: counted, slack: slackBytesPerStream() * streams },
        ],
        marks,
      };
    },
  };
}

export const bulkRows = [1, 8].flatMap((streams) => [
  bulk(streams, 'target'),
  bulk(streams, 'client'),
]);
