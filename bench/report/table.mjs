// Tables in Markdown, which read well in a terminal too: columns are padded.

/**
 * @param {readonly string[]} header @param {readonly (readonly string[])[]} rows
 * @returns {string}
 */
export function markdownTable(header, rows) {
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(header), rule, ...rows.map(line)].join('\n');
}

/** Three significant digits, without an exponent. @param {number} value */
export function figure(value) {
  if (value === 0) return '0';
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  if (magnitude >= 3) return String(Math.round(value));
  return value.toFixed(Math.min(4, Math.max(0, 2 - magnitude)));
}

/** @param {import('./statistics.mjs').Spread} spread */
export function spreadText({ min, median, max }) {
  const text = (/** @type {number} */ value) => value.toFixed(2);
  return min === max ? text(median) : `${text(median)} (${text(min)}-${text(max)})`;
}
