// The admin API of a real load balancer, over real sockets, held to its own OpenAPI document.
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLoadBalancer } from '../../src/library.js';
import { startTcpEcho } from '../support/echo-target.js';
import { contractOf, type OpenapiDocument } from '../support/openapi-contract.js';
import { temporaryFolder } from '../support/real-server.js';

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: unknown;
}

type Ask = (method: string, path: string, body?: unknown) => Promise<Reply>;

/** The path goes out as it is written: a URL would be put in order first. */
function askOf(address: string): Ask {
  const to = address.startsWith('unix:')
    ? { socketPath: address.slice('unix:'.length) }
    : { host: new URL(address).hostname, port: new URL(address).port };
  return async (method, path, body) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const asked = request({ ...to, method, path, headers, agent: false });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = await once(asked, 'response');
    const type = String(response.headers['content-type'] ?? '').replace(/;.*/, '');
    // A stream of events has no end.
    const text = type === 'text/event-stream' ? '' : await textOf(response);
    response.destroy();
    return {
      status: response.statusCode,
      type,
      body: type === 'application/json' ? JSON.parse(text) : text,
    };
  };
}

/** A target that exists, whose name has everything that a path has to encode. */
const odd = 'a/b%2F?#&é';

async function startBalancer(listen: string, tokens: readonly object[] = []): Promise<Ask> {
  const target = await startTcpEcho({});
  onTestFinished(() => target.close());
  const here = `127.0.0.1:${target.port}`;
  const balancer = await createLoadBalancer({
    config: {
      admin: { listen, tokens },
      listeners: {
        web: { bind: '127.0.0.1:0', pool: 'web' },
        dns: { bind: '127.0.0.1:0', protocol: 'udp', pool: 'dns' },
      },
      pools: {
        web: {
          policy: 'least_connections',
          sticky: { by: 'source', capacity: 1024 },
          targets: [
            { name: odd, address: here },
            { name: 'spare', address: 'unix:/nowhere/spare.sock', backup: true },
          ],
        },
        dns: { targets: [here, 'nowhere.invalid:53'], health: 'none' },
      },
    },
  });
  onTestFinished(() => balancer.close({ drainTimeoutMs: 0 }));
  return askOf(balancer.adminAddress ?? '');
}

/** What an operation takes, if it is more than an empty object. */
const bodies: Readonly<Record<string, object>> = { addTarget: { address: '127.0.0.1:9' } };

/** They change a file, and here there is none. */
const ofFile = ['getConfig', 'reload', 'addTarget', 'changeTarget', 'removeTarget'];

const names: Readonly<Record<string, string>> = { listener: 'web', pool: 'web', target: odd };

/** What an operation cannot do without, behind its path. */
const queries: Readonly<Record<string, string>> = { explainListener: '?client=192.0.2.7' };

function filled(path: string, values: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
}

describe.each(['127.0.0.1:0', 'unix:'])('the admin API on %s', (where) => {
  const listen = async () =>
    where === 'unix:' ? `unix:${join(await temporaryFolder(), 'admin.sock')}` : where;

  it('answers every operation of its document as the document says', async () => {
    const ask = await startBalancer(await listen());
    const document = (await ask('GET', '/api/v1/openapi.json')).body as OpenapiDocument;
    expect(document.openapi).toBe('3.1.0');
    const operations = await contractOf(document);
    expect(operations.length).toBeGreaterThan(8);
    for (const { method, path, takesBody, operationId, faults } of operations) {
      const body = takesBody ? (bodies[operationId] ?? {}) : undefined;
      const needsFile = ofFile.includes(operationId);
      const query = queries[operationId] ?? '';
      const good = await ask(method, filled(path, names) + query, body);
      expect([operationId, good.status]).toEqual([operationId, needsFile ? 409 : 200]);
      expect(faults(good.status, good.type, good.body), operationId).toBe('');
      if (!path.includes('{')) continue;
      const nowhere = filled(path, { listener: 'x', pool: 'x', target: 'x' });
      const bad = await ask(method, nowhere + query, body);
      expect([operationId, bad.status]).toEqual([operationId, needsFile ? 409 : 404]);
      expect(faults(bad.status, bad.type, bad.body), operationId).toBe('');
    }
  });

  it('drains, disables and enables a target whose name has to be encoded', async () => {
    const ask = await startBalancer(await listen());
    const path = filled('/api/v1/pools/{pool}/targets/{target}', names);
    const adminState = async () =>
      ((await ask('GET', path)).body as { adminState: string }).adminState;
    expect(await adminState()).toBe('enabled');
    const drained = await ask('POST', `${path}/drain`, { wait: true });
    expect(drained.body).toMatchObject({ pool: 'web', target: odd, result: 'drained', active: 0 });
    expect(await adminState()).toBe('draining');
    expect((await ask('POST', `${path}/disable`, {})).status).toBe(200);
    expect(await adminState()).toBe('disabled');
    expect((await ask('POST', `${path}/enable`, {})).status).toBe(200);
    expect(await adminState()).toBe('enabled');
  });
});
