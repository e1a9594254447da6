// What the probes of databases make of states that a real one is in too briefly for a test: played
// by a stream in memory, byte for byte and in single bytes.
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Conversation, conversationOver } from '../../../src/health/conversation.js';
import type { Credentials } from '../../../src/health/logins.js';
import { askMysql } from '../../../src/health/mysql-probe.js';
import { mysqlPacket } from '../../../src/health/mysql-protocol.js';
import { askPostgresql } from '../../../src/health/postgresql-probe.js';
import type { Ending } from '../../../src/health/probe-socket.js';
import { askRedis } from '../../../src/health/redis-probe.js';

type Ask = (peer: Conversation, credentials: Credentials | null) => Promise<Ending>;

/** How the probe ends that is sent `answer` and then the end of the stream. */
function afterAnswer(
  ask: Ask,
  answer: string | Buffer,
  credentials: Credentials | null = null,
  pieceBytes = 1000,
): Promise<Ending> {
  const bytes = typeof answer === 'string' ? Buffer.from(answer) : answer;
  return new Promise((resolve) => {
    const stream = new Duplex({
      read() {
        // All is there from the start; no question is waited for.
      },
      write: (_chunk, _encoding, done) => done(),
    });
    void ask(conversationOver(stream, resolve), credentials).then(resolve);
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      stream.push(bytes.subarray(at, at + pieceBytes));
    }
    stream.push(null);
  });
}

const asUser: Credentials = { user: 'probe', password: 'secret', database: '' };

describe('the redis probe', () => {
  it.each([
    ['-LOADING Redis is loading the dataset in memory\r\n', 'LOADING'],
    ['-BUSY Redis is busy running a script.\r\n', 'BUSY'],
    [
      "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n",
      'MAS',
    ],
    ['-MISCONF Redis is configured to save RDB snapshots\r\n', 'MISCONF'],
  ])('takes %j for a target that is not ready', async (answer, detail) => {
    expect(await afterAnswer(askRedis, answer)).toMatchObject({
      ok: false,
      reason: 'not_ready',
      facts: { detail: expect.stringContaining(detail) },
    });
  });

  it('takes a sentinel, and one that may not ask for its role, for alive without one', async () => {
    for (const role of ['*2\r\n$8\r\nsentinel\r\n*0\r\n', '-NOPERM no permission\r\n']) {
      const ending = await afterAnswer(askRedis, `+PONG\r\n${role}`);
      expect(ending).toMatchObject({ ok: true });
      expect(ending.facts?.role).toBeUndefined();
    }
  });

  it('reads answers that come in single bytes', async () => {
    const answer = '+OK\r\n+PONG\r\n*3\r\n$6\r\nmaster\r\n:3129659\r\n*0\r\n';
    expect(await afterAnswer(askRedis, answer, asUser, 1)).toMatchObject({
      facts: { role: 'primary' },
    });
  });
});

const fatal = (code: string, text: string): Buffer => {
  const body = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${text}\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};

describe('the postgresql probe', () => {
  it.each([
    ['57P03', 'the database system is starting up'],
    ['57P03', 'the database system is shutting down'],
    ['57P01', 'terminating connection due to administrator command'],
  ])('takes %s, %s, for not ready, with a login or without', async (code, text) => {
    for (const credentials of [null, asUser]) {
      expect(await afterAnswer(askPostgresql, fatal(code, text), credentials)).toMatchObject({
        ok: false,
        reason: 'not_ready',
        facts: { detail: `${code} ${text}` },
      });
    }
  });

  it('without a login takes any other refusal for life, with one for a failure', async () => {
    const full = fatal('53300', 'sorry, too many clients already');
    expect(await afterAnswer(askPostgresql, full)).toMatchObject({ ok: true });
    expect(await afterAnswer(askPostgresql, full, asUser)).toMatchObject({
      ok: false,
      reason: 'login_failed',
    });
  });

  it('does not log in to who cannot prove to know the password', async () => {
    const sasl = Buffer.from('R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0', 'latin1');
    const challenge = Buffer.from('R\0\0\0\x0c\0\0\0\x0br=x,', 'latin1');
    expect(
      await afterAnswer(askPostgresql, Buffer.concat([sasl, challenge]), asUser),
    ).toMatchObject({
      ok: false,
      reason: 'bad_answer',
      facts: { detail: 'not a challenge of SCRAM-SHA-256' },
    });
  });

  it('says which login it does not speak', async () => {
    const gss = Buffer.from('R\0\0\0\x08\0\0\0\x07', 'latin1');
    expect(await afterAnswer(askPostgresql, gss, asUser)).toMatchObject({
      reason: 'login_failed',
      facts: { detail: expect.stringContaining('of kind 7') },
    });
    expect(await afterAnswer(askPostgresql, gss)).toMatchObject({ ok: true });
  });
});

describe('the mysql probe', () => {
  const error = (code: number, text: string) => {
    const payload = Buffer.concat([Buffer.of(0xff, code & 0xff, code >> 8), Buffer.from(text)]);
    return mysqlPacket({ sequence: 0, payload });
  };

  it('takes an error in the place of the handshake for bad, and says which', async () => {
    expect(await afterAnswer(askMysql, error(1040, 'Too many connections'))).toEqual({
      ok: false,
      reason: 'bad_answer',
      facts: { detail: '1040 Too many connections' },
    });
    expect(await afterAnswer(askMysql, error(1053, '#08S01Server shutdown'))).toMatchObject({
      reason: 'not_ready',
    });
  });
});

describe('no probe of a database', () => {
  it('fails to end, whatever a target sends before it closes', async () => {
    const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    const beginnings = [
      '',
      '+PONG\r\n',
      'R\0\0\0\x08\0\0\0\0',
      'Z\0\0\0\x05I',
      '\x05\0\0\0\x0a8\0',
    ];
    const answers = fc
      .tuple(fc.constantFrom(...beginnings), noise)
      .map(([beginning, rest]) => Buffer.concat([Buffer.from(beginning, 'latin1'), rest]));
    const asks: readonly Ask[] = [askRedis, askPostgresql, askMysql];
    await fc.assert(
      fc.asyncProperty(
        answers,
        fc.constantFrom(...asks),
        fc.constantFrom(null, asUser),
        fc.constantFrom(1, 7, 1000),
        async (answer, ask, credentials, pieceBytes) => {
          const { reason } = await afterAnswer(ask, answer, credentials, pieceBytes);
          expect(reason).toMatch(/^(answered|closed|bad_answer|not_ready|login_failed)$/);
        },
      ),
    );
  });
});
