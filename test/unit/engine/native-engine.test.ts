// The engine over a native side that the test plays.
import { describe, expect, it } from 'vitest';
import type { Addon } from '../../../src/engine/addon.js';
import { loadAddon } from '../../../src/engine/addon.js';
import type { Engine } from '../../../src/engine/engine.js';
import { startNativeEngine } from '../../../src/engine/native-engine.js';
import { bytesOf, getNumber, setNumber } from '../../../src/engine/record-fields.js';
import { tableOf } from '../../support/engine-harness.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { fakeLayout, fakeRegion } from '../../support/fake-layout.js';

const layout = fakeLayout();
const region = fakeRegion(layout);
const { command: commandRecord, event: eventRecord, image_header: imageHeader } = layout.records;
const { event_type: eventType, ping_outcome: pingOutcome, table_error: tableError } = layout.enums;
const { ring_records: capacity, record_bytes: recordBytes } = layout.constants;
const workers = 2;

type EventName = keyof typeof eventRecord.fields;
type CommandName = keyof typeof commandRecord.fields;

/** An engine whose native side is the test: ring 0 is the coordinator's, then the workers'. */
function start() {
  const memory = new ArrayBuffer(region.total_bytes);
  const clock = new FakeClock();
  const bells: number[] = [];
  const accessSlots: number[] = [];
  let wake: () => void = () => undefined;
  let stopped = 0;
  const addon: Addon = {
    layout,
    start(_options, onWake) {
      wake = onWake;
      return {
        memory,
        region,
        features: [],
        doorbell: (ring) => void bells.push(ring),
        stop: async () => {
          stopped++;
        },
      };
    },
  };
  const engine: Engine = startNativeEngine({
    addon,
    // Each access record costs its reader a millisecond.
    clock: {
      nowMs: () => clock.nowMs() + accessSlots.length,
      wallTime: () => clock.wallTime(),
      after: (delayMs, callback) => clock.after(delayMs, callback),
    },
    options: { workers, connectionsMax: 1, splice: true, udpGso: true, udpGro: true },
    events: {
      connectFailed: () => undefined,
      targetUnreachable: () => undefined,
      accessRecord: (record) => void accessSlots.push(record.listenerSlot),
      listenerBound: () => undefined,
      acceptPaused: () => undefined,
    },
  });
  return {
    engine,
    clock,
    bells,
    accessSlots,
    memory,
    wake: () => wake(),
    stopped: () => stopped,
    bell: () => new Uint32Array(memory, region.doorbell_pending, 1),
    ...nativeEnds(memory),
  };
}

/** The native ends of the rings. */
function nativeEnds(memory: ArrayBuffer) {
  const ring = (index: number) => {
    const at = region.first_ring + index * region.ring_bytes;
    return {
      words: new Uint32Array(memory, at, region.ring_first_record / 4),
      view: new DataView(memory, at + region.ring_first_record),
    };
  };
  return {
    /** The oldest unread command of a ring, by field. */
    takeCommand(index: number): ((name: CommandName) => number) & { readonly ip: number[] } {
      const { words, view } = ring(index);
      const tail = words[region.ring_tail / 4] ?? 0;
      expect(words[region.ring_head / 4], 'a command is there').not.toBe(tail);
      const at = (tail % capacity) * recordBytes;
      const values = Object.fromEntries(
        Object.entries(commandRecord.fields).map(([name, field]) => [
          name,
          getNumber(view, at, field),
        ]),
      );
      const ip = [...bytesOf(view, at, commandRecord.fields.ip)];
      words[region.ring_tail / 4] = tail + 1;
      return Object.assign((name: CommandName) => values[name] ?? -1, { ip });
    },
    commandsLeft(index: number): number {
      const { words } = ring(index);
      return (words[region.ring_head / 4] ?? 0) - (words[region.ring_tail / 4] ?? 0);
    },
    pushEvent(index: number, values: Partial<Record<EventName, number>>): void {
      const { words, view } = ring(workers + 1 + index);
      const head = words[region.ring_head / 4] ?? 0;
      const at = (head % capacity) * recordBytes;
      for (const [name, field] of Object.entries(eventRecord.fields)) {
        if (field.count === 1) setNumber(view, at, field, values[name as EventName] ?? 0);
      }
      words[region.ring_head / 4] = head + 1;
    },
  };
}

