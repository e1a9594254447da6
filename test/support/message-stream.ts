// Messages of a protocol as bytes that arrive in any pieces, for the parsers of probes.
import fc from 'fast-check';
import { expect } from 'vitest';
import type { ParsedMessage } from '../../src/health/parsed-message.js';

type Parse<Message> = (received: Buffer) => ParsedMessage<Message>;

/** Every whole message at the beginning of `bytes`; null where one is malformed. */
export function messagesOf<Message>(
  bytes: Buffer,
  parse: Parse<Message>,
): readonly Message[] | null {
  const messages: Message[] = [];
  let rest = bytes;
  while (true) {
    const found = parse(rest);
    if (found === null) return messages;
    if ('malformed' in found) return null;
    expect(found.bytes).toBeGreaterThan(0);
    expect(found.bytes).toBeLessThanOrEqual(rest.length);
    messages.push(found.message);
    rest = rest.subarray(found.bytes);
  }
}

/** What a parser must hold for any bytes: it never throws, and more bytes never unsay anything. */
export function expectSteadyParser<Message>(parse: Parse<Message>, likely: fc.Arbitrary<Buffer>) {
  const garbage = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  /** A good beginning with some bytes replaced gets further than noise does. */
  const damaged = fc
    .tuple(likely, fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }))
    .map(([bytes, changes]) => {
      const copy = Buffer.from(bytes);
      for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value;
      return copy;
    });
  fc.assert(
    fc.property(fc.oneof(garbage, damaged, likely), fc.nat(400), (bytes, cut) => {
      const part = parse(bytes.subarray(0, Math.min(cut, bytes.length)));
      const whole = parse(bytes);
      if (part !== null) expect(whole).toEqual(part);
    }),
  );
}
