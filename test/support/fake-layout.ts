// A layout as an addon could describe it, with every offset in another place than the real one:
// what reads or writes by it has no number of its own.

import type { Layout, RegionLayout } from '../../src/engine/layout.js';
import { parseLayout, parseRegionLayout } from '../../src/engine/layout.js';
import {
  constantNames,
  enumNames,
  recordFields,
  regionNames,
  rowNames,
} from '../../src/engine/layout-names.js';

const byteArrays = new Set(['ip', 'client_ip']);
const wide = new Set(['generation', 'to_target_bytes', 'to_client_bytes']);

function fakeField(name: string, offset: number) {
  if (byteArrays.has(name)) return { type: 'u8', offset, count: 16 };
  if (name === 'score') return { type: 'f64', offset, count: 1 };
  return { type: wide.has(name) ? 'u64' : name === 'error' ? 'i32' : 'u32', offset, count: 1 };
}

/** 16 bytes a field, the last field first. */
function fakeRecord(names: readonly string[]) {
  const fields = Object.fromEntries(
    [...names].reverse().map((name, index) => [name, fakeField(name, index * 16)]),
  );
  return { bytes: names.length * 16, fields };
}

/** The raw description, for tests of its parsing. */
export function rawFakeLayout() {
  const recordBytes = Math.max(recordFields.command.length, recordFields.event.length) * 16;
  const constants: Record<string, number> = Object.fromEntries(
    constantNames.map((name, index) => [name, 100 + index]),
  );
  Object.assign(constants, {
    image_bytes_max: 4096,
    ring_records: 4,
    record_bytes: recordBytes,
    no_slot: 0xffffffff,
    listener_slots_max: 8,
    pool_slots_max: 8,
    target_slots_max: 16,
    histogram_buckets: 7,
    histogram_bytes: 64,
    histogram_sum: 56,
    end_histograms_bytes: 192,
    end_duration_ms: 0,
    end_to_target_bytes: 64,
    end_to_client_bytes: 128,
    turn_signals_bytes: 24,
    turn_signals_active_turns: 8,
    turn_signals_response_us: 4,
  });
  const reasons = { client_closed: 1, shutdown: 5 };
  const counterRow = { names: ['first', 'second'] };
  return {
    constants,
    enums: Object.fromEntries(
      Object.entries(enumNames).map(([name, values]) => [
        name,
        name === 'close_reason'
          ? reasons
          : Object.fromEntries(
              values.map((value, index) => [
                value,
                name.endsWith('_flag') ? 1 << (index + 2) : index + 11,
              ]),
            ),
      ]),
    ),
    records: Object.fromEntries(
      Object.entries(recordFields).map(([name, names]) => [name, fakeRecord(names)]),
    ),
    counters: Object.fromEntries(
      rowNames.map((row) => [
        row,
        {
          bytes: 128,
          counters: counterRow.names.map((name, index) => ({
            name: `${row}_${name}`,
            unit: 'things',
            help: `The ${name} counter`,
            offset: 64 - index * 8,
          })),
        },
      ]),
    ),
  };
}

export function fakeLayout(): Layout {
  return parseLayout(rawFakeLayout());
}

/** Offsets of a region for two workers. */
export function fakeRegion(layout: Layout): RegionLayout {
  const { image_bytes_max, ring_records, record_bytes } = layout.constants;
  const { listener_slots_max, target_slots_max, pool_slots_max } = layout.constants;
  const ringBytes = 192 + ring_records * record_bytes;
  const offsets: Record<string, number> = Object.fromEntries(regionNames.map((name) => [name, 0]));
  let end = 128;
  const take = (name: string, bytes: number) => {
    offsets[name] = end;
    end += bytes;
  };
  const counterRows = 128 + (listener_slots_max + target_slots_max + pool_slots_max) * 128;
  Object.assign(offsets, {
    doorbell_pending: 64,
    ring_head: 128,
    ring_tail: 0,
    ring_dropped: 64,
    ring_first_record: 192,
    ring_bytes: ringBytes,
    closed_by_reason: 72,
    listener_rows: 128,
    target_rows: 128 + listener_slots_max * 128,
    pool_rows: 128 + (listener_slots_max + target_slots_max) * 128,
    response_rows: counterRows,
    connect_rows: counterRows + target_slots_max * 64,
    end_rows: counterRows + target_slots_max * 128,
    worker_bytes: counterRows + target_slots_max * 128 + listener_slots_max * 192,
  });
  take('image_area_1', image_bytes_max);
  take('image_area_0', image_bytes_max);
  take('first_ring', ringBytes * 6);
  take('active', target_slots_max * 4);
  take('listener_active', listener_slots_max * 4);
  take('sticky_entries', pool_slots_max * 4);
  take('turn_signals', target_slots_max * 24);
  take('first_worker', (offsets.worker_bytes ?? 0) * 2);
  const { explain_answer, explain_note } = layout.records;
  offsets.explain_bytes = explain_answer.bytes + target_slots_max * explain_note.bytes;
  take('first_explain', offsets.explain_bytes * 2);
  offsets.total_bytes = end;
  return parseRegionLayout(offsets);
}
