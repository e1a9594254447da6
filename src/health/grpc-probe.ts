// The grpc probe: grpc.health.v1.Health/Check over HTTP/2, in the clear or over TLS.
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import type { Duplex } from 'node:stream';
import { answerText } from './answer-text.js';
import { answerBytesMax } from './conversation.js';
import { encodeCheckRequest, readCheckResponse } from './grpc-message.js';
import type { Probe, ProbeRequest } from './probe.js';
import { badAnswer, type End, type Ending, reasonOf } from './probe-socket.js';
import { probeSecurely, type SecureTools } from './secure-probe.js';

/** A message is a few bytes; whoever sends more of it does not speak this protocol. */
const messageBytesMax = 1024;

export function createGrpcProbe(tools: SecureTools): Probe<'grpc'> {
  return (request) =>
    probeSecurely(tools, request, request.check.tls, (stream, end) => check(stream, request, end));
}

function check(
  stream: Duplex & { readonly bytesRead: number },
  request: ProbeRequest<'grpc'>,
  end: End,
): void {
  const { host, timeoutMs, check: settings } = request;
  const scheme = settings.tls === null ? 'http' : 'https';
  const authority = host.includes(':') ? `[${host}]` : host;
  const session: ClientHttp2Session = connect(`${scheme}://${authority}`, {
    createConnection: () => stream,
    settings: { enablePush: false, maxHeaderListSize: 16 * 1024 },
    maxSessionMemory: 1,
  });
  const finish = (ending: Ending): void => {
    end(ending);
    session.destroy();
  };
  session.on('error', (error: NodeJS.ErrnoException) => finish(failed(error)));
  session.on('close', () => finish({ ok: false, reason: 'closed' }));
  stream.once('close', () => finish({ ok: false, reason: 'closed' }));
  const call = session.request({
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'sluice-probe',
    'grpc-timeout': `${Math.max(1, Math.floor(timeoutMs))}m`,
  });
  const answer: { body: Buffer; status: number; headers: IncomingHttpHeaders } = {
    body: Buffer.alloc(0),
    status: 0,
    headers: {},
  };
  call.on('response', (headers) => {
    answer.status = headers[':status'] ?? 0;
    answer.headers = { ...answer.headers, ...headers };
  });
  call.on('trailers', (headers) => {
    answer.headers = { ...answer.headers, ...headers };
  });
  call.on('data', (piece: Buffer) => {
    answer.body = Buffer.concat([answer.body, piece]);
    const tooLong = answer.body.length > messageBytesMax || stream.bytesRead > answerBytesMax;
    if (tooLong) finish(badAnswer(`more than ${messageBytesMax} bytes`));
  });
  call.on('error', (error: NodeJS.ErrnoException) => finish(failed(error)));
  call.on('end', () => finish(judgeGrpc(answer)));
  call.end(encodeCheckRequest(settings.grpc.service));
}

function failed(error: NodeJS.ErrnoException): Ending {
  const code = error.code ?? '';
  if (code.startsWith('ERR_HTTP2_')) return badAnswer(answerText(error.message));
  return { ok: false, reason: reasonOf(error) };
}

export interface GrpcAnswer {
  readonly status: number;
  /** Of the response and its trailers together. */
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** As clients of gRPC do: the HTTP status, then the status of the call, then the message. */
export function judgeGrpc({ status, headers, body }: GrpcAnswer): Ending {
  if (status !== 200) return badAnswer(`HTTP ${status}`);
  const call = headers['grpc-status'];
  if (call !== '0') {
    const message = headers['grpc-message'] ?? '';
    return badAnswer(answerText(`grpc-status ${call ?? 'missing'} ${message}`));
  }
  const serving = readCheckResponse(body);
  if (serving === null) return badAnswer('not a message of grpc.health.v1');
  if (serving !== 'SERVING') return badAnswer(serving);
  return { ok: true, reason: 'answered', facts: { detail: serving } };
}
