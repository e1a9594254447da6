// EventFeed: a log that also hands events on to whoever listens now, and remembers the last ones
// for whoever comes back. Bounded: the oldest event goes when a new one comes.
import type { Clock } from '../clock.js';
import { type EventFields, type EventName, type Level, levelOf } from './events.js';
import type { Logger } from './logger.js';

/** What an operator wants to see at once. No access record: a client's address is in no feed. */
const fedEvents = [
  'ready',
  'target_health_changed',
  'target_ejected',
  'target_returned',
  'target_agent_changed',
  'target_admin_state_changed',
  'target_address_changed',
  'primary_changed',
  'split_brain',
  'name_unresolved',
  'name_resolved',
  'password_file_unreadable',
  'password_file_readable',
  'table_rejected',
  'reload_started',
  'reload_applied',
  'reload_refused',
  'config_problem',
  'config_warning',
  'setting_needs_restart',
  'drain_started',
  'drain_finished',
  'drain_ended',
  'connections_closed',
  'accept_paused',
  'stopping',
] as const satisfies readonly EventName[];

export type FedEventName = (typeof fedEvents)[number];
const fed: ReadonlySet<EventName> = new Set(fedEvents);

export interface FedEvent {
  /** Rises by one; with `EventFeed.run` it is unique over restarts. */
  readonly number: number;
  readonly time: Date;
  readonly name: EventName;
  readonly level: Level;
  readonly fields: EventFields[EventName];
}

export interface EventFeedOptions {
  readonly clock: Clock;
  /** Where everything goes, fed or not. */
  readonly log: Logger;
  readonly keptMax?: number;
  /** Tells one process from the next: numbers begin anew. Default: drawn from the time. */
  readonly run?: string;
}

export class EventFeed implements Logger {
  readonly run: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #keptMax: number;
  readonly #kept: FedEvent[] = [];
  readonly #listeners = new Set<(event: FedEvent) => void>();
  #count = 0;

  constructor({ clock, log, keptMax = 500, run }: EventFeedOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#keptMax = keptMax;
    this.run = run ?? clock.wallTime().getTime().toString(36);
  }

  event<N extends EventName>(name: N, fields: EventFields[N]): void {
    this.#log.event(name, fields);
    if (!fed.has(name)) return;
    const event: FedEvent = {
      number: ++this.#count,
      time: this.#clock.wallTime(),
      name,
      level: levelOf(name, fields),
      fields,
    };
    this.#kept.push(event);
    if (this.#kept.length > this.#keptMax) this.#kept.shift();
    for (const listener of this.#listeners) listener(event);
  }

  /**
   * Those after the one of that number, oldest first, as far as they are kept; `missed` are gone.
   * A number from the future is none of ours: everything is after it.
   */
  since(number: number): { readonly events: readonly FedEvent[]; readonly missed: number } {
    const from = number > this.#count ? 0 : number;
    const events = this.#kept.filter((event) => event.number > from);
    return { events, missed: this.#count - from - events.length };
  }

  /** Returns what ends it. `listener` must not throw. */
  subscribe(listener: (event: FedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
