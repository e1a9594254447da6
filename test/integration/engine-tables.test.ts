// Tables on the real engine: what is applied, what is refused, and that a refusal changes nothing.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policyNames } from '../../src/model/policy.js';
import { startTcpEcho } from '../support/echo-target.js';
import {
  type EngineHarness,
  loopback,
  loopbackIpv6,
  startEngineHarness,
  type TableSpec,
  tableOf,
} from '../support/engine-harness.js';
import { connectScripted } from '../support/scripted-peer.js';
import { track } from '../support/track.js';

async function echoes(port: number, host = '127.0.0.1'): Promise<boolean> {
  const client = await connectScripted(port, host);
  const { received } = await client.play([{ write: 'echo?' }, { read: 5 }]);
  client.socket.destroy();
  return received.toString() === 'echo?';
}

async function started(): Promise<{ harness: EngineHarness; spec: TableSpec }> {
  const target = track(await startTcpEcho());
  const harness = track(startEngineHarness());
  const spec = { generation: 1, listeners: [{}], pools: [{ targets: [target.port] }] };
  await harness.apply(spec);
  return { harness, spec };
}

describe('a table', () => {
  it('binds port 0, IPv4 and IPv6, and keeps the port at the next table', async () => {
    const { harness, spec } = await started();
    const withIpv6: TableSpec = {
      ...spec,
      generation: 2,
      listeners: [{}, { binds: [loopback(0), { kind: 'ip', ip: loopbackIpv6, port: 0 }] }],
    };
    const first = harness.port(0);
    await harness.apply(withIpv6);
    expect(harness.port(0)).toBe(first);
    const ports = [harness.port(1, 0), harness.port(1, 1)];
    expect(await echoes(first)).toBe(true);
    expect(await echoes(ports[0] ?? 0)).toBe(true);
    expect(await echoes(ports[1] ?? 0, '::1')).toBe(true);
  });

  it('on an address in use is refused by name, and the table before goes on', async () => {
    const { harness, spec } = await started();
    const occupant = createServer().listen(0, '127.0.0.1');
    await once(occupant, 'listening');
    const { port } = occupant.address() as AddressInfo;
    const refused = await harness.tryApply({
      ...spec,
      generation: 2,
      listeners: [{}, { binds: [loopback(0), loopback(port)] }],
    });
    occupant.close();
    expect(refused).toEqual({
      applied: false,
      generation: 2,
      reason: 'address_in_use',
      listenerSlot: 1,
      bindIndex: 1,
      error: 'EADDRINUSE',
    });
    expect(await echoes(harness.port(0))).toBe(true);
    await harness.apply({ ...spec, generation: 3 });
    expect(await echoes(harness.port(0))).toBe(true);
  });

  it('on the address of another engine is refused, although both use SO_REUSEPORT', async () => {
    const { harness, spec } = await started();
    const other = track(startEngineHarness());
    const outcome = await other.tryApply({
      ...spec,
      listeners: [{ binds: [loopback(harness.port(0))] }],
    });
    expect(outcome).toMatchObject({ applied: false, reason: 'address_in_use' });
  });

  it('that goes back in generation is refused as malformed', async () => {
    const { harness, spec } = await started();
    expect(await harness.tryApply(spec)).toMatchObject({
      applied: false,
      reason: 'malformed',
      listenerSlot: null,
      error: 'check 100',
    });
  });

  it('beyond the slots is refused before anything is written', async () => {
    const { harness, spec } = await started();
    const table = tableOf({ ...spec, generation: 2 });
    const { targets: limit } = harness.engine.limits;
    const targets = table.targets.map((target) => ({ ...target, slot: limit }));
    await expect(harness.engine.apply({ ...table, targets })).rejects.toMatchObject({
      code: 'SLUICE_TABLE_TOO_LARGE',
    });
    await harness.apply({ ...spec, generation: 2 });
  });

  it('queues behind the ones before it, each with its own outcome', async () => {
    const { harness, spec } = await started();
    const outcomes = await Promise.all(
      [2, 4, 3, 5].map((generation) => harness.tryApply({ ...spec, generation })),
    );
    expect(outcomes.map(({ applied, generation }) => [generation, applied])).toEqual([
      [2, true],
      [4, true],
      [3, false],
      [5, true],
    ]);
  });

  it('of any shape that the model allows passes every check of native', async () => {
    const harness = track(startEngineHarness({ workers: 1 }));
    let generation = 0;
    const names = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
    const specs = fc.record({
      listeners: fc.array(
        fc.record({
          name: names,
          protocol: fc.constantFrom('tcp' as const, 'udp' as const),
          backlog: fc.integer({ min: 1, max: 4096 }),
          maxConnections: fc.nat(),
          accessLog: fc.boolean(),
        }),
        { maxLength: 4 },
      ),
      policy: fc.constantFrom(...policyNames),
      ports: fc.array(fc.integer({ min: 1, max: 65_535 }), { maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(specs, async ({ listeners, policy, ports }) => {
        generation++;
        await harness.apply({ generation, listeners, pools: [{ policy, targets: ports }] });
      }),
      { numRuns: 60 },
    );
  });
});
