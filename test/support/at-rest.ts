// At rest: what must be true again after any load. Nothing is open, everything opened was closed,
// and the process holds the descriptors it held before.
import { expect } from 'vitest';
import type { Status } from '../../src/model/status.js';
import { type Descriptors, descriptorsOf } from './process-meter.js';
import type { SluiceProcess } from './sluice-process.js';
import { waitFor } from './wait-for.js';

/** As in native/shared/engine_options.h; each is two descriptors, kept open for the next stream. */
export const pipesPerWorkerMax = 32;

export interface Rest {
  readonly descriptors: Descriptors;
}

async function descriptors(sluice: SluiceProcess): Promise<Descriptors> {
  return descriptorsOf(sluice.pid, String((await sluice.event('ready')).adminAddress));
}

/** To be taken before the load. */
export async function restOf(sluice: SluiceProcess): Promise<Rest> {
  return { descriptors: await descriptors(sluice) };
}

function openNow({ listeners, pools, workers }: Status): readonly string[] {
  const open: string[] = [];
  const note = (what: string, count: number | undefined) => {
    if (count !== 0) open.push(`${what}: ${count}`);
  };
  const counted = (what: string, totals: Status['listeners'][number]['totals']) => {
    for (const kind of ['connections', 'sessions']) {
      const opened = totals[`${kind}_opened`] ?? Number.NaN;
      note(`${what}, ${kind} left`, opened - (totals[`${kind}_closed`] ?? Number.NaN));
    }
  };
  for (const { name, active, totals } of listeners) {
    note(`listener ${name}, active`, active);
    counted(`listener ${name}`, totals);
  }
  for (const { name, active, totals } of pools.flatMap(({ targets }) => targets)) {
    note(`target ${name}, active`, active);
    counted(`target ${name}`, totals);
  }
  for (const { index, totals } of workers) {
    for (const gauge of ['connections_open', 'sessions_open', 'stashes_in_use', 'pipes_in_use']) {
      note(`worker ${index}, ${gauge}`, totals[gauge]);
    }
  }
  return open;
}

/** Waits until nothing is left of a load; fails with what is. */
export async function expectAtRest(
  sluice: SluiceProcess,
  before: Rest,
  { timeoutMs = 10_000 } = {},
): Promise<Status> {
  let last: readonly string[] = [];
  const settled = await waitFor(
    'rest',
    async () => {
      const status = await sluice.status();
      last = openNow(status);
      const { others } = await descriptors(sluice);
      if (others > before.descriptors.others) {
        last = [...last, `descriptors: ${others} of ${before.descriptors.others}`];
      }
      return last.length === 0 ? status : null;
    },
    { timeoutMs },
  ).catch((error: unknown) => {
    throw new Error(`not at rest: ${last.join('; ')}`, { cause: error });
  });
  const pipesMax = before.descriptors.pipes + 2 * pipesPerWorkerMax * settled.workers.length;
  expect((await descriptors(sluice)).pipes).toBeLessThanOrEqual(pipesMax);
  return settled;
}
