// ExplainDesk: puts explain questions to workers, one at a time to each, and hands out the answers.
import type { Clock, Timer } from '../clock.js';
import { SluiceError } from '../errors.js';
import type { Forecast } from '../model/forecast.js';
import type { Command, CommandRing } from './command-ring.js';
import type { ExplainArea } from './explain-answer.js';

/** How long a worker may take to answer: it does so in its next turn, unless it is stuck. */
export const explainTimeoutMs = 1000;
/** Questions that may wait for one worker. */
export const explainQueueMax = 64;

/** What the desk has of one worker. */
export interface ExplainedWorker {
  readonly commands: Pick<CommandRing, 'send'>;
  readonly area: ExplainArea;
}

interface Question {
  readonly command: Command;
  readonly resolve: (forecast: Forecast) => void;
  readonly reject: (error: SluiceError) => void;
}

interface WorkerDesk extends ExplainedWorker {
  readonly waiting: Question[];
  asked: { readonly id: number; readonly question: Question; readonly timeout: Timer } | null;
  /** Of the last question that was sent; 0: none was. */
  lastId: number;
}

export class ExplainDesk {
  readonly #clock: Clock;
  readonly #desks: readonly WorkerDesk[];
  readonly #changed: () => void;
  #nextId = 1;

  /** `changed`: somebody awaits an answer now, or nobody any more (awaited). */
  constructor(clock: Clock, workers: readonly ExplainedWorker[], changed: () => void) {
    this.#clock = clock;
    this.#desks = workers.map((worker) => ({ ...worker, waiting: [], asked: null, lastId: 0 }));
    this.#changed = changed;
  }

  get awaited(): boolean {
    return this.#desks.some(({ asked }) => asked !== null);
  }

  /** Rejects with SLUICE_EXPLAIN_TIMEOUT and SLUICE_EXPLAIN_BUSY. */
  ask(worker: number, command: Command): Promise<Forecast> {
    const desk = this.#deskOf(worker);
    return new Promise((resolve, reject) => {
      if (desk.waiting.length >= explainQueueMax) {
        const message = `${explainQueueMax} other questions wait for worker ${worker}`;
        reject(new SluiceError('SLUICE_EXPLAIN_BUSY', message, { context: { worker } }));
        return;
      }
      desk.waiting.push({ command, resolve, reject });
      this.#next(desk, worker);
    });
  }

  /** The worker's bell. */
  answered(worker: number, id: number): void {
    const desk = this.#deskOf(worker);
    // An answer to a question whose time was over.
    if (desk.asked?.id !== id) return;
    this.#settle(desk, worker);
  }

  /** Everybody who waits is told `error`. */
  close(error: SluiceError): void {
    for (const desk of this.#desks) {
      desk.asked?.timeout.cancel();
      desk.asked?.question.reject(error);
      desk.asked = null;
      for (const { reject } of desk.waiting.splice(0)) reject(error);
    }
  }

  #deskOf(worker: number): WorkerDesk {
    const desk = this.#desks[worker];
    if (desk === undefined) throw new RangeError(`there is no worker ${worker}`);
    return desk;
  }

  #next(desk: WorkerDesk, worker: number): void {
    if (desk.asked !== null) return;
    // A worker that owes an answer would write it while we wait for the next one; and questions
    // would pile up in the ring of one that is stuck.
    if (desk.lastId !== 0 && desk.area.id() !== desk.lastId) {
      for (const { reject } of desk.waiting.splice(0)) reject(late(worker));
      return;
    }
    const question = desk.waiting.shift();
    if (question === undefined) return;
    const id = this.#nextId;
    this.#nextId = id === 0xffffffff ? 1 : id + 1;
    desk.lastId = id;
    const timeout = this.#clock.after(explainTimeoutMs, () => this.#settle(desk, worker));
    desk.asked = { id, question, timeout };
    desk.commands.send({ ...question.command, id });
    this.#changed();
  }

  /** The answer is there, or the time for it is over (a full event ring loses the bell). */
  #settle(desk: WorkerDesk, worker: number): void {
    if (desk.asked === null) return;
    const { id, question, timeout } = desk.asked;
    timeout.cancel();
    desk.asked = null;
    if (desk.area.id() === id) question.resolve(desk.area.read());
    else question.reject(late(worker));
    this.#next(desk, worker);
    this.#changed();
  }
}

function late(worker: number): SluiceError {
  const message = `worker ${worker} did not answer within ${explainTimeoutMs} ms`;
  return new SluiceError('SLUICE_EXPLAIN_TIMEOUT', message, { context: { worker } });
}
