// The messages of grpc.health.v1, and what an answer with them means.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCheckRequest, readCheckResponse } from '../../../src/health/grpc-message.js';
import { judgeGrpc } from '../../../src/health/grpc-probe.js';

const frame = (hex: string): Buffer => {
  const message = Buffer.from(hex, 'hex');
  return Buffer.concat([Buffer.of(0, 0, 0, 0, message.length), message]);
};

describe('a request', () => {
  it('is a frame with the name, or with nothing', () => {
    expect(encodeCheckRequest('').toString('hex')).toBe('0000000000');
    expect(encodeCheckRequest('a.B').toString('hex')).toBe('00000000050a03612e42');
    const long = encodeCheckRequest('x'.repeat(200));
    expect(long.subarray(0, 8).toString('hex')).toBe('00000000cb0ac801');
    expect(long).toHaveLength(5 + 203);
  });
});

describe('a response', () => {
  it('says its status, 0 when it says none, and skips fields that are not known', () => {
    expect(readCheckResponse(frame('0801'))).toBe('SERVING');
    expect(readCheckResponse(frame('0802'))).toBe('NOT_SERVING');
    expect(readCheckResponse(frame(''))).toBe('UNKNOWN');
    expect(readCheckResponse(frame('0863'))).toBe('status 99');
    expect(readCheckResponse(frame('12026162190102030405060708' + '2d010203040801'))).toBe(
      'SERVING',
    );
  });

  it('is none when it is cut off, too long, or compressed', () => {
    const whole = frame('120261620801');
    for (let length = 0; length < whole.length; length++) {
      expect(readCheckResponse(whole.subarray(0, length)), `${length}`).toBeNull();
    }
    expect(readCheckResponse(Buffer.concat([whole, Buffer.of(0)]))).toBeNull();
    expect(readCheckResponse(Buffer.concat([Buffer.of(1), whole.subarray(1)]))).toBeNull();
    expect(readCheckResponse(frame('08'))).toBeNull();
    expect(readCheckResponse(frame('1205'))).toBeNull();
    expect(readCheckResponse(frame('0fffffffffff'))).toBeNull();
  });

  it('does no harm, whatever its bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, framed) => {
        const body = framed ? frame(Buffer.from(bytes).toString('hex')) : Buffer.from(bytes);
        const status = readCheckResponse(body);
        expect(status === null || /^(\w+|status \d+)$/.test(status)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('an answer', () => {
  const good = { status: 200, headers: { 'grpc-status': '0' }, body: frame('0801') };

  it('is good when all three say so, and names what does not', () => {
    expect(judgeGrpc(good)).toMatchObject({ ok: true, facts: { detail: 'SERVING' } });
    const detail = (changes: object) => judgeGrpc({ ...good, ...changes }).facts?.detail;
    expect(detail({ status: 502 })).toBe('HTTP 502');
    expect(detail({ headers: {} })).toBe('grpc-status missing');
    expect(detail({ headers: { 'grpc-status': '12', 'grpc-message': 'no\n' } })).toBe(
      'grpc-status 12 no',
    );
    expect(detail({ body: frame('0802') })).toBe('NOT_SERVING');
    expect(detail({ body: Buffer.from('hello') })).toBe('not a message of grpc.health.v1');
  });
});
