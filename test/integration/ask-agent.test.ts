// Agents over real sockets; and one whose words reach a running load balancer.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLoadBalancer } from '../../src/app/embedded.js';
import { systemClock } from '../../src/clock.js';
import { createAskAgent } from '../../src/health/ask-agent.js';
import type { IpEndpoint } from '../../src/model/address.js';
import { loopback, peerThat } from '../support/probe-request.js';

const ask = createAskAgent(systemClock());
const where = (port: number) => loopback(port) as IpEndpoint;
const check = { port: 1, intervalMs: 1000, timeoutMs: 3000, send: null };

describe('an agent', () => {
  it('is sent what is configured, and answers with a line or all that it says', async () => {
    const asked = await peerThat({ read: 3 }, { write: '75% ' }, { write: 'up\nmaint' });
    const send = new TextEncoder().encode('hi\n');
    expect(await ask(where(asked.port), { ...check, send })).toMatchObject({
      weight: { kind: 'share', value: 0.75 },
      adminState: null,
      up: true,
    });
    expect((await asked.results[0])?.received.toString()).toBe('hi\n');
    const brief = await peerThat({ write: 'drain' }, { end: true });
    expect(await ask(where(brief.port), check)).toMatchObject({ adminState: 'draining' });
  });

  it('says nothing when it is dead, resets, is silent or never comes to an end', async () => {
    const reset = await peerThat({ reset: true });
    expect(await ask(where(reset.port), check)).toBeNull();
    const silent = await peerThat({ readToEnd: true });
    expect(await ask(where(silent.port), { ...check, timeoutMs: 80 })).toBeNull();
    const endless = await peerThat({ write: 'up '.repeat(30_000) }, { readToEnd: true });
    expect(await ask(where(endless.port), check)).toBeNull();
  });

  it('takes its target out of a running load balancer, and brings it back', async () => {
    let line = '50%';
    const agent = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(`${line}\n`);
    });
    agent.listen(0, '127.0.0.1');
    await once(agent, 'listening');
    onTestFinished(() => void agent.close());
    const { port } = agent.address() as AddressInfo;
    const balancer = await createLoadBalancer({
      configText: `admin: { listen: off }
engine: { workers: 1 }
listeners: { web: { bind: "127.0.0.1:0", pool: web } }
pools:
  web:
    targets: [{ address: "127.0.0.1:${port}", weight: 8 }]
    agent: { port: ${port}, interval: 100ms }`,
    });
    onTestFinished(() => balancer.close());
    const shown = () => balancer.status().pools[0]?.targets[0];
    await expect.poll(() => shown()?.effectiveWeight, { timeout: 10_000 }).toBe(4);
    expect(shown()).toMatchObject({ weight: 8, eligible: true });
    line = 'drain';
    await expect.poll(() => shown()?.eligible, { timeout: 10_000 }).toBe(false);
    expect(shown()).toMatchObject({ adminState: 'draining', effectiveWeight: 4 });
    line = 'ready 100%';
    await expect.poll(() => shown()?.eligible, { timeout: 10_000 }).toBe(true);
    expect(shown()?.effectiveWeight).toBe(8);
  });
});
