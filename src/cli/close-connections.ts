// sluice connections close: ends all that is open on a target or of a listener, after a question.
import { getAdmin, postAdmin } from './admin-client.js';
import { numberOf } from './answer-fields.js';
import { askOnTerminal } from './ask-on-terminal.js';
import { exitCodes } from './exit-codes.js';
import { fail, refused } from './fail.js';
import { splitPlace, targetPath } from './place.js';
import { visible } from './terminal.js';

export interface CloseOptions {
  readonly admin: string;
  readonly target?: string;
  readonly listener?: string;
  readonly yes?: true;
  readonly json?: true;
}

interface Named {
  /** Of the API, without `/close`. */
  readonly path: string;
  /** For people. */
  readonly name: string;
}

/** Exit code 0: they were told to close; 1: not, or not wanted; 2: wrong usage. */
export async function closeConnections(options: CloseOptions): Promise<number> {
  const named = namedBy(options);
  if (typeof named === 'string') return fail(named, exitCodes.usage);
  const { admin, yes, json } = options;
  if (yes !== true) {
    if (!process.stdin.isTTY || !process.stderr.isTTY) {
      return fail('there is no terminal to ask on: --yes closes without', exitCodes.usage);
    }
    const { status, body } = await getAdmin(admin, named.path);
    if (status !== 200) return refused(body);
    if (!(await isWanted(`Close ${countText(numberOf(body.active))} of ${named.name}?`))) {
      return fail('nothing was closed', exitCodes.failed);
    }
  }
  const { status, body } = await postAdmin(admin, `${named.path}/close`, {});
  if (json === true) process.stdout.write(`${JSON.stringify(body, null, 2)}\n`);
  if (status !== 200) return refused(body);
  const told = `${countText(numberOf(body.told))} of ${named.name} told to close`;
  if (json !== true) process.stdout.write(`${visible(told)}\n`);
  return exitCodes.ok;
}

/** A text: why not. */
function namedBy({ target, listener }: CloseOptions): Named | string {
  if (listener !== undefined) {
    return { path: `/api/v1/listeners/${encodeURIComponent(listener)}`, name: listener };
  }
  if (target === undefined) return 'name what is to be closed: --target or --listener';
  const place = splitPlace(target);
  if (place === null) return `--target: ${target} is not POOL/TARGET`;
  return { path: targetPath(place), name: target };
}

/** What is open are connections where TCP is, and sessions where UDP is. */
function countText(count: number): string {
  return `${count} open ${count === 1 ? 'connection or session' : 'connections and sessions'}`;
}

/** Whatever is not a yes, and the end of the input, is a no. */
async function isWanted(question: string): Promise<boolean> {
  const answer = await askOnTerminal((terminal, signal) =>
    terminal.question(`${visible(question)} [y/N] `, { signal }),
  );
  return /^\s*y(es)?\s*$/i.test(answer ?? '');
}
