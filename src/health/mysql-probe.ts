// The mysql probe, for MySQL and MariaDB: the handshake that each sends first, and with a login the
// question whether it may be written to.
import type { Clock } from '../clock.js';
import { answerText } from './answer-text.js';
import { type Conversation, converse } from './conversation.js';
import type { Credentials, Logins } from './logins.js';
import {
  isMysqlEnd,
  type MysqlAnswer,
  type MysqlHandshake,
  type MysqlPacket,
  mysqlLogin,
  mysqlPacket,
  mysqlPlugins,
  mysqlProof,
  mysqlQuery,
  mysqlQuit,
  parseMysqlPacket,
  readMysqlAnswer,
  readMysqlHandshake,
  readMysqlValue,
} from './mysql-protocol.js';
import type { Probe } from './probe.js';
import { badAnswer, type Ending } from './probe-socket.js';
import { readMessage } from './read-message.js';

export function createMysqlProbe({
  clock,
  logins,
}: {
  readonly clock: Clock;
  readonly logins: Logins;
}): Probe<'mysql'> {
  return async ({ endpoint, timeoutMs, check }) => {
    const credentials = await logins.credentials(check.login);
    if (credentials !== null && 'ok' in credentials) return { ...credentials, latencyMs: 0 };
    return converse({ clock, endpoint, timeoutMs }, (peer) => askMysql(peer, credentials));
  };
}

async function next(peer: Conversation): Promise<MysqlPacket | Ending> {
  const packet = await readMessage(peer, parseMysqlPacket);
  return 'kind' in packet ? badAnswer(packet.text) : packet;
}

export async function askMysql(
  peer: Conversation,
  credentials: Credentials | null,
): Promise<Ending> {
  const first = await next(peer);
  if ('ok' in first) return first;
  const handshake = readMysqlHandshake(first.payload);
  if (handshake === null) {
    const answer = readMysqlAnswer(first.payload);
    return answer.kind === 'error' ? refused(answer) : badAnswer('not a MySQL handshake');
  }
  // Hanging up now would count as a broken handshake, and 100 of them block this machine
  // (max_connect_errors). A login that is refused does not count as one.
  const trouble = await logIn(peer, first, handshake, credentials);
  if (trouble !== null) return trouble;
  if (credentials === null) {
    peer.send(mysqlPacket(mysqlQuit()));
    return { ok: true, reason: 'answered', facts: { detail: answerText(handshake.version) } };
  }
  return await askReadOnly(peer);
}

type MysqlError = Extract<MysqlAnswer, { readonly kind: 'error' }>;

const shutdownCodes: ReadonlySet<number> = new Set([1053, 3169]);

function refused({ code, text }: MysqlError): Ending {
  const facts = { detail: answerText(`${code} ${text}`) };
  return { ok: false, reason: shutdownCodes.has(code) ? 'not_ready' : 'bad_answer', facts };
}

/** null: logged in. Without credentials a refusal is good: it has heard us and refuses just us. */
async function logIn(
  peer: Conversation,
  first: MysqlPacket,
  { challenge, plugin, version }: MysqlHandshake,
  credentials: Credentials | null,
): Promise<Ending | null> {
  const { user, password } = credentials ?? { user: 'sluice', password: '' };
  const failed = (detail: string): Ending =>
    credentials === null
      ? { ok: true, reason: 'answered', facts: { detail: answerText(version) } }
      : { ok: false, reason: 'login_failed', facts: { detail: answerText(detail) } };
  // A plugin that is not ours is answered in one that is; the target then asks to switch.
  const spoken = mysqlPlugins.includes(plugin) ? plugin : 'mysql_native_password';
  const proof = mysqlProof(spoken, password, challenge) ?? Buffer.alloc(0);
  const payload = mysqlLogin({ user, proof, plugin: spoken });
  peer.send(mysqlPacket({ sequence: first.sequence + 1, payload }));
  for (let switched = false; ; ) {
    const packet = await next(peer);
    if ('ok' in packet) return packet;
    const answer = readMysqlAnswer(packet.payload);
    switch (answer.kind) {
      case 'ok':
        return null;
      case 'error':
        return failed(`${answer.code} ${answer.text}`);
      case 'switch': {
        const again = mysqlProof(answer.plugin, password, answer.challenge);
        if (again === null || switched) return failed(`login by ${answer.plugin}`);
        switched = true;
        peer.send(mysqlPacket({ sequence: packet.sequence + 1, payload: again }));
        break;
      }
      case 'more':
        if (answer.step === 3) break;
        return failed('the password is not in its cache: log in once over TLS as this user');
      case 'other':
        return badAnswer('not an answer to a login');
    }
  }
}

/** A number of columns, each column, an end, each row, an end. */
async function askReadOnly(peer: Conversation): Promise<Ending> {
  peer.send(mysqlPacket(mysqlQuery('select @@global.read_only')));
  const head = await next(peer);
  if ('ok' in head) return head;
  const answer = readMysqlAnswer(head.payload);
  if (answer.kind === 'error') return refused(answer);
  for (let ends = 0; ; ) {
    const packet = await next(peer);
    if ('ok' in packet) return packet;
    if (isMysqlEnd(packet.payload)) {
      ends++;
      if (ends === 2) return badAnswer('no row');
    } else if (ends === 1) {
      const value = readMysqlValue(packet.payload);
      if (value === null) return badAnswer('read_only has no value');
      peer.send(mysqlPacket(mysqlQuit()));
      const role = value === '0' || value === 'OFF' ? 'primary' : 'replica';
      return { ok: true, reason: 'answered', facts: { role } };
    }
  }
}
