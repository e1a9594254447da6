// Syslog messages as RFC 5424 writes them, with the JSON line of the event as their text. Pure.
import type { Level } from './events.js';
import type { LineFacts } from './log-output.js';

export interface SyslogSender {
  readonly hostname: string;
  readonly processId: number;
}

/** local0: what a site gives to programs of its own. */
const facility = 16;
const severities: Readonly<Record<Level, number>> = {
  trace: 7,
  debug: 7,
  info: 6,
  warn: 4,
  error: 3,
};
/** Receivers should take 2048 bytes (RFC 5424 6.1), and usually take this. */
export const messageBytesMax = 8192;

/** `line` may end with a line feed, which is left out; what is too long is cut. */
export function syslogMessage(
  line: string,
  { level, event }: LineFacts,
  { hostname, processId }: SyslogSender,
  at: Date,
): Buffer {
  const priority = facility * 8 + severities[level];
  // Names may have 255 and 32 characters of printable ASCII.
  const host = hostname.replaceAll(/[^!-~]/g, '').slice(0, 255) || '-';
  const head = `<${priority}>1 ${at.toISOString()} ${host} sluice ${processId}`;
  const text = `${head} ${event.slice(0, 32)} - ${line.replace(/\n$/, '')}`;
  const bytes = Buffer.from(text);
  if (bytes.length <= messageBytesMax) return bytes;
  // Not in the middle of a character: its later bytes begin with the bits 10.
  let end = messageBytesMax;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
