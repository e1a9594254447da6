// TlsSocket: TLS over the socket of a probe, and what its certificate says.
import { readFile, stat } from 'node:fs/promises';
import { isIP, type Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { ProbeFacts } from '../model/health.js';
import type { TlsSettings } from '../model/health-check.js';
import { answerText } from './answer-text.js';
import type { Ending } from './probe-socket.js';
import { type End, reasonOf } from './probe-socket.js';

export type TrustOutcome =
  | { readonly ok: true; readonly context: SecureContext }
  | { readonly ok: false; readonly ending: Ending };

/** Gives the certificates to trust; asked before each probe, which must notice a file's change. */
export type Trust = (settings: TlsSettings) => Promise<TrustOutcome>;

interface Loaded {
  readonly version: string;
  readonly context: SecureContext;
}

/** Files that are kept parsed; beyond it all are forgotten and read again. */
const filesMax = 256;

/** Parsing a bundle takes milliseconds, so it is kept while the file does not change. */
export function createTrust(): Trust {
  let usual: SecureContext | null = null;
  const loaded = new Map<string, Loaded>();
  return async ({ ca }) => {
    if (ca === null) {
      usual ??= createSecureContext();
      return { ok: true, context: usual };
    }
    try {
      const { mtimeMs, size, ino } = await stat(ca);
      const version = `${mtimeMs} ${size} ${ino}`;
      const known = loaded.get(ca);
      if (known?.version === version) return { ok: true, context: known.context };
      const context = createSecureContext({ ca: await readFile(ca) });
      if (loaded.size >= filesMax) loaded.clear();
      loaded.set(ca, { version, context });
      return { ok: true, context };
    } catch (error) {
      // A file of ours: it says nothing of the target.
      const detail = answerText(`${ca}: ${error instanceof Error ? error.message : error}`);
      return { ok: false, ending: { ok: false, reason: 'local', facts: { detail } } };
    }
  };
}

export interface TlsRequest {
  readonly settings: TlsSettings;
  readonly context: SecureContext;
  /** Whom the certificate must be for unless the settings name somebody else. */
  readonly host: string;
}

/** Calls `use` once the handshake is done and the certificate is as the settings demand. */
export function startTls(
  socket: Socket,
  { settings, context, host }: TlsRequest,
  end: End,
  use: (secure: TLSSocket, facts: ProbeFacts) => void,
): void {
  const name = settings.serverName ?? host;
  const secure = connect({
    socket,
    secureContext: context,
    host: name,
    // RFC 6066 has no addresses here; the certificate is compared with `host` all the same.
    servername: isIP(name) === 0 ? name : '',
    // Looked at below: a certificate that is not good is still one to report.
    rejectUnauthorized: false,
    ...(settings.alpn.length > 0 && { ALPNProtocols: [...settings.alpn] }),
  });
  let done = false;
  secure.on('error', (error: NodeJS.ErrnoException) => end(failed(error, done)));
  const decide = (): void => {
    const facts = factsOf(secure);
    const refuse = (detail: string): void =>
      end({ ok: false, reason: 'tls_failed', facts: { ...facts, detail } });
    if (settings.verify && !secure.authorized) {
      refuse(answerText(String(secure.authorizationError)));
    } else if (settings.alpn.length > 0 && !secure.alpnProtocol) {
      refuse(`the target takes none of ${settings.alpn.join(', ')}`);
    } else {
      use(secure, facts);
    }
  };
  secure.once('secureConnect', () => {
    done = true;
    // Our last message of the handshake is written after this event. A reset before it would leave
    // a target with half a handshake, and a complaint in its log, for every probe.
    setImmediate(decide);
  });
}

/** Errors of the handshake itself have codes of OpenSSL; those of the socket stay what they are. */
function failed(error: NodeJS.ErrnoException, done: boolean): Ending {
  const code = error.code ?? '';
  const isTls = /^ERR_(SSL|TLS)_|^EPROTO$/.test(code);
  if (isTls) {
    const detail = answerText(code === 'EPROTO' ? error.message : code);
    return { ok: false, reason: 'tls_failed', facts: { detail } };
  }
  // An end in good order before the handshake was done comes as ECONNRESET without a system call.
  if (!done && code === 'ECONNRESET' && error.syscall === undefined) {
    return { ok: false, reason: 'closed' };
  }
  return { ok: false, reason: reasonOf(error) };
}

function factsOf(secure: TLSSocket): ProbeFacts {
  const certificateExpires = new Date(secure.getPeerCertificate().valid_to);
  return Number.isNaN(certificateExpires.getTime()) ? {} : { certificateExpires };
}
