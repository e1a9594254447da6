// Ring events as calls of EngineEvents.
import { describe, expect, it } from 'vitest';
import type { EngineEvents } from '../../../src/engine/engine.js';
import { clientIpText, deliver, errorName } from '../../../src/engine/event-delivery.js';
import type { RingEvent } from '../../../src/engine/event-ring.js';
import { fakeLayout } from '../../support/fake-layout.js';

const layout = fakeLayout();

const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7);

/** Every call that the event leads to, as [name, ...arguments]. */
function delivered(event: Partial<RingEvent>): unknown[][] {
  const calls: unknown[][] = [];
  const record =
    (name: string) =>
    (...values: unknown[]) =>
      void calls.push([name, ...values]);
  const events: EngineEvents = {
    connectFailed: record('connectFailed'),
    targetUnreachable: record('targetUnreachable'),
    accessRecord: record('accessRecord'),
    listenerBound: record('listenerBound'),
    acceptPaused: record('acceptPaused'),
  };
  const whole: RingEvent = {
    type: undefined,
    code: 0,
    slot: 4,
    targetSlot: layout.constants.no_slot,
    error: 0,
    clientIp: mapped,
    clientPort: 4711,
    index: 2,
    connectUs: 10,
    durationMs: 20,
    id: 15,
    toTargetBytes: 30,
    toClientBytes: 40,
    ...event,
  };
  deliver(whole, 1, layout, events);
  return calls;
}

describe('deliver', () => {
  it('makes access records, with null for a target that was never reached', () => {
    const code = 1;
    const record = {
      kind: 'connection',
      listenerSlot: 4,
      targetSlot: null,
      clientIp: '192.0.2.7',
      clientPort: 4711,
      connectUs: 10,
      waitedMs: 15,
      replays: 2,
      durationMs: 20,
      toTargetBytes: 30,
      toClientBytes: 40,
      reason: 'client_closed',
    };
    expect(delivered({ type: 'connection_closed', code })).toEqual([['accessRecord', record]]);
    expect(delivered({ type: 'session_ended', code, targetSlot: 3 })).toEqual([
      ['accessRecord', { ...record, kind: 'session', targetSlot: 3, waitedMs: 0, replays: 0 }],
    ]);
  });

  it('names failures and errors, and calls an unknown failure other', () => {
    const code = layout.enums.connect_failure.values.timed_out;
    expect(delivered({ type: 'connect_failed', code, error: 110 })).toEqual([
      ['connectFailed', 4, 'timed_out', 'ETIMEDOUT'],
    ]);
    expect(delivered({ type: 'connect_failed', code: 999 })).toEqual([
      ['connectFailed', 4, 'other', ''],
    ]);
    expect(delivered({ type: 'target_unreachable', error: 111 })).toEqual([
      ['targetUnreachable', 4, 'ECONNREFUSED'],
    ]);
  });

  it('tells the port of a bind and the worker that paused', () => {
    expect(delivered({ type: 'listener_bound' })).toEqual([['listenerBound', 4, 2, 4711]]);
    expect(delivered({ type: 'accept_paused' })).toEqual([['acceptPaused', 1]]);
  });

  it('passes over what it does not know, and what is an answer to a command', () => {
    expect(delivered({ type: undefined })).toEqual([]);
    expect(delivered({ type: 'table_applied' })).toEqual([]);
  });
});

describe('text of an event', () => {
  it('shows IPv4 as IPv4, IPv6 short, and the client of a unix socket as nothing', () => {
    expect(clientIpText(mapped)).toBe('192.0.2.7');
    expect(clientIpText(Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1))).toBe(
      '2001:db8::1',
    );
    expect(clientIpText(new Uint8Array(16))).toBe('');
  });

  it('names errors, and none as nothing', () => {
    expect(errorName(0)).toBe('');
    expect(errorName(98)).toBe('EADDRINUSE');
  });
});
