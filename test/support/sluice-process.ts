// A real sluice process for end-to-end tests: started from the built dist/, spoken to by signals,
// logs and the admin API only, and always stopped.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
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
  /** The first event of that name that matches, at index `from` of the log or later. */
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
  readonly command?: 'demo' | 'check';
  readonly nodeArgs?: readonly string[];
  readonly uid?: number;
  readonly waitReady?: boolean;
  readonly eventTimeoutMs?: number;
}

/** The first lines that every test's configuration needs: a free admin port and JSON logs. */
export const configHead = `admin: { listen: "127.0.0.1:0" }
log: { format: json, level: debug }
`;

interface Spawned {
  readonly child: ChildProcess;
  readonly configPath: string;
  readonly exited: Promise<Exit>;
  stderr(): string;
}

/** Starts the process in a folder of its own; both are gone when the test is over. */
async function spawnSluice(config: string, options: SluiceOptions): Promise<Spawned> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-e2e-'));
  const configPath = join(folder, 'sluice.yaml');
  await writeFile(configPath, config, { mode: 0o644 });
  // Another user has to get there.
  if (options.uid !== undefined) await chmod(folder, 0o755);
  const [file = '', ...rest] = [
    ...(options.wrapper ?? []),
    process.execPath,
    ...(options.nodeArgs ?? []),
    mainPath,
    ...(options.args ?? [options.command ?? 'run', configPath]),
  ];
  const child = spawn(file, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, ...options.env },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${file}`);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const exited = once(child, 'close').then(([code, signal]): Exit => ({ code, signal }));
  onTestFinished(async () => {
    // The whole group: a wrapper such as strace is not the process that it runs.
    if (child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  });
  return { child, configPath, exited, stderr: () => errors };
}

/** Collects the log lines of a process and lets tests wait for one. */
function followLog(
  { child, exited, stderr }: Spawned,
  limitMs: number,
): Pick<SluiceProcess, 'log' | 'event'> {
  const log: LogLine[] = [];
  const waiters = new Set<(line: LogLine) => void>();
  if (!child.stdout) throw new Error('stdout is not piped');
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line: LogLine = text.startsWith('{') ? JSON.parse(text) : { event: 'text', text };
    log.push(line);
    for (const waiter of waiters) waiter(line);
  });
  const event: SluiceProcess['event'] = (name, matches = () => true, from = 0) => {
    const isWanted = (line: LogLine) => line.event === name && matches(line);
    const found = log.slice(from).find(isWanted);
    if (found) return Promise.resolve(found);
    return new Promise((resolve, reject) => {
      const waiter = (line: LogLine) => {
        if (!isWanted(line)) return;
        waiters.delete(waiter);
        resolve(line);
      };
      waiters.add(waiter);
      const fail = (why: string) => {
        waiters.delete(waiter);
        reject(new Error(`no event ${name}: ${why}\n${describeLog(log)}\n${stderr()}`));
      };
      setTimeout(() => fail(`waited ${limitMs} ms`), limitMs).unref();
      exited.then(() => fail('sluice has exited')).catch(reject);
    });
  };
  return { log, event };
}

/** Starts `sluice run` on `config` and, unless told otherwise, waits until it is ready. */
export async function startSluice(
  config: string,
  options: SluiceOptions = {},
): Promise<SluiceProcess> {
  const spawned = await spawnSluice(config, options);
  const { child, configPath, exited, stderr } = spawned;
  const { log, event } = followLog(spawned, options.eventTimeoutMs ?? 20_000);
  const admin = async (path: string) => askAdmin(String((await event('ready')).adminAddress), path);
  const status = async () => (await (await admin('/api/v1/status')).json()) as Status;
  if (options.waitReady ?? true) await event('ready');
  return {
    pid: child.pid ?? 0,
    configPath,
    log,
    event,
    admin,
    status,
    exited,
    stderr,
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
  };
}

/**
 * GET over TCP or a unix socket; a unix socket also reaches into a network namespace. Each on a
 * connection of its own: one that is kept may be closed by sluice just as a busy test asks again.
 */
export async function askAdmin(address: string, path: string): Promise<Response> {
  const asked = address.startsWith('unix:')
    ? request({ socketPath: address.slice('unix:'.length), path, agent: false })
    : request(`${address}${path}`, { agent: false });
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const headers = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  return new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 0, headers });
}

function describeLog(log: readonly LogLine[]): string {
  return log
    .slice(-20)
    .map((line) => JSON.stringify(line))
    .join('\n');
}
