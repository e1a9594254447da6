// DNS messages as far as a probe needs them (RFC 1035): a query, and whether a message answers it.
import type { DnsSettings } from '../model/health-check.js';

const typeCodes: Readonly<Record<DnsSettings['recordType'], number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
};
const responseCodes: Readonly<Record<number, DnsSettings['codes'][number]>> = {
  0: 'NOERROR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
};
const headerBytes = 12;

/** A query with recursion desired, which servers of zones disregard. */
export function encodeQuery(id: number, { name, recordType }: DnsSettings): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x0100, 2);
  header.writeUInt16BE(1, 4);
  const labels = name.split('.').filter((label) => label !== '');
  const parts = labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label, 'latin1')]);
  const tail = Buffer.alloc(5);
  tail.writeUInt16BE(typeCodes[recordType], 1);
  tail.writeUInt16BE(1, 3);
  return Buffer.concat([header, ...parts, tail]);
}

export type DnsAnswer =
  /** Of another query, or none at all. */
  | { readonly kind: 'unrelated' }
  | { readonly kind: 'malformed' }
  | {
      readonly kind: 'answer';
      readonly code: string;
      /** Records in the answer section; all are there. */
      readonly answers: number;
      /** The rest did not fit into a datagram: then the records are only counted. */
      readonly truncated: boolean;
    };

/** Never throws, whatever the bytes are. */
export function readAnswer(message: Buffer, query: Buffer): DnsAnswer {
  if (message.length < headerBytes) return { kind: 'unrelated' };
  const flags = message.readUInt16BE(2);
  const isResponse = (flags & 0x8000) !== 0;
  if (!isResponse || message.readUInt16BE(0) !== query.readUInt16BE(0)) {
    return { kind: 'unrelated' };
  }
  const number = flags & 0x000f;
  const code = responseCodes[number] ?? `RCODE${number}`;
  const answers = message.readUInt16BE(6);
  const truncated = (flags & 0x0200) !== 0;
  // Some say REFUSED or NOTIMP without repeating the question.
  const questions = message.readUInt16BE(4);
  if (questions === 0 && answers === 0) return { kind: 'answer', code, answers, truncated };
  if (questions !== 1 || !sameQuestion(message, query)) return { kind: 'malformed' };
  let at: number | null = query.length;
  for (let count = 0; count < answers && !truncated; count++) {
    at = recordEnd(message, at);
    if (at === null) return { kind: 'malformed' };
  }
  return { kind: 'answer', code, answers, truncated };
}

/** Names compare without regard to case, and a server may give either back. */
function sameQuestion(message: Buffer, query: Buffer): boolean {
  if (message.length < query.length) return false;
  const asked = query.toString('latin1', headerBytes).toLowerCase();
  return message.toString('latin1', headerBytes, query.length).toLowerCase() === asked;
}

function recordEnd(message: Buffer, start: number): number | null {
  const name = nameEnd(message, start);
  if (name === null || name + 10 > message.length) return null;
  const end = name + 10 + message.readUInt16BE(name + 8);
  return end <= message.length ? end : null;
}

/** A pointer ends a name, and is not followed: so there is no circle to be caught in. */
function nameEnd(message: Buffer, start: number): number | null {
  let at = start;
  while (at < message.length) {
    const length = message[at] ?? 0;
    if (length === 0) return at + 1;
    if ((length & 0xc0) === 0xc0) return at + 2 <= message.length ? at + 2 : null;
    if ((length & 0xc0) !== 0) return null;
    at += 1 + length;
  }
  return null;
}
