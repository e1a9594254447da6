// sluice enable, disable and drain POOL/TARGET: an operator's wishes, sent to a running sluice.
import { parseDrainCloseOver, parseDrainDeadline } from '../app/drain-durations.js';
import { type AdminAnswer, patchAdmin, postAdmin } from './admin-client.js';
import { listOf, textOf } from './answer-fields.js';
import { exitCodes } from './exit-codes.js';
import { fail, refused } from './fail.js';
import { splitPlace, targetPath } from './place.js';
import { visible } from './terminal.js';

export interface DrainOptions {
  readonly admin: string;
  readonly deadline?: string;
  readonly closeOver?: string;
  readonly wait?: true;
}

/** Of commands that change the configuration at run time. */
export interface ChangeOptions {
  readonly admin: string;
  readonly persist?: true;
  readonly json?: true;
}

export async function setTarget(
  verb: 'enable' | 'disable',
  place: string,
  admin: string,
): Promise<number> {
  const named = splitPlace(place);
  if (named === null) return fail(`${place} is not POOL/TARGET`, exitCodes.usage);
  const { status, body } = await postAdmin(admin, `${targetPath(named)}/${verb}`, {});
  if (status !== 200) return refused(body);
  process.stdout.write(`${visible(place)} is ${visible(String(body.adminState))}\n`);
  return exitCodes.ok;
}

/** With `wait` the exit code says how it ended: see docs/operations.md. */
export async function drainTarget(place: string, options: DrainOptions): Promise<number> {
  const named = splitPlace(place);
  if (named === null) return fail(`${place} is not POOL/TARGET`, exitCodes.usage);
  const { deadline, closeOver, wait, admin } = options;
  const deadlineMs = deadline === undefined ? undefined : parseDrainDeadline(deadline);
  if (deadlineMs?.ok === false)
    return fail(`--deadline: ${deadlineMs.problem.message}`, exitCodes.usage);
  const closeOverMs = closeOver === undefined ? undefined : parseDrainCloseOver(closeOver);
  if (closeOverMs?.ok === false)
    return fail(`--close-over: ${closeOverMs.problem.message}`, exitCodes.usage);
  const wish = {
    ...(deadlineMs && { deadlineMs: deadlineMs.value }),
    ...(closeOverMs && { closeOverMs: closeOverMs.value }),
  };
  // Who waits for a drain waits for as long as it takes.
  const path = `${targetPath(named)}/drain`;
  const { status, body } = await (wait
    ? postAdmin(admin, path, { ...wish, wait }, null)
    : postAdmin(admin, path, wish));
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

export async function changeWeight(
  place: string,
  weight: number,
  { admin, persist, json }: ChangeOptions,
): Promise<number> {
  const named = splitPlace(place);
  if (named === null) return fail(`${place} is not POOL/TARGET`, exitCodes.usage);
  const wish = { weight, ...(persist && { persist }) };
  const answer = await patchAdmin(admin, targetPath(named), wish);
  const where = answer.body.persisted === true ? 'also in the file' : 'until the next reload';
  return changed(answer, `${place} has the weight ${weight}, ${where}`, json);
}

export async function reload({ admin, json }: ChangeOptions): Promise<number> {
  const answer = await postAdmin(admin, '/api/v1/reload', {});
  return changed(
    answer,
    `generation ${textOf(answer.body.generation)} is what the file says`,
    json,
  );
}

/** The file is wrong, or the change would make it so: nothing was changed. */
const unprocessable = 422;

function changed({ status, body }: AdminAnswer, says: string, json: true | undefined): number {
  if (json) process.stdout.write(`${JSON.stringify(body, null, 2)}\n`);
  if (status === 200) {
    if (!json) process.stdout.write(`${visible(says)}\n`);
    return exitCodes.ok;
  }
  for (const { line, column, path, message } of listOf(body.problems)) {
    const where = `${textOf(line)}:${textOf(column)}  ${textOf(path)}`;
    process.stderr.write(`${visible(`${where}  ${textOf(message)}`)}\n`);
  }
  refused(body);
  return status === unprocessable ? exitCodes.usage : exitCodes.failed;
}
