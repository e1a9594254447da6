// Follows the admin API's events, through restarts of sluice. With fetch, because an EventSource
// cannot send a token.
import { authorization } from './api.ts';
import { EventLines } from './event-lines.ts';

/** An event of sluice's log; its other fields are those of the event. */
export interface SluiceEvent {
  readonly event: string;
  readonly time?: string;
  readonly level?: string;
  readonly [field: string]: unknown;
}

const retryMs = 1000;
/** The server says something every ten seconds. */
const silenceMaxMs = 30_000;

const wait = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Until `signal` says otherwise. Never rejects: a stream that ends is opened again. */
export async function followEvents(
  onEvents: (events: readonly SluiceEvent[]) => void,
  signal: AbortSignal,
): Promise<void> {
  // Not the id of any run: all that is kept.
  let lastId = '0';
  while (!signal.aborted) {
    lastId = await followOnce(lastId, onEvents, signal);
    await wait(retryMs);
  }
}

/** Returns the id of the last event that came. */
async function followOnce(
  from: string,
  onEvents: (events: readonly SluiceEvent[]) => void,
  signal: AbortSignal,
): Promise<string> {
  let lastId = from;
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), silenceMaxMs);
  try {
    const response = await fetch('/api/v1/events', {
      cache: 'no-store',
      headers: { ...authorization(), 'last-event-id': from },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!response.ok || response.body === null) return lastId;
    const lines = new EventLines();
    const reader = response.body.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return lastId;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMaxMs);
      const messages = lines.push(value);
      lastId = messages.findLast(({ id }) => id !== null)?.id ?? lastId;
      if (messages.length > 0) {
        onEvents(messages.map(({ data }) => JSON.parse(data) as SluiceEvent));
      }
    }
  } catch {
    // Nobody answers, or the stream was cut: the polls of the page say so.
    return lastId;
  } finally {
    clearTimeout(timer);
  }
}
