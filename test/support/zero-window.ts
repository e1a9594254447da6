// Starts zero-window.mjs, here or on a host of a test's network.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export interface ZeroWindow {
  readonly targetPort: number;
  /** `count` is a multiple of 8. */
  connect(port: number, count: number): void;
}

const script = fileURLToPath(new URL('./zero-window.mjs', import.meta.url));

export async function startZeroWindowClients({
  wrapper = [],
}: {
  readonly wrapper?: readonly string[];
}): Promise<ZeroWindow> {
  const [file = '', ...args] = [...wrapper, process.execPath, script];
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    targetPort: Number(line.replace('target ', '')),
    connect: (port, count) => void child.stdin.write(`${port} ${count}\n`),
  };
}
