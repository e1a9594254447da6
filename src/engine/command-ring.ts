// One command ring: TypeScript writes, one native thread reads. A full ring never loses a command:
// what does not fit waits here and is tried again on a later turn of the event loop.
import type { Clock, Timer } from '../clock.js';
import type { Layout, Records, RegionLayout } from './layout.js';
import { setBytes, setNumber } from './record-fields.js';

export type Command = Readonly<
  Partial<Record<keyof Records['command']['fields'], number | Uint8Array>>
>;

export interface CommandRingOptions {
  readonly memory: ArrayBuffer;
  /** Of the ring's header, in `memory`. */
  readonly offset: number;
  readonly layout: Layout;
  readonly region: RegionLayout;
  readonly clock: Clock;
  /** Wakes the reader. */
  readonly doorbell: () => void;
}

const retryMs = 1;

export class CommandRing {
  readonly #options: CommandRingOptions;
  readonly #words: Uint32Array;
  readonly #view: DataView;
  readonly #fields: readonly (readonly [string, Records['command']['fields']['type']])[];
  readonly #waiting: Command[] = [];
  #retry: Timer | null = null;
  #closed = false;

  constructor(options: CommandRingOptions) {
    const { memory, offset, region, layout } = options;
    this.#options = options;
    this.#words = new Uint32Array(memory, offset, region.ring_first_record / 4);
    this.#view = new DataView(memory, offset + region.ring_first_record);
    this.#fields = Object.entries(layout.records.command.fields);
  }

  /** Commands that did not fit yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Commands arrive in the order of the calls. A wish that waits already is not queued twice. */
  send(command: Command): void {
    if (this.#closed) return;
    if (this.#waiting.length > 0 || !this.#write(command)) {
      if (this.#waiting.some((other) => sameCommand(other, command))) return;
      this.#waiting.push(command);
      this.#retryLater();
      return;
    }
    this.#options.doorbell();
  }

  /** Commands that still wait are dropped: their reader is gone. */
  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#waiting.length = 0;
  }

  #retryLater(): void {
    this.#retry ??= this.#options.clock.after(retryMs, () => {
      this.#retry = null;
      this.#flush();
    });
  }

  #flush(): void {
    let written = 0;
    for (const command of this.#waiting) {
      if (!this.#write(command)) break;
      written++;
    }
    this.#waiting.splice(0, written);
    // Also when nothing fitted: a reader that sleeps over a full ring must hear of it.
    this.#options.doorbell();
    if (this.#waiting.length > 0) this.#retryLater();
  }

  /** False when the ring is full. */
  #write(command: Command): boolean {
    const { region, layout } = this.#options;
    const { ring_records: capacity, record_bytes: recordBytes } = layout.constants;
    const headIndex = region.ring_head / 4;
    // We are the only writer of head. The tail is the reader's: an Atomics load pairs with its
    // release store, so a place it has left is really free.
    const head = this.#words[headIndex] ?? 0;
    const tail = Atomics.load(this.#words, region.ring_tail / 4);
    if ((head - tail) >>> 0 >= capacity) return false;
    const at = (head % capacity) * recordBytes;
    for (const [name, field] of this.#fields) {
      const value = command[name as keyof Command] ?? 0;
      if (typeof value === 'number') setNumber(this.#view, at, field, value);
      else setBytes(this.#view, at, field, value);
    }
    // Publishes the record written above: the reader loads head with acquire.
    Atomics.store(this.#words, headIndex, (head + 1) >>> 0);
    return true;
  }
}

function sameCommand(a: Command, b: Command): boolean {
  const names = Object.keys(a) as (keyof Command)[];
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.is(a[name], b[name]))
  );
}
