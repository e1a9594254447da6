// A DNS server behind a UDP listener: dig gets its answers from the address it asked, dnsperf loses
// nothing.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  freePort,
  runProgram,
  startProgram,
  temporaryFolder,
  untilListening,
} from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, startSluice } from '../support/sluice-process.js';

async function startDnsmasq(): Promise<number> {
  // dnsmasq serves UDP and TCP on one port; that TCP accepts tells that it is up.
  const port = await freePort();
  const program = startProgram('dnsmasq', [
    ...['--no-daemon', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--user=root'],
    ...['--listen-address=127.0.0.1', '--bind-interfaces', `--port=${port}`],
    ...['--address=/sluice.test/10.1.2.3', '--cache-size=0'],
  ]);
  await untilListening(port, program);
  return port;
}

describe.runIf(requireTools('dnsmasq', 'dig', 'dnsperf'))('dnsmasq behind sluice', () => {
  it('answers dig, from the address that was asked, on a wildcard bind', async () => {
    const dns = await startDnsmasq();
    const sluice = await startSluice(`${configHead}
listeners: { dns: { bind: "*:0", protocol: udp, pool: dns, udp: { responses: 1 } } }
pools: { dns: { targets: ["127.0.0.1:${dns}"] } }`);
    const { port } = await sluice.address('dns');
    for (const asked of ['127.0.0.1', '127.0.0.2', '127.77.1.5', '::1']) {
      const args = [`@${asked}`, '-p', String(port), '+short', '+tries=1', 'host.sluice.test'];
      expect((await runProgram('dig', args)).trim()).toBe('10.1.2.3');
    }
  });

  it('loses no query of dnsperf', async () => {
    const dns = await startDnsmasq();
    const sluice = await startSluice(`${configHead}
listeners: { dns: { bind: "127.0.0.1:0", protocol: udp, pool: dns } }
pools: { dns: { targets: ["127.0.0.1:${dns}"] } }`);
    const { port } = await sluice.address('dns');
    const queries = join(await temporaryFolder(), 'queries');
    const names = Array.from({ length: 1000 }, (_, index) => `host-${index}.sluice.test A`);
    await writeFile(queries, `${names.join('\n')}\n`);
    const report = await runProgram('dnsperf', [
      ...['-s', '127.0.0.1', '-p', String(port), '-d', queries],
      ...['-n', '20', '-c', '16', '-q', '64', '-t', '10'],
    ]);
    expect(report).toMatch(/Queries sent:\s+20000/);
    expect(report).toMatch(/Queries completed:\s+20000 \(100\.00%\)/);
    expect(report).toMatch(/Queries lost:\s+0 /);
    const totals = (await sluice.status()).listeners[0]?.totals ?? {};
    expect(totals.to_target_datagrams).toBe(20_000);
    expect(totals.to_client_datagrams).toBe(20_000);
  });
});
