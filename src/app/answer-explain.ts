// answer-explain: a question of the admin API, in texts, brought to the load balancer.
import type { ExplainAnswer, ExplainWish } from '../admin/admin-source.js';
import { thisMachine } from '../config/machine.js';
import { parseClient } from './client-address.js';
import type { LoadBalancer } from './load-balancer.js';

/** Throws SluiceError as askExplanation does. */
export async function answerExplain(
  balancer: Pick<LoadBalancer, 'workers' | 'explain'>,
  { listener, client: text, worker }: ExplainWish,
): Promise<ExplainAnswer> {
  const client = parseClient(text, thisMachine().interfaceIndex);
  if (!client.ok) return { ok: false, what: 'client', message: client.problem.message };
  if (worker !== null && worker >= balancer.workers) {
    const message = `there is no worker ${worker}: the last one is ${balancer.workers - 1}`;
    return { ok: false, what: 'worker', message };
  }
  const explanation = await balancer.explain({ listener, client: client.value, worker });
  if (explanation !== null) return { ok: true, explanation };
  const message = `there is no listener ${JSON.stringify(listener)}`;
  return { ok: false, what: 'listener', message };
}
