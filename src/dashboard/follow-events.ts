// Follows the admin API's events, through restarts of sluice. With fetch, because an EventSource
// cannot send a token.
import { createParser } from 'eventsource-parser';
import { authorization } from './api.ts';

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

/** Resolves while the page is seen, or when `signal` says that it is over. */
function whenSeen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (!document.hidden || signal.aborted) return resolve();
    const look = (): void => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener('visibilitychange', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    signal.addEventListener('abort', look, { once: true });
  });
}

/**
 * Until `signal` says otherwise. Never rejects: a stream that ends is opened again. A hidden page
 * has none: browsers open six connections to one server, which all its tabs share.
 */
export async function followEvents(
  onEvents: (events: readonly SluiceEvent[]) => void,
  signal: AbortSignal,
): Promise<void> {
  // Not the id of any run: all that is kept.
  let lastId = '0';
  while (!signal.aborted) {
    await whenSeen(signal);
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
  const ending = new AbortController();
  let timer = setTimeout(() => ending.abort(), silenceMaxMs);
  const hide = (): void => {
    if (document.hidden) ending.abort();
  };
  document.addEventListener('visibilitychange', hide);
  try {
    const response = await fetch('/api/v1/events', {
      cache: 'no-store',
      headers: { ...authorization(), 'last-event-id': from },
      signal: AbortSignal.any([signal, ending.signal]),
    });
    if (!response.ok || response.body === null) return lastId;
    let come: SluiceEvent[] = [];
    const parser = createParser({
      onEvent: ({ id, data }) => {
        lastId = id ?? lastId;
        come.push(JSON.parse(data) as SluiceEvent);
      },
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return lastId;
      clearTimeout(timer);
      timer = setTimeout(() => ending.abort(), silenceMaxMs);
      parser.feed(value);
      if (come.length > 0) onEvents(come);
      come = [];
    }
  } catch {
    // Nobody answers, or the stream was cut: the polls of the page say so.
    return lastId;
  } finally {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', hide);
  }
}
