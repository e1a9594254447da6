// Live: what the page shows of sluice as a whole, kept up to date: by polling, and at once when an
// event says that something has changed.
import type { OverviewAnswer } from '../model/overview.ts';
import { ApiError, get } from './api.ts';
import { followEvents, type SluiceEvent } from './follow-events.ts';

export interface LiveState {
  /** null before the first answer. */
  readonly overview: OverviewAnswer | null;
  /** `locked`: the API wants a token. */
  readonly connection: 'connecting' | 'live' | 'lost' | 'locked';
  /** Why it is lost or locked; empty when it is not. */
  readonly why: string;
  /** Newest first. */
  readonly events: readonly SluiceEvent[];
}

export const nothingYet: LiveState = {
  overview: null,
  connection: 'connecting',
  why: '',
  events: [],
};

const pollMs = 1000;
/** A table with the change takes 20 ms and more; the second look is for a busy machine. */
const looksAfterEventMs = [60, 300];
const eventsMax = 300;

export class Live {
  #state: LiveState = nothingYet;
  readonly #onChange: (state: LiveState) => void;
  readonly #closed = new AbortController();
  #timer = 0;
  #asking = false;
  #askAgain = false;

  constructor(onChange: (state: LiveState) => void) {
    this.#onChange = onChange;
    document.addEventListener('visibilitychange', this.#onVisible);
    void followEvents((events) => this.#take(events), this.#closed.signal);
    this.look();
  }

  /** Asks now, and from then on every second. */
  look(): void {
    void this.#look();
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.#onVisible);
    this.#closed.abort();
    clearTimeout(this.#timer);
  }

  readonly #onVisible = () => {
    if (!document.hidden) this.look();
  };

  async #look(): Promise<void> {
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    clearTimeout(this.#timer);
    const startedMs = performance.now();
    try {
      const overview = await get<OverviewAnswer>('overview');
      this.#set({ overview, connection: 'live', why: '' });
    } catch (error) {
      const known = error instanceof ApiError ? error : new ApiError(0, String(error));
      const connection = known.status === 401 ? 'locked' : 'lost';
      this.#set({ connection, why: known.message });
    }
    this.#asking = false;
    if (this.#closed.signal.aborted) return;
    if (this.#askAgain) {
      this.#askAgain = false;
      this.look();
      return;
    }
    // A hidden page asks nothing, nor does one that has no token; and a large answer is asked for
    // less often.
    if (document.hidden || this.#state.connection === 'locked') return;
    const tookMs = performance.now() - startedMs;
    this.#timer = window.setTimeout(() => this.look(), Math.max(pollMs, 5 * tookMs));
  }

  #take(events: readonly SluiceEvent[]): void {
    this.#set({ events: [...events.toReversed(), ...this.#state.events].slice(0, eventsMax) });
    for (const ms of looksAfterEventMs) setTimeout(() => this.look(), ms);
  }

  #set(changes: Partial<LiveState>): void {
    if (this.#closed.signal.aborted) return;
    this.#state = { ...this.#state, ...changes };
    this.#onChange(this.#state);
  }
}
