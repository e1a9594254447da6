// A real sluice process for end-to-end tests: started from the built dist/, spoken to by signals,
// logs and the admin API only, and always stopped.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Status } from '../../src/model/status.js';

export const mainPath = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SluiceProcess {
  readonly pid: number;
  readonly configPath: string;
  readonly log: readonly LogLine[];
  /** Resolves with the first event of that name (at index `from` of the log or later) that matches. */
  event(name: string, matches?: (line: LogLine) => boolean, from?: number): Promise<LogLine>;
  /** `host:port` of a listener's bind, as bound. */
  address(listener: string, bind?: number): Promise<{ host: string; port: number }>;
  status(): Promise<Status>;
  admin(path: string): Promise<Response>;
  writeConfig(text: string): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  readonly exited: Promise<Exit>;
  stderr(): string;
}

export interface SluiceOptions {
  /** Prefixed to the command line, such as ['ip', 'netns', 'exec', 'name']. */
  readonly wrapper?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The whole command line after `sluice`; by default `run` and the path of the config. */
  readonly args?: readonly string[];
  /** Instead of `run`, with the path of the config. */
  readonly command?: 'demo';
  readonly nodeArgs?: readonly string[];
  readonly uid?: number;
  readonly waitReady?: boolean;
  readonly eventTimeoutMs?: number;
}

/** The first lines that every test's configuration needs: a free admin port and JSON logs. */
export const configHead = `admin: { listen: "127.0.0.1:0" }
log: { format: json, level: debug }
`;

interface Waiter {
  check(): boolean;
}

function watchLines(child: ChildProcess, log: LogLine[], waiters: Set<Waiter>): void {
  if (!child.stdout) throw new Error('stdout is not piped');
  createInterface({ input: child.stdout }).on('line', (text) => {
    log.push(text.startsWith('{') ? JSON.parse(text) : { event: 'text', text });
    for (const waiter of [...waiters]) if (waiter.check()) waiters.delete(waiter);
  });
}

/** Starts `sluice run` on `config` and, unless told otherwise, waits until it is ready. */
export async function startSluice(
  config: string,
  options: SluiceOptions = {},
): Promise<SluiceProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-e2e-'));
  const configPath = join(folder, 'sluice.yaml');
  await writeFile(configPath, config, { mode: 0o644 });
  const command = [
    ...(options.wrapper ?? []),
    process.execPath,
    ...(options.nodeArgs ?? []),
    mainPath,
    ...(options.args ?? [options.command ?? 'run', configPath]),
  ];
  const [file = '', ...rest] = command;
  const child = spawn(file, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  const log: LogLine[] = [];
  const waiters = new Set<Waiter>();
  watchLines(child, log, waiters);
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const exited = once(child, 'close').then(([code, signal]): Exit => ({ code, signal }));
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  });

  const event: SluiceProcess['event'] = (name, matches = () => true, from = 0) => {
    const find = () => log.slice(from).find((line) => line.event === name && matches(line));
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        check: () => {
          const line = find();
          if (line) resolve(line);
          return line !== undefined;
        },
      };
      if (waiter.check()) return;
      waiters.add(waiter);
      const fail = (why: string) => {
        waiters.delete(waiter);
        reject(new Error(`no event ${name}: ${why}\n${describeLog(log)}\n${errors}`));
      };
      const limitMs = options.eventTimeoutMs ?? 20_000;
      setTimeout(() => fail(`waited ${limitMs} ms`), limitMs).unref();
      exited.then(() => fail('sluice has exited')).catch(reject);
    });
  };
  const admin = async (path: string) => askAdmin(String((await event('ready')).adminAddress), path);
  const status = async () => (await (await admin('/status')).json()) as Status;

  const sluice: SluiceProcess = {
    pid: child.pid ?? 0,
    configPath,
    log,
    event,
    admin,
    status,
    exited,
    async address(listener, bind = 0) {
      const found = (await status()).listeners.find(({ name }) => name === listener);
      const text = found?.addresses[bind] ?? '';
      const colon = text.lastIndexOf(':');
      return {
        host: text.slice(0, colon).replace(/[[\]]/g, ''),
        port: Number(text.slice(colon + 1)),
      };
    },
    writeConfig: (text) => writeFile(configPath, text),
    signal: (signal) => {
      child.kill(signal);
    },
    stderr: () => errors,
  };
  if (options.waitReady ?? true) await event('ready');
  return sluice;
}

/** GET over TCP or a unix socket; a unix socket also reaches into a network namespace. */
async function askAdmin(address: string, path: string): Promise<Response> {
  if (!address.startsWith('unix:')) return fetch(`${address}${path}`);
  const asked = request({ socketPath: address.slice('unix:'.length), path });
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 0 });
}

function describeLog(log: readonly LogLine[]): string {
  return log
    .slice(-20)
    .map((line) => JSON.stringify(line))
    .join('\n');
}
