// sluice enable, disable and drain POOL/TARGET: an operator's wishes, sent to a running sluice.
import { parseDrainCloseOver, parseDrainDeadline } from '../app/drain-durations.js';
import { postAdmin } from './admin-client.js';
import { exitCodes } from './exit-codes.js';
import { visible } from './terminal.js';

export interface DrainOptions {
  readonly admin: string;
  readonly deadline?: string;
  readonly closeOver?: string;
  readonly wait?: true;
}

interface Place {
  readonly pool: string;
  readonly target: string;
}

export async function setTarget(
  verb: 'enable' | 'disable',
  place: string,
  admin: string,
): Promise<number> {
  const named = splitPlace(place);
  if (named === null) return usage(`${place} is not POOL/TARGET`);
  const { status, body } = await postAdmin(admin, pathOf(named, verb), {});
  if (status !== 200) return refused(body);
  process.stdout.write(`${visible(place)} is ${visible(String(body.adminState))}\n`);
  return exitCodes.ok;
}

/** With `wait` the exit code says how it ended: see docs/operations.md. */
export async function drainTarget(place: string, options: DrainOptions): Promise<number> {
  const named = splitPlace(place);
  if (named === null) return usage(`${place} is not POOL/TARGET`);
  const { deadline, closeOver, wait, admin } = options;
  const deadlineMs = deadline === undefined ? undefined : parseDrainDeadline(deadline);
  if (deadlineMs?.ok === false) return usage(`--deadline: ${deadlineMs.problem.message}`);
  const closeOverMs = closeOver === undefined ? undefined : parseDrainCloseOver(closeOver);
  if (closeOverMs?.ok === false) return usage(`--close-over: ${closeOverMs.problem.message}`);
  const wish = {
    ...(deadlineMs && { deadlineMs: deadlineMs.value }),
    ...(closeOverMs && { closeOverMs: closeOverMs.value }),
  };
  // Who waits for a drain waits for as long as it takes.
  const { status, body } = await (wait
    ? postAdmin(admin, pathOf(named, 'drain'), { ...wish, wait }, null)
    : postAdmin(admin, pathOf(named, 'drain'), wish));
  if (status !== 200) return refused(body);
  if (wait !== true) {
    process.stdout.write(`${place} is draining\n`);
    return exitCodes.ok;
  }
  const result = String(body.result);
  const seconds = (Number(body.durationMs) / 1000).toFixed(1);
  const counts = `${String(body.closed)} closed, ${String(body.active)} open`;
  process.stdout.write(`${place} ${result} after ${seconds} s, ${counts}\n`);
  if (result === 'drained') return exitCodes.ok;
  return result === 'closed' ? exitCodes.cut : exitCodes.failed;
}

/** A pool's name has no slash; a target's may, such as that of a unix socket. */
function splitPlace(place: string): Place | null {
  const slash = place.indexOf('/');
  if (slash < 1 || slash === place.length - 1) return null;
  return { pool: place.slice(0, slash), target: place.slice(slash + 1) };
}

function pathOf({ pool, target }: Place, verb: 'enable' | 'disable' | 'drain'): string {
  const parts = [pool, 'targets', target, verb].map(encodeURIComponent);
  return `/api/v1/pools/${parts.join('/')}`;
}

function usage(message: string): number {
  process.stderr.write(`sluice: ${visible(message)}\n`);
  return exitCodes.usage;
}

function refused({ error, code }: Readonly<Record<string, unknown>>): number {
  process.stderr.write(`sluice: ${visible(String(error))} (${visible(String(code))})\n`);
  return exitCodes.failed;
}
