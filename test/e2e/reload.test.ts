// Reloads of a real process: what stays is not touched, what is wrong changes nothing, and no
// connection is refused or reset by any of it (pitfall 11; faults 21 to 23).
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type EchoTarget, startTcpEcho, startUdpEcho } from '../support/echo-target.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

async function target(greeting = ''): Promise<EchoTarget> {
  const started = await startTcpEcho({ greeting });
  onTestFinished(() => started.close());
  return started;
}

const config = (ports: readonly number[], more = '', listener = ''): string => `${configHead}
listeners: { echo: { bind: "127.0.0.1:0", pool: echo ${listener} } }
pools: { echo: { targets: [${ports.map((port) => `"127.0.0.1:${port}"`).join(', ')}] } }
${more}`;

async function reload(sluice: SluiceProcess, text: string, outcome: string): Promise<void> {
  const from = sluice.log.length;
  await sluice.writeConfig(text);
  sluice.signal('SIGHUP');
  await sluice.event(outcome, undefined, from);
}

async function ask(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    socket.end(text);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(socket, 'close');
    return Buffer.concat(chunks).toString();
  } finally {
    socket.destroy();
  }
}

describe('SIGHUP', () => {
  it('applies a new target and keeps the port, the counters and open connections', async () => {
    const [first, second] = await Promise.all([target('first '), target('second ')]);
    const sluice = await startSluice(config([first.port]));
    const { port } = await sluice.address('echo');
    expect(await ask(port, 'a')).toBe('first a');
    const open = connect({ port, host: '127.0.0.1' });
    onTestFinished(() => {
      open.destroy();
    });
    await once(open, 'data');
    await reload(sluice, config([second.port]), 'reload_applied');
    expect((await sluice.address('echo')).port).toBe(port);
    expect(await ask(port, 'b')).toBe('second b');
    open.write('still here');
    expect(String((await once(open, 'data'))[0])).toBe('still here');
    const { listeners } = await sluice.status();
    expect(listeners[0]?.totals.connections_opened).toBe(3);
  });

  it.each([
    ['a typo', (good: string) => good.replace('targets:', 'tragets:'), 'SLUICE_CONFIG_UNKNOWN_KEY'],
    ['a cut file', (good: string) => good.slice(0, -20), 'SLUICE_CONFIG_'],
    ['an empty file', () => '', 'SLUICE_CONFIG_EMPTY'],
    ['a huge file', () => '#'.repeat(10_000_000), 'SLUICE_CONFIG_FILE_TOO_LARGE'],
  ])('changes nothing for %s', async (_name, spoil, code) => {
    const only = await target('only ');
    const good = config([only.port]);
    const sluice = await startSluice(good);
    const { port } = await sluice.address('echo');
    const before = (await sluice.status()).generation;
    await reload(sluice, spoil(good), 'reload_refused');
    const problem = await sluice.event('config_problem');
    expect(problem.code).toContain(code);
    expect((await sluice.status()).generation).toEqual(before);
    expect(await ask(port, 'x')).toBe('only x');
  });

  it('is all or nothing: one listener that cannot be bound refuses the whole', async () => {
    const [only, taken] = await Promise.all([target('only '), target()]);
    const sluice = await startSluice(config([only.port]));
    const { port } = await sluice.address('echo');
    const more = `
  free: { bind: "127.0.0.1:0", pool: echo }
  taken: { bind: "127.0.0.1:${taken.port}", pool: echo }`;
    const text = config([only.port]).replace(
      /listeners: \{ echo: (.*) \}\n/,
      (_all, echo) => `listeners:\n  echo: ${echo}${more}\n`,
    );
    await reload(sluice, text, 'reload_refused');
    expect(await sluice.event('reload_refused')).toMatchObject({ reason: 'address_in_use' });
    expect((await sluice.status()).listeners.map(({ name }) => name)).toEqual(['echo']);
    expect(await ask(port, 'x')).toBe('only x');
  });

  it('lets connections of a removed target and listener live until the deadline', async () => {
    const [first, second] = await Promise.all([target('first '), target('second ')]);
    const sluice = await startSluice(config([first.port], 'shutdown: { drain_timeout: 700ms }'));
    const { port } = await sluice.address('echo');
    const open = connect({ port, host: '127.0.0.1' });
    onTestFinished(() => {
      open.destroy();
    });
    await once(open, 'data');
    const renamed = config([second.port], 'shutdown: { drain_timeout: 700ms }').replace(
      'echo: { bind',
      'other: { bind',
    );
    await reload(sluice, renamed, 'reload_applied');
    open.write('alive');
    expect(String((await once(open, 'data'))[0])).toBe('alive');
    await once(open, 'close');
    await sluice.event('drain_finished', ({ cut }) => cut === 1);
  });
});

