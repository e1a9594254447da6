// The postgresql probe: a startup message, and with a login the question whether it is in recovery.
// Without one, any answer counts that PostgreSQL gives when it could serve: also a request to prove
// who one is, also a refusal of a user that does not exist.
import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import { answerText } from './answer-text.js';
import { type Conversation, converse } from './conversation.js';
import type { Credentials, Logins } from './logins.js';
import {
  offersScram,
  postgresqlMd5,
  scramFinal,
  scramFirst,
  scramMechanism,
} from './postgresql-login.js';
import {
  postgresqlAuthentication as authentication,
  type PostgresqlError,
  type PostgresqlMessage,
  parsePostgresqlMessage,
  postgresqlPassword,
  postgresqlQuery,
  postgresqlSaslInitial,
  postgresqlSaslResponse,
  postgresqlStartup,
  postgresqlTerminate,
} from './postgresql-protocol.js';
import type { Probe } from './probe.js';
import { badAnswer, type Ending } from './probe-socket.js';
import { type Malformed, readMessage } from './read-message.js';

export function createPostgresqlProbe({
  clock,
  logins,
}: {
  readonly clock: Clock;
  readonly logins: Logins;
}): Probe<'postgresql'> {
  return async ({ endpoint, timeoutMs, check }) => {
    const credentials = await logins.credentials(check.login);
    if (credentials !== null && 'ok' in credentials) return { ...credentials, latencyMs: 0 };
    return converse({ clock, endpoint, timeoutMs }, (peer) => askPostgresql(peer, credentials));
  };
}

type Answer = PostgresqlMessage | Malformed;
type Request = Extract<PostgresqlMessage, { readonly kind: 'authentication' }>;

const next = (peer: Conversation): Promise<Answer> => readMessage(peer, parsePostgresqlMessage);
const answered: Ending = { ok: true, reason: 'answered' };

export async function askPostgresql(
  peer: Conversation,
  credentials: Credentials | null,
): Promise<Ending> {
  const user = credentials?.user ?? 'sluice';
  const database = credentials?.database || 'postgres';
  peer.send(postgresqlStartup({ user, database, application_name: 'sluice' }));
  let first = await next(peer);
  while (first.kind === 'other') first = await next(peer);
  if (first.kind === 'error') return refused(first.error, credentials !== null);
  if (first.kind !== 'authentication') return unexpected(first);
  if (credentials === null) {
    if (first.code === authentication.ok) peer.send(postgresqlTerminate());
    return answered;
  }
  const trouble = await logIn(peer, first, credentials);
  return trouble ?? (await askRecovery(peer));
}

function unexpected(answer: Answer): Ending {
  return badAnswer(answer.kind === 'malformed' ? answer.text : `unexpected ${answer.kind}`);
}

/** Class 57P: it starts, ends, or recovers from a crash. */
function refused({ code, text }: PostgresqlError, withLogin: boolean): Ending {
  const facts = { detail: answerText(`${code} ${text}`) };
  if (code.startsWith('57P')) return { ok: false, reason: 'not_ready', facts };
  if (withLogin) return { ok: false, reason: 'login_failed', facts };
  // It has read our message and refuses just us.
  return /^[0-9A-Z]{5}$/.test(code) ? { ...answered, facts } : badAnswer(facts.detail);
}

/** null: logged in. */
async function logIn(
  peer: Conversation,
  request: Request,
  { user, password }: Credentials,
): Promise<Ending | null> {
  switch (request.code) {
    case authentication.ok:
      return null;
    case authentication.cleartext:
      peer.send(postgresqlPassword(password));
      break;
    case authentication.md5:
      peer.send(postgresqlPassword(postgresqlMd5(user, password, request.data.subarray(0, 4))));
      break;
    case authentication.sasl: {
      const trouble = await logInByScram(peer, request, password);
      if (trouble !== null) return trouble;
      break;
    }
    default:
      return loginFailed(`it wants a login of kind ${request.code}, which sluice does not speak`);
  }
  const answer = await next(peer);
  if (answer.kind === 'error') return refused(answer.error, true);
  const isWelcome = answer.kind === 'authentication' && answer.code === authentication.ok;
  return isWelcome ? null : unexpected(answer);
}

function loginFailed(detail: string): Ending {
  return { ok: false, reason: 'login_failed', facts: { detail } };
}

async function logInByScram(
  peer: Conversation,
  { data }: Request,
  password: string,
): Promise<Ending | null> {
  if (!offersScram(data)) return loginFailed(`it does not offer ${scramMechanism}`);
  const nonce = randomBytes(18).toString('base64');
  peer.send(postgresqlSaslInitial(scramMechanism, scramFirst(nonce)));
  const challenge = await next(peer);
  if (challenge.kind === 'error') return refused(challenge.error, true);
  if (challenge.kind !== 'authentication' || challenge.code !== authentication.saslContinue) {
    return unexpected(challenge);
  }
  const final = scramFinal(nonce, challenge.data.toString('utf8'), password);
  if (final === null) return badAnswer(`not a challenge of ${scramMechanism}`);
  peer.send(postgresqlSaslResponse(final.clientFinal));
  const proof = await next(peer);
  if (proof.kind === 'error') return refused(proof.error, true);
  if (proof.kind !== 'authentication' || proof.code !== authentication.saslFinal) {
    return unexpected(proof);
  }
  // Who cannot prove it is not the one whose password this is.
  return final.proves(proof.data.toString('utf8'))
    ? null
    : loginFailed('it does not know the password itself');
}

async function askRecovery(peer: Conversation): Promise<Ending> {
  let asked = false;
  let role: 'primary' | 'replica' | null = null;
  while (true) {
    const answer = await next(peer);
    switch (answer.kind) {
      case 'ready':
        if (asked) {
          peer.send(postgresqlTerminate());
          return role === null ? badAnswer('no row') : { ...answered, facts: { role } };
        }
        asked = true;
        peer.send(postgresqlQuery('select pg_is_in_recovery()'));
        break;
      case 'row':
        role = answer.columns[0] === 't' ? 'replica' : answer.columns[0] === 'f' ? 'primary' : null;
        break;
      case 'error':
        return refused(answer.error, true);
      case 'authentication':
      case 'malformed':
        return unexpected(answer);
      case 'other':
        break;
    }
  }
}
