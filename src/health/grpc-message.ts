// The two messages of grpc.health.v1.Health/Check, encoded by hand: each has one field.
//   HealthCheckRequest { string service = 1; }    HealthCheckResponse { ServingStatus status = 1; }
// A message is framed by a flag (1: compressed) and a length of 4 bytes.

const frameBytes = 5;

export function encodeCheckRequest(service: string): Buffer {
  const name = Buffer.from(service, 'utf8');
  // The schema bounds a name to 255 bytes: the length takes at most two.
  const length =
    name.length < 0x80 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7];
  const message = name.length === 0 ? name : Buffer.concat([Buffer.of(0x0a, ...length), name]);
  const frame = Buffer.alloc(frameBytes);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** The name of the status; null when these bytes are no such message. Never throws. */
export function readCheckResponse(body: Buffer): string | null {
  if (body.length < frameBytes || body[0] !== 0) return null;
  const message = body.subarray(frameBytes);
  if (message.length !== body.readUInt32BE(1)) return null;
  // A field that has its default value is left out.
  let status = 0;
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at);
    if (tag === null) return null;
    const end = fieldEnd(message, tag.next, tag.value & 7);
    if (end === null) return null;
    if (tag.value === 8) status = readVarint(message, tag.next)?.value ?? 0;
    at = end;
  }
  return servingStatuses[status] ?? `status ${status}`;
}

/** Up to 10 bytes; what is beyond 32 bits is dropped, as no field here has it. */
function readVarint(
  bytes: Buffer,
  start: number,
): { readonly value: number; readonly next: number } | null {
  let value = 0;
  for (let index = 0; index < 10; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) return null;
    if (index < 5) value = (value | ((byte & 0x7f) << (7 * index))) >>> 0;
    if (byte < 0x80) return { value, next: start + index + 1 };
  }
  return null;
}

/** Fields that later versions may add are skipped. */
function fieldEnd(bytes: Buffer, start: number, wireType: number): number | null {
  if (wireType === 0) return readVarint(bytes, start)?.next ?? null;
  const fixed = wireType === 1 ? 8 : wireType === 5 ? 4 : null;
  const length = wireType === 2 ? readVarint(bytes, start) : null;
  const end = fixed !== null ? start + fixed : length === null ? null : length.next + length.value;
  return end !== null && end <= bytes.length ? end : null;
}
