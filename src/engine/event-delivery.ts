// Turns ring events into calls of EngineEvents: numbers become names, addresses become text.
import { getSystemErrorName } from 'node:util';
import { formatIp } from '../model/address-text.js';
import type { AccessRecord, ConnectFailure, EngineEvents } from './engine.js';
import type { RingEvent } from './event-ring.js';
import type { Layout } from './layout.js';

/** Name such as EADDRINUSE; empty for 0. */
export function errorName(errno: number): string {
  return errno === 0 ? '' : getSystemErrorName(-errno);
}

/** 16 bytes to text: v4-mapped as IPv4, all zero (a unix socket's client) as ''. */
export function clientIpText(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte === 0)) return '';
  const mapped =
    bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0);
  return mapped
    ? formatIp({ family: 'ipv4', bytes: bytes.subarray(12), scopeId: 0 })
    : formatIp({ family: 'ipv6', bytes, scopeId: 0 });
}

function accessRecord(event: RingEvent, kind: AccessRecord['kind'], layout: Layout): AccessRecord {
  return {
    kind,
    listenerSlot: event.slot,
    targetSlot: event.targetSlot === layout.constants.no_slot ? null : event.targetSlot,
    clientIp: clientIpText(event.clientIp),
    clientPort: event.clientPort,
    connectUs: event.connectUs,
    // Of a session the engine has no such number: it never waits.
    waitedMs: kind === 'connection' ? event.id : 0,
    replays: kind === 'connection' ? event.index : 0,
    durationMs: event.durationMs,
    toTargetBytes: event.toTargetBytes,
    toClientBytes: event.toClientBytes,
    reason: layout.enums.close_reason.nameOf.get(event.code) ?? 'unknown',
  };
}

function connectFailure(code: number, layout: Layout): ConnectFailure {
  const { values } = layout.enums.connect_failure;
  const names = Object.keys(values) as (keyof typeof values)[];
  return names.find((name) => values[name] === code) ?? 'other';
}

/** Delivers what the engine reports by itself; answers to commands are not for here. */
export function deliver(
  event: RingEvent,
  worker: number,
  layout: Layout,
  events: EngineEvents,
): void {
  switch (event.type) {
    case 'listener_bound':
      events.listenerBound(event.slot, event.index, event.clientPort);
      return;
    case 'connection_closed':
      events.accessRecord(accessRecord(event, 'connection', layout));
      return;
    case 'session_ended':
      events.accessRecord(accessRecord(event, 'session', layout));
      return;
    case 'connect_failed':
      events.connectFailed(event.slot, connectFailure(event.code, layout), errorName(event.error));
      return;
    case 'accept_paused':
      events.acceptPaused(worker);
      return;
    case 'target_unreachable':
      events.targetUnreachable(event.slot, errorName(event.error));
      return;
    default:
      // A type that only a newer addon knows: nobody here could have asked for it.
      return;
  }
}
