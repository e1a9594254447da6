// What a target said, as it may stand in a log.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { answerText, detailCharsMax } from '../../../src/health/answer-text.js';

it('keeps plain text, and makes one line of several', () => {
  expect(answerText('VERSION 1.6.18\r\n')).toBe('VERSION 1.6.18');
  expect(answerText('a\r\n\tb\u2028c')).toBe('a b c');
  expect(answerText(Buffer.from('gr\u00fc\u00df'))).toBe('gr\u00fc\u00df');
});

it('is short and without control characters, whatever a target sends', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      const text = answerText(bytes);
      expect([...text].length).toBeLessThanOrEqual(detailCharsMax);
      expect(text).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      expect(answerText(Buffer.from(bytes).toString('latin1'))).not.toMatch(/\p{C}/u);
    }),
  );
});
