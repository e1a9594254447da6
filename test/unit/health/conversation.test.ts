// Conversations over a stream that a test feeds: pieces, ends, bounds.
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  answerBytesMax,
  answerPiecesMax,
  conversationOver,
  readLine,
} from '../../../src/health/conversation.js';
import type { Ending } from '../../../src/health/probe-socket.js';
import { settle } from '../../support/fake-clock.js';

function setup() {
  const written: Buffer[] = [];
  const endings: Ending[] = [];
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk);
      done();
    },
  });
  const peer = conversationOver(stream, (ending) => endings.push(ending));
  const feed = async (...pieces: readonly (string | Uint8Array)[]) => {
    for (const piece of pieces) {
      stream.push(piece);
      await settle();
    }
  };
  const finish = async () => {
    stream.push(null);
    await settle();
  };
  return { peer, feed, finish, endings, sent: () => Buffer.concat(written).toString() };
}

describe('a conversation', () => {
  it('reads the same lines, however the bytes are cut into pieces', async () => {
    const lines = fc.array(fc.stringMatching(/^[a-z]{0,20}$/), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(lines, fc.array(fc.nat(40), { maxLength: 12 }), async (given, cuts) => {
        const { peer, feed, endings } = setup();
        const bytes = Buffer.from(given.map((line) => `${line}\r\n`).join(''));
        const places = [...new Set([0, ...cuts, bytes.length])]
          .filter((place) => place <= bytes.length)
          .sort((a, b) => a - b);
        const pieces = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
        const read = (async () => {
          const found: string[] = [];
          for (let count = 0; count < given.length; count++) found.push(await readLine(peer));
          return found;
        })();
        await feed(...pieces);
        expect(await read).toEqual(given);
        expect(endings).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('sends what it is told, and takes no more than it is told', async () => {
    const { peer, feed, sent } = setup();
    peer.send('hello ');
    peer.send(Uint8Array.of(0x79, 0x6f, 0x75));
    await feed('abcdef');
    const first = await peer.read((received) => received.toString());
    peer.take(4);
    expect([first, await peer.read((received) => received.toString())]).toEqual(['abcdef', 'ef']);
    expect(sent()).toBe('hello you');
  });

  it('is over as closed when the target ends before its answer is whole', async () => {
    const { peer, feed, finish, endings } = setup();
    void readLine(peer);
    await feed('half an ans');
    expect(endings).toEqual([]);
    await finish();
    expect(endings).toEqual([{ ok: false, reason: 'closed' }]);
  });

  it('lets a reader take the end of the stream for the end of the answer', async () => {
    const { peer, feed, finish, endings } = setup();
    const whole = peer.read((received, ended) => (ended ? received.toString() : null));
    await feed('all ', 'of it');
    await finish();
    expect(await whole).toBe('all of it');
    expect(endings).toEqual([]);
  });

  it('reads no more than its bound of bytes, and says so', async () => {
    const { peer, feed, endings } = setup();
    void readLine(peer);
    await feed(Buffer.alloc(answerBytesMax, 'x'));
    expect(endings).toEqual([]);
    await feed('x');
    expect(endings).toMatchObject([{ ok: false, reason: 'bad_answer' }]);
  });

  it('looks at no more than its bound of pieces', async () => {
    const { peer, feed, endings } = setup();
    void readLine(peer);
    await feed(...Array.from({ length: answerPiecesMax }, () => 'x'));
    expect(endings).toEqual([]);
    await feed('x');
    expect(endings).toMatchObject([{ ok: false, reason: 'bad_answer' }]);
  });
});