function table(generation: number) {
  return tableOf({ generation, listeners: [{}], pools: [{ targets: [] }] });
}

describe('apply', () => {
  it('sends one table at a time, in turn through both areas', async () => {
    const native = start();
    const outcomes = [native.engine.apply(table(1)), native.engine.apply(table(2))];
    await settle();
    const first = native.takeCommand(0);
    expect(native.commandsLeft(0)).toBe(0);
    expect(first('generation')).toBe(1);
    const areas = [region.image_area_0, region.image_area_1];
    const view = new DataView(native.memory, areas[first('area')], first('bytes'));
    expect(getNumber(view, 0, imageHeader.fields.generation)).toBe(1);

    native.pushEvent(0, { type: eventType.values.table_applied, id: 1 });
    native.wake();
    expect(await outcomes[0]).toEqual({ applied: true, generation: 1 });
    const second = native.takeCommand(0);
    expect(second('generation')).toBe(2);
    expect(second('area')).not.toBe(first('area'));
    native.pushEvent(0, {
      type: eventType.values.table_rejected,
      id: 2,
      code: tableError.values.address_in_use,
      slot: 5,
      index: 3,
      error: 98,
    });
    native.wake();
    expect(await outcomes[1]).toEqual({
      applied: false,
      generation: 2,
      reason: 'address_in_use',
      listenerSlot: 5,
      bindIndex: 3,
      error: 'EADDRINUSE',
    });
    await native.engine.close();
  });

  it('knows generations beyond 32 bits by their low part', async () => {
    const native = start();
    const generation = 2 ** 32 + 9;
    const outcome = native.engine.apply(table(generation));
    await settle();
    native.pushEvent(0, { type: eventType.values.table_applied, id: 9 });
    native.wake();
    expect(await outcome).toEqual({ applied: true, generation });
    await native.engine.close();
  });
});

describe('ping', () => {
  const address = { family: 'ipv4', bytes: Uint8Array.of(192, 0, 2, 1), scopeId: 0 } as const;

  it('sends the address v4-mapped and answers with the measured time', async () => {
    const native = start();
    const result = native.engine.ping(address, 1000);
    const command = native.takeCommand(0);
    expect(command.ip).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1]);
    native.pushEvent(0, {
      type: eventType.values.ping_answered,
      id: command('id'),
      code: pingOutcome.values.answered,
      connect_us: 1500,
    });
    native.wake();
    expect(await result).toEqual({ outcome: 'answered', latencyMs: 1.5 });
    expect(native.clock.pendingTimers).toBe(0);
    await native.engine.close();
  });

  it('times out by its own clock, and a late answer disturbs nobody', async () => {
    const native = start();
    const late = native.engine.ping(address, 100);
    const lateId = native.takeCommand(0)('id');
    await native.clock.advance(100);
    expect(await late).toEqual({ outcome: 'timed_out', latencyMs: 100 });
    const next = native.engine.ping(address, 100);
    expect(native.takeCommand(0)('id')).not.toBe(lateId);
    native.pushEvent(0, { type: eventType.values.ping_answered, id: lateId, code: 1 });
    native.wake();
    await native.clock.advance(100);
    expect((await next).outcome).toBe('timed_out');
    await native.engine.close();
  });

  it('that is under way fails when the engine closes', async () => {
    const native = start();
    const result = native.engine.ping(address, 1000);
    await native.engine.close();
    expect((await result).outcome).toBe('failed');
    expect(native.clock.pendingTimers).toBe(0);
  });
});

describe('events', () => {
  it('leave the loop to others when they take longer than their budget', async () => {
    const native = start();
    native.bell()[0] = 1;
    for (let slot = 0; slot < capacity; slot++) {
      native.pushEvent(1, { type: eventType.values.connection_closed, slot });
      native.pushEvent(2, { type: eventType.values.connection_closed, slot: 10 + slot });
    }
    native.wake();
    expect(native.bell()[0]).toBe(0);
    // The clock is looked at after each ring; the other one waits for the next turn.
    expect(native.accessSlots).toHaveLength(capacity);
    await settle();
    await settle();
    expect(native.accessSlots).toHaveLength(2 * capacity);
    await native.engine.close();
  });
});

