// The exec probe: runs a program of the file, without a shell; its exit status 0 is good. It runs
// in a process group of its own, all of which is killed when the probe is over.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../clock.js';
import type { ProbeResult } from '../model/health.js';
import { answerText } from './answer-text.js';
import type { Probe, ProbeRequest } from './probe.js';
import { badAnswer, type Ending, hostOf } from './probe-socket.js';

/** Of its output; it is read to its end, so that the program is not held up, and dropped. */
const outputBytesMax = 4096;

/** Nobody waits for it any more; it says nothing of the target. */
const stopped: Ending = { ok: false, reason: 'local', facts: { detail: 'sluice stops' } };

export interface ExecProbeTools {
  readonly clock: Clock;
  /** Where the program's PATH comes from. Nothing else of it is handed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends every program that runs, and starts no more. */
  readonly stop: AbortSignal;
}

export function createExecProbe(tools: ExecProbeTools): Probe<'exec'> {
  return (request) => runProgram(tools, request);
}

/** docs/configuration.md lists these. */
function environmentOf(request: ProbeRequest<'exec'>, path: string): Record<string, string> {
  const { pool, target, endpoint, host, timeoutMs } = request;
  const place =
    endpoint.kind === 'ip'
      ? { SLUICE_ADDRESS: hostOf(endpoint.ip), SLUICE_PORT: String(endpoint.port) }
      : { SLUICE_ADDRESS: endpoint.path, SLUICE_PORT: '' };
  return {
    PATH: path,
    LC_ALL: 'C',
    SLUICE_POOL: pool,
    SLUICE_TARGET: target,
    SLUICE_HOST: host,
    ...place,
    SLUICE_TIMEOUT_MS: String(Math.floor(timeoutMs)),
  };
}

function runProgram(
  { clock, environment, stop }: ExecProbeTools,
  request: ProbeRequest<'exec'>,
): Promise<ProbeResult> {
  const { check, timeoutMs } = request;
  const [file = '', ...args] = check.exec.command;
  if (stop.aborted) return Promise.resolve({ ...stopped, latencyMs: 0 });
  return new Promise((resolve) => {
    const startedMs = clock.nowMs();
    const child = spawn(file, args, {
      cwd: '/',
      env: environmentOf(request, environment.PATH ?? '/usr/bin:/bin'),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let settled = false;
    /** How the program ended; null while it runs. */
    let verdict: (() => Ending) | null = null;
    const end = (ending: Ending): void => {
      if (settled) return;
      settled = true;
      timer.cancel();
      stop.removeEventListener('abort', onStop);
      if (verdict === null) killGroup(child);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ ...ending, latencyMs: clock.nowMs() - startedMs });
    };
    const onStop = () => end(stopped);
    stop.addEventListener('abort', onStop);
    const timer = clock.after(timeoutMs, () => {
      setImmediate(() => end(verdict?.() ?? { ok: false, reason: 'timed_out' }));
    });
    const output = collect(child);
    // The program could not be started: it says nothing of the target.
    child.on('error', (error) => {
      end({ ok: false, reason: 'local', facts: { detail: answerText(error.message) } });
    });
    child.on('exit', (code, signal) => {
      verdict = () => judge(code, signal, output());
      // Children that it left behind hold its output open.
      killGroup(child);
    });
    // All of its output has come. One that left the group can put this off, up to the timeout.
    child.on('close', () => end(verdict?.() ?? { ok: false, reason: 'failed' }));
  });
}

function judge(code: number | null, signal: string | null, output: string): Ending {
  if (code === 0) {
    return { ok: true, reason: 'answered', ...(output !== '' && { facts: { detail: output } }) };
  }
  const how = code === null ? `killed by ${signal}` : `exit ${code}`;
  return badAnswer(answerText(output === '' ? how : `${how}: ${output}`));
}

/** What the program printed, to either stream, as one line. */
function collect({ stdout, stderr }: ChildProcess): () => string {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for (const stream of [stdout, stderr]) {
    stream?.on('error', () => undefined);
    stream?.on('data', (piece: Buffer) => {
      const room = outputBytesMax - bytes;
      if (room <= 0) return;
      pieces.push(piece.subarray(0, room));
      bytes += Math.min(piece.length, room);
    });
  }
  return () => answerText(Buffer.concat(pieces));
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: all of it is gone. EPERM: what is left took other rights, and is no longer ours.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
