// What a restart must not forget: who was down and what the operator had said, also when the last
// process had no time to say goodbye.
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startTcpEcho } from '../support/echo-target.js';
import { freePort, temporaryFolder } from '../support/real-server.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

/** Probes that fail are rare here: what is believed before the first one is what is tested. */
const config = (file: string, ports: readonly number[], interval = '200ms') => `${configHead}
state: { file: "${file}", interval: 100ms }
listeners: { in: { bind: "127.0.0.1:0", pool: web } }
pools:
  web:
    targets: [${ports.map((port) => `"127.0.0.1:${port}"`).join(', ')}]
    health: { type: tcp, interval: ${interval}, timeout: 50ms, fall: 2, jitter: 0 }`;

async function targetsOf(sluice: SluiceProcess) {
  return (await sluice.status()).pools[0]?.targets ?? [];
}

async function greeting(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  const [data] = await once(socket, 'data');
  socket.destroy();
  return String(data);
}

const readState = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

/** As an operator's wish stands in the file. */
function drain(file: string, port: number): void {
  const address = `127.0.0.1:${port}`;
  const entry = { pool: 'web', target: address, address, admin_state: 'draining' };
  const state = readState(file);
  writeFileSync(
    file,
    JSON.stringify({ ...state, sections: { ...state.sections, admin_states: [entry] } }),
  );
}

describe('after a restart', () => {
  it('knows who was down and who drains, though the last process was killed twice', async () => {
    const file = join(await temporaryFolder(), 'state.json');
    const live = await startTcpEcho();
    const ports = [await freePort(), live.port, await freePort()];
    const first = await startSluice(config(file, ports));
    await waitFor('three verdicts in the file', () => {
      if (!existsSync(file)) return false;
      const entries: { health: string }[] = readState(file).sections.health ?? [];
      return entries.length === 3;
    });
    first.signal('SIGKILL');
    await first.exited;
    expect(statSync(file).mode & 0o777).toBe(0o600);
    drain(file, live.port);

    // Days until a first probe: what it says now it has from the file alone.
    for (let start = 0; start < 2; start++) {
      const next = await startSluice(config(file, ports, '20d'));
      expect(await targetsOf(next)).toMatchObject([
        { health: 'unhealthy', healthReason: 'restored', adminState: 'enabled', eligible: false },
        { health: 'healthy', adminState: 'draining', eligible: false },
        { health: 'unhealthy', eligible: false },
      ]);
      next.signal('SIGKILL');
      await next.exited;
    }
  });

  it('leaves out who was ejected, until its time is over', async () => {
    const file = join(await temporaryFolder(), 'state.json');
    const live = await startTcpEcho({ greeting: 'here' });
    const ports = [await freePort(), live.port];
    // One worker, with one cursor: two of them may both begin with the target that lives.
    const text = `engine: { workers: 1 }
${config(file, ports, '20d').replace(/health: .*/, 'health: none')}
    passive: { max_fails: 1, fail_timeout: 1h }`;
    const first = await startSluice(text);
    const { port } = await first.address('in');
    // In turn: one of two connections tries the dead target first.
    for (let turn = 0; turn < 2; turn++) expect(await greeting(port)).toBe('here');
    const inFile = await waitFor('the ejection in the file', () =>
      existsSync(file) ? (readState(file).sections.ejections?.[0] ?? null) : null,
    );
    expect(inFile).toMatchObject({ ejection: { reason: 'max_fails' }, on_trial: true });
    first.signal('SIGKILL');
    await first.exited;
    const second = await startSluice(text);
    const { since, until } = inFile.ejection;
    expect(await targetsOf(second)).toMatchObject([
      { eligible: false, ejection: { reason: 'max_fails', since, until } },
      { eligible: true, ejection: null },
    ]);
  });

  it('lets the first probe bring a target back that recovered meanwhile', async () => {
    const file = join(await temporaryFolder(), 'state.json');
    const live = await startTcpEcho();
    const address = `127.0.0.1:${live.port}`;
    const since = '2030-01-01T00:00:00.000Z';
    const health = [{ pool: 'web', target: address, address, health: 'unhealthy', since }];
    const written = new Date().toISOString();
    writeFileSync(file, JSON.stringify({ sluice_state: 1, written, sections: { health } }));
    const sluice = await startSluice(config(file, [live.port]));
    await sluice.event('target_health_changed', (line) => line.health === 'healthy');
    expect(await targetsOf(sluice)).toMatchObject([{ health: 'healthy', eligible: true }]);
  });

  it('starts without a broken file, says so, and writes a good one at its end', async () => {
    const file = join(await temporaryFolder(), 'state.json');
    writeFileSync(file, '{"sluice_state": 1, "written": "2030-');
    const live = await startTcpEcho();
    const sluice = await startSluice(config(file, [live.port]));
    expect(await sluice.event('state_ignored')).toMatchObject({ file, reason: 'not JSON' });
    sluice.signal('SIGTERM');
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
    expect(readState(file)).toMatchObject({ sluice_state: 1 });
  });
});
