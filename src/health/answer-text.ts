// AnswerText: what a target said, as it may stand in a log and in /status: short, on one line, and
// without a control character, because a target chooses these bytes.

export const detailCharsMax = 120;

export function answerText(text: string | Uint8Array): string {
  const whole =
    typeof text === 'string'
      ? text.slice(0, 4 * detailCharsMax)
      : Buffer.from(text.subarray(0, 4 * detailCharsMax)).toString('utf8');
  const plain = whole.replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const characters = [...plain];
  if (characters.length <= detailCharsMax) return plain;
  return `${characters.slice(0, detailCharsMax - 3).join('')}...`;
}
