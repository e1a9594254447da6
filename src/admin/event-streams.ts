// EventStreams: events to whoever listens, as server-sent events (WHATWG HTML, 9.2). Everything is
// bounded: how many listen, and how much waits for one. Who reads too slowly is cut, and comes back
// with the id of the last event that it saw.
import type { Clock, Timer } from '../clock.js';
import type { EventFeed, FedEvent } from '../log/event-feed.js';
import { roundedFields } from '../log/rounded-fields.js';

export interface EventStreamsOptions {
  readonly clock: Clock;
  readonly feed: Pick<EventFeed, 'run' | 'since' | 'subscribe'>;
  readonly clientsMax?: number;
  /** That may wait for one client. */
  readonly queueBytesMax?: number;
}

/** Proxies close what is silent for a minute; a client sees by it that the server is there. */
const heartbeatMs = 10_000;
const retryMs = 1000;

const encoder = new TextEncoder();
const heartbeat = encoder.encode(': here\n\n');

interface Client {
  send(bytes: Uint8Array): void;
  end(): void;
}

/** JSON has no line breaks, so one `data` line is enough. */
function messageOf(run: string, { number, time, name, level, fields }: FedEvent): Uint8Array {
  const data = JSON.stringify({
    event: name,
    time: time.toISOString(),
    level,
    ...roundedFields(fields),
  });
  return encoder.encode(`id: ${run}-${number}\ndata: ${data}\n\n`);
}

export class EventStreams {
  readonly #options: Required<EventStreamsOptions>;
  readonly #clients = new Set<Client>();
  readonly #unsubscribe: () => void;
  #heartbeat: Timer;

  constructor(options: EventStreamsOptions) {
    this.#options = { clientsMax: 32, queueBytesMax: 2 ** 20, ...options };
    const { feed } = this.#options;
    this.#unsubscribe = feed.subscribe((event) => {
      this.#sendAll(messageOf(feed.run, event));
      // Tokens may be revoked: who listens comes back, and shows his again.
      if (event.name === 'reload_applied') this.#endAll();
    });
    this.#heartbeat = this.#beatLater();
  }

  get clients(): number {
    return this.#clients.size;
  }

  /**
   * What follows `lastId`: all that is kept when it is of another run of sluice, only what comes
   * from now on when there is none. null: too many listen already. `cut` ends the connection of a
   * client that is too slow, whose end cancels the stream.
   */
  open(lastId: string | undefined, cut: () => void): ReadableStream<Uint8Array> | null {
    const { clientsMax, queueBytesMax } = this.#options;
    if (this.#clients.size >= clientsMax) return null;
    let client: Client;
    const begin = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      client = {
        send: (bytes) => {
          if ((controller.desiredSize ?? 0) >= bytes.byteLength) controller.enqueue(bytes);
          else {
            this.#clients.delete(client);
            cut();
          }
        },
        end: () => controller.close(),
      };
      controller.enqueue(encoder.encode(`retry: ${retryMs}\n\n`));
      for (const bytes of this.#replay(lastId)) controller.enqueue(bytes);
      this.#clients.add(client);
    };
    return new ReadableStream<Uint8Array>(
      { start: begin, cancel: () => void this.#clients.delete(client) },
      new ByteLengthQueuingStrategy({ highWaterMark: queueBytesMax }),
    );
  }

  /** What a stream after `lastId` would begin with, and no more. */
  kept(lastId: string): Uint8Array<ArrayBuffer> {
    return Buffer.concat(this.#replay(lastId));
  }

  /** Ends all streams. Idempotent. */
  close(): void {
    this.#unsubscribe();
    this.#heartbeat.cancel();
    this.#endAll();
  }

  /** The newest that half a queue has room for; what is lost is said first. */
  #replay(lastId: string | undefined): readonly Uint8Array[] {
    if (lastId === undefined) return [];
    const { feed, queueBytesMax } = this.#options;
    const [, run, number] = /^(.*)-(\d+)$/.exec(lastId) ?? [];
    const { events, missed } = feed.since(run === feed.run ? Number(number) : 0);
    const messages: Uint8Array[] = [];
    let room = queueBytesMax / 2;
    for (const event of events.toReversed()) {
      const message = messageOf(feed.run, event);
      room -= message.byteLength;
      if (room < 0) break;
      messages.unshift(message);
    }
    const lost = missed + events.length - messages.length;
    if (lost === 0) return messages;
    const data = JSON.stringify({ event: 'events_missed', count: lost });
    return [encoder.encode(`data: ${data}\n\n`), ...messages];
  }

  #sendAll(bytes: Uint8Array): void {
    for (const client of [...this.#clients]) client.send(bytes);
  }

  #endAll(): void {
    for (const client of this.#clients) client.end();
    this.#clients.clear();
  }

  #beatLater(): Timer {
    return this.#options.clock.after(heartbeatMs, () => {
      this.#sendAll(heartbeat);
      this.#heartbeat = this.#beatLater();
    });
  }
}
