// iperf3 through sluice: streams, both directions, and at least what arrived is counted.
import { describe, expect, it } from 'vitest';
import { freePort, runProgram, startProgram, untilListening } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, startSluice } from '../support/sluice-process.js';

interface Report {
  readonly end: {
    readonly sum_sent: { readonly bytes: number };
    readonly sum_received: { readonly bytes: number };
  };
}

describe.runIf(requireTools('iperf3'))('iperf3 through sluice', () => {
  it.each([
    ['one stream to the target', ['-P', '1']],
    ['eight streams to the target', ['-P', '8']],
    ['one stream to the client', ['-P', '1', '-R']],
    ['eight streams to the client', ['-P', '8', '-R']],
  ])('carries %s', async (_name, args) => {
    const targetPort = await freePort();
    const target = startProgram('iperf3', ['-s', '-B', '127.0.0.1', '-p', String(targetPort)]);
    await untilListening(targetPort, target);
    const sluice = await startSluice(`${configHead}
listeners: { iperf: { bind: "127.0.0.1:0", pool: iperf } }
pools: { iperf: { targets: ["127.0.0.1:${targetPort}"], health: none } }`);
    const { port } = await sluice.address('iperf');
    const bytes = 512 * 1024 * 1024;
    const text = await runProgram('iperf3', [
      ...['-c', '127.0.0.1', '-p', String(port), '-n', String(bytes), '-J', ...args],
    ]);
    const { end } = JSON.parse(text) as Report;
    expect(end.sum_sent.bytes).toBeGreaterThanOrEqual(bytes);
    // iperf3 stops counting at the receiver when its control connection says so, and that message
    // overtakes the data: how much was received by then is no matter of loss.
    expect(end.sum_received.bytes).toBeGreaterThan(0);
    const totals = (await sluice.status()).listeners[0]?.totals ?? {};
    const moved = args.includes('-R') ? totals.to_client_bytes : totals.to_target_bytes;
    expect(moved).toBeGreaterThanOrEqual(end.sum_received.bytes);
  });
});
