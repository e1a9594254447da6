// Starts echo-process.mjs, here or on a host of a test's network.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export interface EchoProcess {
  readonly port: number;
  readonly process: ChildProcess;
}

export interface EchoProcessOptions {
  readonly host?: string;
  readonly port?: number;
  readonly name?: string;
  /** Prefix of the command line, such as Network.targets. */
  readonly wrapper?: readonly string[];
}

const script = fileURLToPath(new URL('./echo-process.mjs', import.meta.url));

export async function startEchoProcess(options: EchoProcessOptions = {}): Promise<EchoProcess> {
  const { host = '127.0.0.1', port = 0, name = 'echo', wrapper = [] } = options;
  const [file = '', ...args] = [...wrapper, process.execPath, script, host, String(port), name];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { port: Number(line.replace('listening ', '')), process: child };
}
