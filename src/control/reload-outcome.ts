// ReloadOutcome: what came of a new configuration. A refusal has changed nothing at all.
import type { TableOutcome } from '../engine/engine.js';
import { formatAddress } from '../model/address-text.js';
import type { Listener } from '../model/listener.js';
import type { SlotKind } from './ids.js';

type EngineRefusal = Extract<TableOutcome, { readonly applied: false }>;

export interface Refusal {
  readonly applied: false;
  readonly reason:
    | EngineRefusal['reason']
    /** More listeners, pools or targets than the engine has slots, retired ones included. */
    | 'slots_exhausted'
    /** More bytes than a table may have. */
    | 'too_large'
    /** Too many other configurations wait to be applied. */
    | 'busy'
    | 'shutting_down';
  /** A sentence for an operator. */
  readonly message: string;
  /** The listener and the address at fault; null when none is. */
  readonly listener: string | null;
  readonly address: string | null;
  /** Name such as EADDRINUSE; empty when there is none. */
  readonly error: string;
}

export type ReloadOutcome = { readonly applied: true; readonly generation: number } | Refusal;

export function refusal(reason: Refusal['reason'], message: string): Refusal {
  return { applied: false, reason, message, listener: null, address: null, error: '' };
}

export function slotsRefusal(kind: SlotKind, limit: number): Refusal {
  const message =
    `the engine has room for ${limit} ${kind}; those that were removed count until their last ` +
    'connection has ended';
  return refusal('slots_exhausted', message);
}

const sentences: Readonly<Record<EngineRefusal['reason'], string>> = {
  malformed: 'the engine did not accept the table; this is a bug in sluice',
  address_in_use: 'another socket has the address',
  bind_failed: 'the address cannot be bound',
  permission_denied: 'this user may not bind the address',
  no_memory: 'the engine has not enough memory for the table',
};

/** `listener`: the one that the outcome's slot belongs to. */
export function engineRefusal(outcome: EngineRefusal, listener: Listener | undefined): Refusal {
  const { reason, error } = outcome;
  const bind = listener?.binds[outcome.bindIndex];
  const address = bind ? formatAddress(bind) : null;
  const where = listener && address ? `listener ${listener.name}, ${address}: ` : '';
  const cause = error === '' ? '' : ` (${error})`;
  const message = `${where}${sentences[reason]}${cause}`;
  return { applied: false, reason, message, listener: listener?.name ?? null, address, error };
}
