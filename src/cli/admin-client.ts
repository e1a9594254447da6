// What the commands that speak to a running sluice share: one request to its admin API.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { SluiceError } from '../errors.js';

export interface AdminAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const answerBytesMax = 1 << 20;

/**
 * `admin`: a URL, `host:port`, or `unix:` with a path. `answerMs`: how long the answer may take,
 * null: as long as sluice likes. Throws SluiceError SLUICE_ADMIN_UNREACHABLE.
 */
export async function postAdmin(
  admin: string,
  path: string,
  body: object,
  answerMs: number | null = 30_000,
): Promise<AdminAnswer> {
  const unreachable = (why: string, cause?: unknown): SluiceError =>
    new SluiceError('SLUICE_ADMIN_UNREACHABLE', `the admin API at ${admin}: ${why}`, { cause });
  const text = JSON.stringify(body);
  // Not an option: what is on a command line, everybody on the machine may read.
  const token = process.env.SLUICE_TOKEN;
  const authorization = token ? { authorization: `Bearer ${token}` } : {};
  const headers = {
    ...authorization,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  };
  const late = answerMs === null ? undefined : AbortSignal.timeout(answerMs);
  const options = { method: 'POST', headers, ...(late && { signal: late }) };
  try {
    const asked = admin.startsWith('unix:')
      ? request({ ...options, socketPath: admin.slice('unix:'.length), path })
      : request(new URL(path, admin.includes('://') ? admin : `http://${admin}`), options);
    asked.end(text);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, body: parseAnswer(await readAll(response)) };
  } catch (cause) {
    if (late?.aborted) throw unreachable(`no answer within ${answerMs} ms`, cause);
    throw unreachable(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > answerBytesMax) throw new Error('its answer has no end');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parseAnswer(text: string): AdminAnswer['body'] {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new Error('its answer is no JSON object');
  return { ...value };
}
