// Command rings, event rings and counters over memory of their own.
import { describe, expect, it } from 'vitest';
import { CommandRing } from '../../../src/engine/command-ring.js';
import { openCounters, readU64 } from '../../../src/engine/counters.js';
import { openEventRing } from '../../../src/engine/event-ring.js';
import { getNumber, setBytes, setNumber } from '../../../src/engine/record-fields.js';
import { FakeClock } from '../../support/fake-clock.js';
import { fakeLayout, fakeRegion } from '../../support/fake-layout.js';

const layout = fakeLayout();
const region = fakeRegion(layout);
const { ring_records: capacity, record_bytes: recordBytes } = layout.constants;

/** A command ring with its native end played by the test. `start`: where the counts begin. */
function commandRing(start = 0) {
  const memory = new ArrayBuffer(region.total_bytes);
  const words = new Uint32Array(memory, region.first_ring, region.ring_first_record / 4);
  words[region.ring_head / 4] = start;
  words[region.ring_tail / 4] = start;
  const clock = new FakeClock();
  let rings = 0;
  const ring = new CommandRing({
    memory,
    offset: region.first_ring,
    layout,
    region,
    clock,
    doorbell: () => {
      rings++;
    },
  });
  const view = new DataView(memory, region.first_ring + region.ring_first_record);
  return {
    ring,
    clock,
    rings: () => rings,
    /** Reads one command's id as native does; null when the ring is empty. */
    pop(): number | null {
      const tail = words[region.ring_tail / 4] ?? 0;
      if (words[region.ring_head / 4] === tail) return null;
      const at = (tail % capacity) * recordBytes;
      words[region.ring_tail / 4] = tail + 1;
      return getNumber(view, at, layout.records.command.fields.id);
    },
  };
}

describe('a command ring', () => {
  it.each([0, 2 ** 32 - 2])('keeps order over many rounds, from count %i', (start) => {
    const { ring, pop } = commandRing(start);
    for (let id = 1; id <= 50; id++) {
      ring.send({ id });
      expect(pop()).toBe(id);
    }
    expect(pop()).toBeNull();
  });

  it('keeps what does not fit, rings again, and delivers it in order', async () => {
    const { ring, clock, rings, pop } = commandRing();
    for (let id = 1; id <= capacity + 3; id++) ring.send({ id });
    expect(ring.waiting).toBe(3);
    expect(rings()).toBe(capacity);
    expect([pop(), pop()]).toEqual([1, 2]);
    await clock.advance(1);
    expect(ring.waiting).toBe(1);
    expect(rings()).toBe(capacity + 1);
    const rest: (number | null)[] = [];
    for (let id = pop(); id !== null; id = pop()) rest.push(id);
    await clock.advance(1);
    rest.push(pop());
    expect(rest).toEqual([3, 4, 5, 6, 7]);
    expect(ring.waiting).toBe(0);
  });

  it('does not queue twice what waits already, and drops what waits when closed', async () => {
    const { ring, clock, pop } = commandRing();
    for (let id = 1; id <= capacity; id++) ring.send({ id });
    for (let i = 0; i < 10; i++) ring.send({ id: 9, slot: 3 });
    expect(ring.waiting).toBe(1);
    ring.close();
    for (let id = pop(); id !== null; id = pop()) expect(id).not.toBe(9);
    await clock.advance(10);
    expect(pop()).toBeNull();
  });

  it('leaves no field of an earlier command in its place', () => {
    const { ring, pop } = commandRing();
    for (let round = 0; round < capacity; round++) {
      ring.send({ id: 7 });
      pop();
    }
    ring.send({ slot: 1 });
    expect(pop()).toBe(0);
  });
});

describe('an event ring', () => {
  it('hands over every field and frees the place', () => {
    const memory = new ArrayBuffer(region.total_bytes);
    const words = new Uint32Array(memory, region.first_ring, region.ring_first_record / 4);
    const view = new DataView(memory, region.first_ring + region.ring_first_record);
    const start = 2 ** 32 - 1;
    words[region.ring_head / 4] = start;
    words[region.ring_tail / 4] = start;
    const ring = openEventRing(memory, region.first_ring, layout, region);
    expect(ring.next()).toBeNull();

    const { fields } = layout.records.event;
    const at = (start % capacity) * recordBytes;
    setNumber(view, at, fields.type, layout.enums.event_type.values.connection_closed);
    setNumber(view, at, fields.error, -5);
    setNumber(view, at, fields.to_client_bytes, 2 ** 40 + 1);
    setBytes(view, at, fields.client_ip, new Uint8Array(16).fill(3));
    words[region.ring_head / 4] = 0;
    const event = ring.next();
    expect(event).toMatchObject({
      type: 'connection_closed',
      error: -5,
      toClientBytes: 2 ** 40 + 1,
    });
    expect(words[region.ring_tail / 4]).toBe(0);
    // A copy: the writer may use the place again.
    setBytes(view, at, fields.client_ip, new Uint8Array(16));
    expect(event?.clientIp[0]).toBe(3);
    words[region.ring_dropped / 4] = 12;
    expect(ring.dropped()).toBe(12);
  });
});

