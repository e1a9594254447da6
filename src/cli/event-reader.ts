// EventReader: the events of a running sluice, from its server-sent events: what is kept, then what
// follows, and after a break from where it was.
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Clock } from '../clock.js';
import { SluiceError } from '../errors.js';
import { streamAdmin } from './admin-client.js';
import { type Fields, fieldsOf } from './answer-fields.js';

export interface EventReaderOptions {
  readonly admin: string;
  readonly clock: Pick<Clock, 'after'>;
  /** Told once for each break. */
  readonly onBreak: (error: SluiceError) => void;
}

const retryMs = 1000;
/** A heartbeat comes every ten seconds. */
const silenceMs = 35_000;

export class EventReader {
  readonly #options: EventReaderOptions;
  /** Of the last event that was read. This one is before all. */
  #lastId = '0';
  /** Since the last piece of a stream came; what comes first is no event. */
  #broken = false;

  constructor(options: EventReaderOptions) {
    this.#options = options;
  }

  /** Oldest first, and ends. Throws a SluiceError: a refusal, or SLUICE_ADMIN_UNREACHABLE. */
  async *kept(): AsyncGenerator<Fields, void> {
    yield* this.#read(false);
  }

  /**
   * What comes after all that was read, without an end. A sluice that is away, or has too many
   * listeners, is waited for. Throws the SluiceError of any other refusal.
   */
  async *following(): AsyncGenerator<Fields, void> {
    const { clock, onBreak } = this.#options;
    for (;;) {
      try {
        yield* this.#read(true);
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        const { code } = error;
        if (code !== 'SLUICE_ADMIN_UNREACHABLE' && code !== 'SLUICE_ADMIN_BUSY') throw error;
        if (!this.#broken) onBreak(error);
        this.#broken = true;
      }
      await new Promise<void>((wake) => void clock.after(retryMs, wake));
    }
  }

  async *#read(follow: boolean): AsyncGenerator<Fields, void> {
    const headers = { accept: 'text/event-stream', 'last-event-id': this.#lastId };
    const path = `/api/v1/events?follow=${follow}`;
    const come: EventSourceMessage[] = [];
    const parser = createParser({ onEvent: (message) => void come.push(message) });
    for await (const piece of streamAdmin(this.#options.admin, path, { headers, silenceMs })) {
      this.#broken = false;
      parser.feed(piece);
      for (const { id, data } of come.splice(0)) {
        this.#lastId = id ?? this.#lastId;
        yield fieldsOf(parsed(data));
      }
    }
  }
}

/** What is no JSON is no event of ours: nothing is shown of it. */
function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
