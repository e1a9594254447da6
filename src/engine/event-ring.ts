// One event ring: a native thread writes, TypeScript reads. A full ring drops events and counts
// them on the native side, so a frozen event loop never slows forwarding down.
import type { Layout, RegionLayout } from './layout.js';
import { bytesOf, getNumber } from './record-fields.js';

/** One record, copied out of the shared memory. Fields mean what native/shared/layout.h says. */
export interface RingEvent {
  /** The name of an EventType, or undefined for one that this version does not know. */
  readonly type: string | undefined;
  readonly code: number;
  readonly slot: number;
  readonly targetSlot: number;
  readonly error: number;
  readonly clientIp: Uint8Array;
  readonly clientPort: number;
  readonly index: number;
  readonly connectUs: number;
  readonly durationMs: number;
  readonly id: number;
  readonly toTargetBytes: number;
  readonly toClientBytes: number;
}

export interface EventRing {
  /** The oldest event, taken out of the ring; null when it is empty. */
  next(): RingEvent | null;
  /** Events lost because the ring was full. */
  dropped(): number;
}

export function openEventRing(
  memory: ArrayBuffer,
  offset: number,
  layout: Layout,
  region: RegionLayout,
): EventRing {
  const words = new Uint32Array(memory, offset, region.ring_first_record / 4);
  const view = new DataView(memory, offset + region.ring_first_record);
  const { ring_records: capacity, record_bytes: recordBytes } = layout.constants;
  const tailIndex = region.ring_tail / 4;
  return {
    next() {
      const tail = words[tailIndex] ?? 0;
      // Pairs with the writer's release store: the record below head is complete.
      if (Atomics.load(words, region.ring_head / 4) === tail) return null;
      const event = readEvent(view, (tail % capacity) * recordBytes, layout);
      // Only now may the writer use the place again.
      Atomics.store(words, tailIndex, (tail + 1) >>> 0);
      return event;
    },
    dropped: () => Atomics.load(words, region.ring_dropped / 4),
  };
}

function readEvent(view: DataView, at: number, layout: Layout): RingEvent {
  const { fields } = layout.records.event;
  return {
    type: layout.enums.event_type.nameOf.get(getNumber(view, at, fields.type)),
    code: getNumber(view, at, fields.code),
    slot: getNumber(view, at, fields.slot),
    targetSlot: getNumber(view, at, fields.target_slot),
    error: getNumber(view, at, fields.error),
    clientIp: bytesOf(view, at, fields.client_ip).slice(),
    clientPort: getNumber(view, at, fields.client_port),
    index: getNumber(view, at, fields.index),
    connectUs: getNumber(view, at, fields.connect_us),
    durationMs: getNumber(view, at, fields.duration_ms),
    id: getNumber(view, at, fields.id),
    toTargetBytes: getNumber(view, at, fields.to_target_bytes),
    toClientBytes: getNumber(view, at, fields.to_client_bytes),
  };
}