describe('counters', () => {
  const memory = new ArrayBuffer(region.total_bytes);
  const view = new DataView(memory);
  const counters = openCounters({ memory, layout, region, workers: 2, eventRings: [] });
  const set = (worker: number, offset: number, value: number) =>
    setNumber(
      view,
      region.first_worker + worker * region.worker_bytes + offset,
      { type: 'u64', offset: 0, count: 1 },
      value,
    );

  it('sum each row over the workers, beyond 32 bits', () => {
    const listener3 = region.listener_rows + 3 * layout.counters.listener.bytes;
    set(0, listener3 + 64, 2 ** 33);
    set(1, listener3 + 64, 5);
    set(1, listener3 + 56, 1);
    expect(Object.fromEntries(counters.listener(3))).toEqual({
      listener_first: 2 ** 33 + 5,
      listener_second: 1,
    });
    expect(counters.listener(2).get('listener_first')).toBe(0);
    const pool7 = region.pool_rows + 7 * layout.counters.pool.bytes;
    set(0, pool7 + 64, 30);
    set(1, pool7 + 64, 1);
    expect(counters.pool(7).get('pool_first')).toBe(31);
    expect(counters.poolCounters.map(({ name }) => name)).toEqual(['pool_first', 'pool_second']);
    set(0, listener3 + region.closed_by_reason + 5 * 8, 4);
    expect(Object.fromEntries(counters.listenerCloseReasons(3))).toEqual({
      client_closed: 0,
      shutdown: 4,
    });
  });

  it('read one worker alone, and the shared counts of what is open', () => {
    set(1, 64, 9);
    expect(counters.worker(0).get('worker_first')).toBe(0);
    expect(counters.worker(1).get('worker_first')).toBe(9);
    view.setUint32(region.active + 15 * 4, 77, true);
    expect(counters.targetActive(15)).toBe(77);
    view.setUint32(region.listener_active + 7 * 4, 78, true);
    expect(counters.listenerActive(7)).toBe(78);
    view.setUint32(region.sticky_entries + 7 * 4, 79, true);
    expect(counters.stickyEntries(7)).toBe(79);
  });

  it('read turns and response times of a target', () => {
    const { constants } = layout;
    const signals = region.turn_signals + 9 * constants.turn_signals_bytes;
    view.setUint32(signals + constants.turn_signals_active_turns, 5, true);
    view.setUint32(signals + constants.turn_signals_response_us, 870, true);
    expect(counters.targetActiveTurns(9)).toBe(5);
    expect(counters.targetResponseUs(9)).toBe(870);
    expect(counters.targetActiveTurns(8)).toBe(0);
    const row = region.response_rows + 9 * constants.histogram_bytes;
    set(0, row, 1);
    set(1, row, 2);
    set(1, row + 3 * 8, 4);
    set(0, row + constants.histogram_sum, 11);
    expect(counters.targetResponses(9)).toEqual({ buckets: [3, 0, 0, 4, 0, 0, 0], sum: 11 });
    expect(() => counters.targetResponses(constants.target_slots_max)).toThrow(RangeError);
  });

  it('read connects of a target, and ends of a listener', () => {
    const { constants } = layout;
    const connects = region.connect_rows + 9 * constants.histogram_bytes;
    set(0, connects + 2 * 8, 1);
    set(1, connects + 2 * 8, 2);
    set(1, connects + constants.histogram_sum, 6);
    expect(counters.targetConnects(9)).toEqual({ buckets: [0, 0, 3, 0, 0, 0, 0], sum: 6 });
    expect(counters.targetConnectUs(9)).toBe(6);
    const ends = region.end_rows + 3 * constants.end_histograms_bytes;
    set(0, ends + constants.end_duration_ms, 1);
    set(1, ends + constants.end_to_target_bytes + 8, 2);
    set(0, ends + constants.end_to_client_bytes + constants.histogram_sum, 3);
    expect(counters.listenerEnds(3)).toEqual({
      durationMs: { buckets: [1, 0, 0, 0, 0, 0, 0], sum: 0 },
      toTargetBytes: { buckets: [0, 2, 0, 0, 0, 0, 0], sum: 0 },
      toClientBytes: { buckets: [0, 0, 0, 0, 0, 0, 0], sum: 3 },
    });
    expect(() => counters.targetConnects(constants.target_slots_max)).toThrow(RangeError);
    expect(() => counters.listenerEnds(constants.listener_slots_max)).toThrow(RangeError);
  });

  it('refuse slots that do not exist', () => {
    expect(() => counters.listener(layout.constants.listener_slots_max)).toThrow(RangeError);
    expect(() => counters.target(-1)).toThrow(RangeError);
    expect(() => counters.worker(2)).toThrow(RangeError);
  });

  it('are never torn when the low half wraps during a read', () => {
    // A stand-in for the shared words whose writer carries into the high half after the first load.
    const words = new Uint32Array(2);
    words[0] = 0xffffffff;
    const loads: number[] = [];
    const load = Atomics.load;
    const spy = (array: Uint32Array, index: number) => {
      const value = load(array, index);
      loads.push(index);
      if (loads.length === 1) {
        array[0] = 3;
        array[1] = 1;
      }
      return value;
    };
    Object.defineProperty(Atomics, 'load', { value: spy, configurable: true, writable: true });
    try {
      expect(readU64(words, 0)).toBe(2 ** 32 + 3);
    } finally {
      Object.defineProperty(Atomics, 'load', { value: load, configurable: true, writable: true });
    }
    expect(loads).toEqual([1, 0, 1, 0, 1]);
  });
});
