// What commands write to a terminal: colours only where they are wanted, and no character of a
// foreign text that could move the cursor or do worse.
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

/** Colours are for terminals, and NO_COLOR (no-color.org) switches them off there too. */
export function paintFor(stream: { readonly isTTY?: boolean }): Paint {
  const { NO_COLOR = '', TERM = '' } = process.env;
  const wanted = stream.isTTY === true && NO_COLOR === '' && TERM !== 'dumb';
  return (style, text) => (wanted ? styleText(style, text, { validateStream: false }) : text);
}

/** Names, addresses and reasons come from elsewhere: what is not to be seen becomes a mark. */
export function visible(text: string): string {
  return text.replaceAll('\t', ' ').replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '\ufffd');
}

/** Columns of equal width, two spaces apart; `right`: those of numbers. */
export function formatTable(
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number> = new Set(),
): readonly string[] {
  const clean = rows.map((row) => row.map(visible));
  const widths: number[] = [];
  for (const row of clean) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, [...cell].length);
    }
  }
  return clean.map((row) =>
    row
      .map((cell, index) => {
        const gap = ' '.repeat((widths[index] ?? 0) - [...cell].length);
        return right.has(index) ? gap + cell : cell + gap;
      })
      .join('  ')
      .trimEnd(),
  );
}