describe('watch: true', () => {
  it('reloads by itself when the file is replaced', async () => {
    const [first, second] = await Promise.all([target('first '), target('second ')]);
    const sluice = await startSluice(config([first.port], 'watch: true'));
    const { port } = await sluice.address('echo');
    expect(await ask(port, 'a')).toBe('first a');
    const next = `${sluice.configPath}.new`;
    await writeFile(next, config([second.port], 'watch: true'));
    await rename(next, sluice.configPath);
    await sluice.event('reload_applied');
    expect(await ask(port, 'b')).toBe('second b');
  });
});

/** Opens short connections one after the other, until told to stop; every one must be answered. */
class ShortConnections {
  answered = 0;
  readonly failures: string[] = [];
  #stopped = false;
  readonly #lanes: Promise<void>[];

  constructor(port: number, lanes: number) {
    this.#lanes = Array.from({ length: lanes }, () => this.#run(port));
  }

  async #run(port: number): Promise<void> {
    while (!this.#stopped) {
      try {
        const answer = await ask(port, 'ping');
        if (answer.endsWith('ping')) this.answered++;
        else this.failures.push(`answer ${JSON.stringify(answer)}`);
      } catch (error) {
        this.failures.push(String(error));
      }
    }
  }

  async close(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
  }
}

describe('reloads under load', () => {
  it('refuse and reset nothing, and counters only grow', async () => {
    const [first, second] = await Promise.all([target(), target()]);
    const sluice = await startSluice(config([first.port, second.port]));
    const { port } = await sluice.address('echo');
    const load = new ShortConnections(port, 32);
    let opened = 0;
    for (let round = 0; round < 20; round++) {
      const ports = round % 2 === 0 ? [second.port] : [first.port, second.port];
      const backlog = `, backlog: ${1024 + round}`;
      await reload(sluice, config(ports, '', backlog), 'reload_applied');
      const now = (await sluice.status()).listeners[0]?.totals.connections_opened ?? 0;
      expect(now).toBeGreaterThan(opened);
      opened = now;
      const goal = load.answered + 50;
      await waitFor('50 more answers', () => load.answered >= goal, { timeoutMs: 10_000 });
    }
    await load.close();
    expect(load.failures).toEqual([]);
    expect(load.answered).toBeGreaterThan(1000);
  });

  it('keep UDP sessions on their target', async () => {
    const targets = await Promise.all([startUdpEcho(), startUdpEcho(), startUdpEcho()]);
    onTestFinished(async () => {
      await Promise.all(targets.map((each) => each.close()));
    });
    const text = (idle: string) => `${configHead}
listeners: { echo: { bind: "127.0.0.1:0", protocol: udp, pool: echo, timeouts: { idle: ${idle} } } }
pools: { echo: { targets: [${targets.map(({ port }) => `"127.0.0.1:${port}"`).join(', ')}] } }`;
    const sluice = await startSluice(text('60s'));
    const { port } = await sluice.address('echo');
    const { createSocket } = await import('node:dgram');
    const clients = Array.from({ length: 12 }, () => createSocket('udp4'));
    onTestFinished(() => {
      for (const each of clients) each.close();
    });
    const exchange = async (round: number) => {
      await Promise.all(
        clients.map(async (each, index) => {
          const answer = once(each, 'message');
          each.send(`${round} ${index}`, port, '127.0.0.1');
          expect(String((await answer)[0])).toBe(`${round} ${index}`);
        }),
      );
    };
    await exchange(0);
    const seen = targets.map((each) => each.accepted());
    for (let round = 1; round <= 5; round++) {
      await reload(sluice, text(`${60 + round}s`), 'reload_applied');
      await exchange(round);
    }
    expect(targets.map((each) => each.accepted())).toEqual(seen);
    expect((await sluice.status()).listeners[0]?.totals.sessions_opened).toBe(12);
  });
});
