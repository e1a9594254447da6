// The redis probe: PING says whether it serves, ROLE whether it is the primary. A Redis that wants
// a password is alive; only with one can its role be known.
import type { Clock } from '../clock.js';
import { answerText } from './answer-text.js';
import { type Conversation, converse } from './conversation.js';
import type { Credentials, Logins } from './logins.js';
import type { Probe } from './probe.js';
import { badAnswer, type Ending } from './probe-socket.js';
import { type Malformed, readMessage } from './read-message.js';
import { parseRedisReply, type RedisReply, redisCommand } from './redis-protocol.js';

export function createRedisProbe({
  clock,
  logins,
}: {
  readonly clock: Clock;
  readonly logins: Logins;
}): Probe<'redis'> {
  return async ({ endpoint, timeoutMs, check }) => {
    const credentials = await logins.credentials(check.login);
    if (credentials !== null && 'ok' in credentials) return { ...credentials, latencyMs: 0 };
    return converse({ clock, endpoint, timeoutMs }, (peer) => askRedis(peer, credentials));
  };
}

type Answer = RedisReply | Malformed;

/** All at once: Redis answers in order, and one round trip is enough. */
export async function askRedis(
  peer: Conversation,
  credentials: Credentials | null,
): Promise<Ending> {
  const { user, password } = credentials ?? { user: '', password: '' };
  const logsIn = password !== '' || user !== '';
  const words = user === '' ? [password] : [user, password];
  const commands = [redisCommand('PING'), redisCommand('ROLE')];
  peer.send(Buffer.concat(logsIn ? [redisCommand('AUTH', ...words), ...commands] : commands));
  if (logsIn) {
    const answer = await readMessage(peer, parseRedisReply);
    const isWelcome = answer.kind === 'text' && answer.text === 'OK';
    if (answer.kind === 'malformed') return badAnswer(answer.text);
    if (!isWelcome)
      return { ok: false, reason: 'login_failed', facts: { detail: wordsOf(answer) } };
  }
  const pong = await readMessage(peer, parseRedisReply);
  const trouble = afterPing(pong);
  if (trouble !== null) return trouble;
  return afterRole(await readMessage(peer, parseRedisReply));
}

function wordsOf(answer: Answer): string {
  return answerText('text' in answer ? answer.text : answer.kind);
}

/**
 * Loading its data, a script that does not end, a replica that has lost its primary and was told
 * not to serve old data, a disk that cannot be written: all of them refuse PING.
 */
function afterPing(answer: Answer): Ending | null {
  if (answer.kind === 'text' && answer.text === 'PONG') return null;
  if (answer.kind !== 'error') return badAnswer(wordsOf(answer));
  if (/^(NOAUTH|NOPERM) /.test(answer.text)) return null;
  const notReady = /^(LOADING|BUSY|MASTERDOWN|MISCONF) /.test(answer.text);
  return {
    ok: false,
    reason: notReady ? 'not_ready' : 'bad_answer',
    facts: { detail: wordsOf(answer) },
  };
}

/** Words of the protocol. A sentinel has neither role. */
const roles: Readonly<Record<string, 'primary' | 'replica'>> = {
  master: 'primary',
  slave: 'replica',
};

function afterRole(answer: Answer): Ending {
  if (answer.kind === 'malformed') return badAnswer(answer.text);
  const first = answer.kind === 'list' ? answer.items[0] : undefined;
  const word = first?.kind === 'text' ? first.text : '';
  const role = Object.hasOwn(roles, word) ? roles[word] : undefined;
  if (role) return { ok: true, reason: 'answered', facts: { role } };
  // No right to ask, or a program that speaks Redis without this command.
  return { ok: true, reason: 'answered', facts: { detail: `role: ${wordsOf(answer)}` } };
}
