// Real servers for end-to-end tests (redis, nginx, dnsmasq, iperf3): started on free loopback
// ports in a folder of their own, awaited, and always stopped.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

/** A port that was free a moment ago, for programs that cannot choose one by themselves. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** A folder that is removed when the test is over. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-real-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Starts a program in the foreground; it is killed when the test is over. */
export function startProgram(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn(file, args, { stdio: 'ignore', env: { ...process.env, ...env } });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  });
  return child;
}

/** Waits until somebody listens on the TCP port; fails when the program ends first. */
export async function untilListening(port: number, program: ChildProcess): Promise<void> {
  const deadlineMs = performance.now() + 15_000;
  while (!(await accepts(port))) {
    if (program.exitCode !== null) throw new Error(`the program exited with ${program.exitCode}`);
    if (performance.now() > deadlineMs) throw new Error(`nobody listens on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface RealServer {
  readonly port: number;
  readonly program: ChildProcess;
}

export async function startRedis(at?: number): Promise<RealServer> {
  const port = at ?? (await freePort());
  const folder = await temporaryFolder();
  const program = startProgram('redis-server', [
    ...['--bind', '127.0.0.1', '--port', String(port), '--dir', folder],
    ...['--save', '', '--appendonly', 'no', '--daemonize', 'no'],
  ]);
  await untilListening(port, program);
  return { port, program };
}

/** nginx that serves `files` and answers /name with `name`; over TLS when `tls` has its lines. */
export async function startNginx(
  name: string,
  files: Readonly<Record<string, Buffer>> = {},
  tls = '',
): Promise<RealServer> {
  const port = await freePort();
  const folder = await temporaryFolder();
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(folder, file), bytes);
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  // One process: a killed master would leave its workers behind.
  const config = `${user} daemon off; master_process off;
pid ${folder}/pid; error_log ${folder}/error;
events { worker_connections 4096; }
http { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  keepalive_requests 1000000;
  server { listen 127.0.0.1:${port} ${tls === '' ? '' : 'ssl'} reuseport backlog=4096; ${tls}
    root ${folder};
    location = /name { return 200 "${name}"; } } }`;
  await writeFile(join(folder, 'nginx.conf'), config);
  const program = startProgram('nginx', [
    '-c',
    join(folder, 'nginx.conf'),
    '-e',
    `${folder}/error`,
  ]);
  await untilListening(port, program);
  return { port, program };
}

const execute = promisify(execFile);

export interface RunOptions {
  readonly timeoutMs?: number;
  /** Given to the program on its standard input. */
  readonly input?: Buffer | string;
}

/** Runs a program to its end and returns what it printed; throws with its errors when it fails. */
export async function runProgram(
  file: string,
  args: readonly string[],
  { timeoutMs = 60_000, input = '' }: RunOptions = {},
): Promise<string> {
  const running = execute(file, args, {
    timeout: timeoutMs,
    maxBuffer: 256 * 1024 * 1024,
    encoding: 'utf8',
  });
  // A program that does not read its input may be gone before it is written.
  running.child.stdin?.on('error', () => undefined);
  running.child.stdin?.end(input);
  const { stdout } = await running;
  return stdout;
}
