// The http and https probes: one request, whose status and body decide. Redirects are answers like
// others and are never followed: a probe goes to its target and nowhere else.
import { type ClientRequest, type IncomingMessage, request as openRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HttpSettings } from '../model/health-check.js';
import { answerText } from './answer-text.js';
import { answerBytesMax } from './conversation.js';
import { compilePattern, patternBytesMax } from './expectation.js';
import type { Probe, ProbeRequest } from './probe.js';
import { badAnswer, type End, type Ending, reasonOf } from './probe-socket.js';
import { probeSecurely, type SecureTools, type UseStream } from './secure-probe.js';

export function createHttpProbe(tools: SecureTools): Probe<'http'> {
  return (request) => probeSecurely(tools, request, null, ask(request, 80));
}

export function createHttpsProbe(tools: SecureTools): Probe<'https'> {
  return (request) => probeSecurely(tools, request, request.check.tls, ask(request, 443));
}

function ask(request: ProbeRequest<'http' | 'https'>, usualPort: number): UseStream {
  const { http } = request.check;
  const host = http.host ?? hostHeader(request, usualPort);
  return (stream, end) => sendRequest(stream, { http, host }, end);
}

function hostHeader({ endpoint, host }: ProbeRequest<'http' | 'https'>, usualPort: number): string {
  const name = host.includes(':') ? `[${host}]` : host;
  const hasPort = endpoint.kind === 'ip' && endpoint.port !== usualPort;
  return hasPort ? `${name}:${endpoint.port}` : name;
}

/** Also for a stream that a test feeds; `end` is called once, if the answer or its lack says so. */
export function sendRequest(
  stream: Duplex & { readonly bytesRead?: number },
  { http, host }: { readonly http: HttpSettings; readonly host: string },
  end: End,
): void {
  const request: ClientRequest = openRequest({
    createConnection: () => stream,
    method: http.method,
    path: http.path,
    headers: { host, 'user-agent': 'sluice-probe', accept: '*/*', connection: 'close' },
    maxHeaderSize: 16 * 1024,
  });
  request.on('error', (error: NodeJS.ErrnoException) => end(failed(error)));
  request.on('response', (response) => judge(response, http, end));
  // Interim answers: as many as a target likes, within the bound of all that a probe reads.
  request.on('information', () => {
    if ((stream.bytesRead ?? 0) > answerBytesMax) end(badAnswer('no final status'));
  });
  request.on('upgrade', (response) =>
    judge(response, { ...http, body: null, bodyRegex: null }, end),
  );
  request.end();
}

function failed(error: NodeJS.ErrnoException): Ending {
  const code = error.code ?? '';
  if (code.startsWith('HPE_')) return badAnswer(`not HTTP (${code})`);
  // Node says so when the connection ended in good order before the answer was whole.
  if (code === 'ECONNRESET' && error.syscall === undefined) return { ok: false, reason: 'closed' };
  return { ok: false, reason: reasonOf(error) };
}

function judge(response: IncomingMessage, http: HttpSettings, end: End): void {
  const { statusCode = 0, statusMessage = '' } = response;
  const detail = answerText(`HTTP ${statusCode} ${statusMessage}`);
  const good: Ending = { ok: true, reason: 'answered', facts: { detail } };
  response.on('error', (error: NodeJS.ErrnoException) => end(failed(error)));
  if (!http.status.some(({ low, high }) => statusCode >= low && statusCode <= high)) {
    end(badAnswer(detail));
  } else if (http.body === null && http.bodyRegex === null) {
    end(good);
  } else {
    readBody(response, (body) => {
      const missing = missingIn(body, http);
      end(missing === null ? good : badAnswer(`${detail}: ${missing}`));
    });
  }
}

/** Calls `use` with the body, or with as much of it as a probe reads. */
function readBody(response: IncomingMessage, use: (body: Buffer) => void): void {
  const pieces: Buffer[] = [];
  let bytes = 0;
  response.on('data', (piece: Buffer) => {
    if (bytes >= answerBytesMax) return;
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= answerBytesMax) use(Buffer.concat(pieces).subarray(0, answerBytesMax));
  });
  response.on('end', () => {
    if (bytes < answerBytesMax) use(Buffer.concat(pieces));
  });
}

function missingIn(body: Buffer, { body: text, bodyRegex }: HttpSettings): string | null {
  if (text !== null && !body.includes(text)) return 'the body lacks the text';
  if (bodyRegex === null) return null;
  const start = body.toString('utf8', 0, patternBytesMax);
  return compilePattern(bodyRegex).matcher(start).find() ? null : 'the body does not match';
}
