// What the commands that speak to a running sluice share: one request to its admin API.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { SluiceError } from '../errors.js';

/** Where a sluice with the defaults listens. */
export const defaultAdmin = 'http://127.0.0.1:9090';

export interface AdminAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const answerBytesMax = 1 << 20;

/**
 * `admin`: a URL, `host:port`, or `unix:` with a path. Waits as long as sluice takes to answer.
 * Throws SluiceError SLUICE_ADMIN_UNREACHABLE.
 */
export async function postAdmin(admin: string, path: string, body: object): Promise<AdminAnswer> {
  const unreachable = (why: string, cause?: unknown): SluiceError =>
    new SluiceError('SLUICE_ADMIN_UNREACHABLE', `the admin API at ${admin}: ${why}`, { cause });
  const text = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  try {
    const asked = admin.startsWith('unix:')
      ? request({ socketPath: admin.slice('unix:'.length), path, method: 'POST', headers })
      : request(new URL(path, admin.includes('://') ? admin : `http://${admin}`), {
          method: 'POST',
          headers,
        });
    asked.end(text);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, body: parseAnswer(await readAll(response)) };
  } catch (cause) {
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
