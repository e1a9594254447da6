// What the commands that speak to a running sluice share: one request to its admin API.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type ErrorCode, errorTable, SluiceError } from '../errors.js';
import { visible } from './terminal.js';

export interface AdminAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const answerBytesMax = 1 << 20;
/** A page of 1000 targets is 2 MiB, and everything about 16384 of them 32. */
const readBytesMax = 64 << 20;

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
  return await change({ admin, path, method: 'POST', body, answerMs });
}

/** The same, to change a part. */
export async function patchAdmin(admin: string, path: string, body: object): Promise<AdminAnswer> {
  return await change({ admin, path, method: 'PATCH', body, answerMs: 30_000 });
}

/** The same, to read. */
export async function getAdmin(
  admin: string,
  path: string,
  answerMs = 30_000,
): Promise<AdminAnswer> {
  const asks = { method: 'GET', headers: {}, text: '' } as const;
  return await exchange({ admin, path, ...asks, answerMs, bytesMax: readBytesMax });
}

/** The body of an answer that says yes; throws a SluiceError with its code and words otherwise. */
export async function readAdmin(admin: string, path: string): Promise<AdminAnswer['body']> {
  const answer = await getAdmin(admin, path);
  if (answer.status === 200) return answer.body;
  throw refusalOf(admin, path, answer);
}

/**
 * An answer of 200 that has no end, piece by piece. Throws the SluiceError of a refusal, and
 * SLUICE_ADMIN_UNREACHABLE also when nothing comes for `silenceMs`.
 */
export async function* streamAdmin(
  admin: string,
  path: string,
  { headers, silenceMs }: Stream,
): AsyncGenerator<string, void> {
  const asks = { method: 'GET', text: '', signal: undefined } as const;
  let response: IncomingMessage | undefined;
  try {
    response = await ask({ admin, path, headers, ...asks });
    response.setTimeout(silenceMs, () => {
      response?.destroy(new Error(`it said nothing for ${silenceMs} ms`));
    });
    if (response.statusCode !== 200) {
      const body = parseAnswer(await readAll(response, answerBytesMax));
      throw refusalOf(admin, path, { status: response.statusCode ?? 0, body });
    }
    yield* response.setEncoding('utf8') as AsyncIterable<string>;
  } catch (cause) {
    throw cause instanceof SluiceError ? cause : unreachable(admin, cause);
  } finally {
    response?.destroy();
  }
}

interface Stream {
  readonly headers: Readonly<Record<string, string>>;
  readonly silenceMs: number;
}

function refusalOf(admin: string, path: string, { status, body }: AdminAnswer): SluiceError {
  const why = visible(String(body.error ?? `it answered ${status} to ${path}`));
  const known = Object.keys(errorTable) as readonly ErrorCode[];
  // Something else may listen there, which has no codes of ours.
  const code = known.find((one) => one === body.code) ?? 'SLUICE_ADMIN_UNREACHABLE';
  return new SluiceError(code, `the admin API at ${admin}: ${why}`);
}

function unreachable(admin: string, cause: unknown): SluiceError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SluiceError('SLUICE_ADMIN_UNREACHABLE', `the admin API at ${admin}: ${why}`, {
    cause,
  });
}

interface Change extends Pick<Exchange, 'admin' | 'path' | 'method' | 'answerMs'> {
  readonly body: object;
}

async function change({ body, ...asked }: Change): Promise<AdminAnswer> {
  const text = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  return await exchange({ ...asked, headers, text, bytesMax: answerBytesMax });
}

interface Asked {
  readonly admin: string;
  readonly path: string;
  readonly method: 'GET' | 'PATCH' | 'POST';
  readonly headers: Readonly<Record<string, string | number>>;
  readonly text: string;
}

interface Exchange extends Asked {
  readonly answerMs: number | null;
  readonly bytesMax: number;
}

async function exchange({ answerMs, bytesMax, ...asked }: Exchange): Promise<AdminAnswer> {
  const late = answerMs === null ? undefined : AbortSignal.timeout(answerMs);
  try {
    const response = await ask({ ...asked, signal: late });
    const body = parseAnswer(await readAll(response, bytesMax));
    return { status: response.statusCode ?? 0, body };
  } catch (cause) {
    const why = late?.aborted ? new Error(`no answer within ${answerMs} ms`, { cause }) : cause;
    throw unreachable(asked.admin, why);
  }
}

async function ask(
  wanted: Asked & { readonly signal: AbortSignal | undefined },
): Promise<IncomingMessage> {
  const { admin, path, method, signal, text } = wanted;
  // Not an option: what is on a command line, everybody on the machine may read.
  const token = process.env.SLUICE_TOKEN;
  const authorization = token ? { authorization: `Bearer ${token}` } : {};
  const headers = { ...wanted.headers, ...authorization };
  const options = { method, headers, ...(signal && { signal }) };
  const asked = admin.startsWith('unix:')
    ? request({ ...options, socketPath: admin.slice('unix:'.length), path })
    : request(new URL(path, admin.includes('://') ? admin : `http://${admin}`), options);
  asked.end(text);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}

async function readAll(response: IncomingMessage, bytesMax: number): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bytesMax) throw new Error('its answer has no end');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parseAnswer(text: string): AdminAnswer['body'] {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new Error('its answer is no JSON object');
  return { ...value };
}
