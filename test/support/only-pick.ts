// only-pick: waits until a target is the only one that may be picked of its pool.
import type { SluiceProcess } from './sluice-process.js';
import { waitFor } from './wait-for.js';

/** Everywhere: every worker works by the table that says so. */
export async function onlyPick(
  sluice: SluiceProcess,
  poolName: string,
  target: string,
  timeoutMs: number,
): Promise<void> {
  await waitFor(
    `${target} in ${poolName}`,
    async () => {
      const { generation, pools } = await sluice.status();
      if (generation.applied < generation.wanted) return false;
      const pool = pools.find(({ name }) => name === poolName);
      const eligible = pool?.targets.filter((one) => one.eligible) ?? [];
      return eligible.length === 1 && eligible[0]?.name === target;
    },
    { timeoutMs },
  );
}