describe('closeConnections', () => {
  it('tells every worker and rings for each', async () => {
    const native = start();
    native.engine.closeConnections('target', 7, 40);
    for (const ring of [1, 2]) {
      const command = native.takeCommand(ring);
      expect(command('type')).toBe(layout.enums.command_type.values.close_connections);
      expect(command('scope')).toBe(layout.enums.close_scope.values.target);
      expect(command('slot')).toBe(7);
      expect(command('one_in')).toBe(40);
    }
    expect(native.bells).toEqual([1, 2]);
    await native.engine.close();
  });
});

describe('explain', () => {
  const ip = { family: 'ipv4', bytes: Uint8Array.of(192, 0, 2, 1), scopeId: 0 } as const;

  it('asks the worker that it names, and reads its answer when it rings', async () => {
    const native = start();
    const asked = native.engine.explain({ listenerSlot: 6, worker: 1, client: { ip, port: 4000 } });
    const command = native.takeCommand(2);
    expect(command('type')).toBe(layout.enums.command_type.values.explain);
    expect(command('slot')).toBe(6);
    expect(command('port')).toBe(4000);
    expect(command.ip).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1]);
    const { explain_answer: answer } = layout.records;
    const { explain_outcome: outcome, sticky_step: step } = layout.enums;
    const view = new DataView(native.memory);
    const at = region.first_explain + region.explain_bytes;
    setNumber(view, at, answer.fields.outcome, outcome.values.parked);
    setNumber(view, at, answer.fields.sticky_step, step.values.miss);
    setNumber(view, at, answer.fields.target_slot, layout.constants.no_slot);
    setNumber(view, at, answer.fields.id, command('id'));
    native.pushEvent(2, { type: eventType.values.explain_answered, id: command('id') });
    native.wake();
    expect(await asked).toMatchObject({
      outcome: 'parked',
      targetSlot: null,
      sticky: { step: 'miss' },
    });
    expect(native.clock.pendingTimers).toBe(0);
    await native.engine.close();
  });

  it('says by zeros that a client has no address, and fails when the engine closes', async () => {
    const native = start();
    const asked = native.engine.explain({
      listenerSlot: 0,
      worker: 0,
      client: { ip: null, port: 0 },
    });
    expect(native.takeCommand(1).ip).toEqual(Array.from({ length: 16 }, () => 0));
    const refused = expect(asked).rejects.toMatchObject({ code: 'SLUICE_ENGINE_CLOSED' });
    await native.engine.close();
    await refused;
    expect(native.clock.pendingTimers).toBe(0);
  });
});

describe('close', () => {
  it('stops once, rejects what has no answer, and reads what came last', async () => {
    const native = start();
    const unanswered = native.engine.apply(table(1));
    await settle();
    native.pushEvent(1, { type: eventType.values.connection_closed, slot: 3 });
    const closed = Promise.all([native.engine.close(), native.engine.close()]);
    await expect(unanswered).rejects.toMatchObject({ code: 'SLUICE_ENGINE_CLOSED' });
    await closed;
    expect(native.stopped()).toBe(1);
    expect(native.accessSlots).toEqual([3]);
    await expect(
      native.engine.ping({ family: 'ipv4', bytes: Uint8Array.of(127, 0, 0, 1), scopeId: 0 }, 1),
    ).rejects.toMatchObject({ code: 'SLUICE_ENGINE_CLOSED' });
  });
});

describe('loadAddon', () => {
  it('says where it looked when there is no addon', () => {
    const before = process.env.SLUICE_ADDON;
    process.env.SLUICE_ADDON = '/nowhere/sluice.node';
    try {
      expect(() => loadAddon()).toThrow(
        expect.objectContaining({
          code: 'SLUICE_ADDON_MISSING',
          message: expect.stringContaining('/nowhere/sluice.node'),
        }),
      );
    } finally {
      if (before === undefined) delete process.env.SLUICE_ADDON;
      else process.env.SLUICE_ADDON = before;
    }
  });
});
