// ask-explanation: asks the workers what they would do, and explains their answers by the very
// configuration and facts from which their table was made.
import type { Engine } from '../engine/engine.js';
import { SluiceError } from '../errors.js';
import type { Explanation } from '../model/explanation.js';
import type { ForecastClient } from '../model/forecast.js';
import type { Controller } from './controller.js';
import { explain } from './explain.js';

export interface ExplainQuestion {
  readonly listener: string;
  readonly client: ForecastClient;
  /** null: all are asked, and the first one's answer is explained. */
  readonly worker: number | null;
}

/** What a controller knows of the table in force. */
type InForce = Pick<Controller, 'inForce' | 'beliefs' | 'whenApplied'>;

/** Tables that may come in between, question by question. */
const triesMax = 5;

/**
 * null: there is no such listener. Throws SluiceError SLUICE_EXPLAIN_TIMEOUT, SLUICE_EXPLAIN_BUSY,
 * SLUICE_ENGINE_CLOSED; RangeError for a worker that does not exist.
 */
export async function askExplanation(
  engine: Engine,
  controller: InForce,
  question: ExplainQuestion,
): Promise<Explanation | null> {
  for (let tries = 0; tries < triesMax; tries++) {
    const answer = await askOnce(engine, controller, question);
    if (answer !== 'changed') return answer;
  }
  throw new SluiceError('SLUICE_EXPLAIN_TIMEOUT', 'the table changed whenever a worker answered');
}

async function askOnce(
  engine: Engine,
  controller: InForce,
  { listener: name, client, worker }: ExplainQuestion,
): Promise<Explanation | null | 'changed'> {
  const { inForce } = controller;
  const plan = inForce?.plan;
  const listener = plan?.config.listeners.find((one) => one.name === name);
  const listenerSlot = plan?.ids.listeners.used.get(name);
  if (!inForce || !plan || listener === undefined || listenerSlot === undefined) return null;
  const { generation } = inForce.table;
  const all = Array.from({ length: engine.workers }, (_, index) => index);
  const answers = await Promise.all(
    (worker === null ? all : [worker]).map(async (one) => ({
      worker: one,
      forecast: await engine.explain({ listenerSlot, worker: one, client }),
    })),
  );
  // A worker has a table before all have it, and only then is it in force here.
  const newest = Math.max(...answers.map(({ forecast }) => forecast.generation));
  if (newest > generation) await controller.whenApplied(newest);
  const [first] = answers;
  if (first === undefined || answers.some(({ forecast }) => forecast.generation !== generation)) {
    return 'changed';
  }
  const activeOf = (slot: number) => engine.counters.targetActive(slot);
  const explained = explain({
    ...first,
    plan,
    said: controller.beliefs(),
    listener,
    client,
    activeOf,
  });
  const workers = answers.map(({ worker: number, forecast }) => {
    const { outcome, targetSlot } = forecast;
    return { worker: number, outcome, target: explained.nameOf(targetSlot) };
  });
  return { ...explained.explanation, workers };
}
