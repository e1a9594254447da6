// sluice explain LISTENER --client ADDRESS[:PORT]: which target a client would get now, and why,
// asked of a running sluice.
import { parseClient } from '../app/client-address.js';
import { readExplanation } from '../app/read-explanation.js';
import { getAdmin } from './admin-client.js';
import { exitCodes } from './exit-codes.js';
import { explanationText } from './explanation-text.js';
import { fail, refused } from './fail.js';
import { paintFor } from './terminal.js';

export interface ExplainOptions {
  readonly client: string;
  readonly worker?: string;
  readonly json?: true;
  readonly admin: string;
}

/** Exit code 0: it would get a target; 1: none, or nobody could say; 2: wrong usage. */
export async function explain(
  listener: string,
  { client, worker, json, admin }: ExplainOptions,
): Promise<number> {
  const asked = parseClient(client);
  if (!asked.ok) return fail(`--client: ${asked.problem.message}`, exitCodes.usage);
  if (worker !== undefined && !/^[0-9]{1,4}$/.test(worker)) {
    return fail(`--worker: ${worker} is not the number of a worker`, exitCodes.usage);
  }
  const query = new URLSearchParams({ client, ...(worker !== undefined && { worker }) });
  const path = `/api/v1/listeners/${encodeURIComponent(listener)}/explain?${query}`;
  const { status, body } = await getAdmin(admin, path);
  if (status !== 200) {
    const code = refused(body);
    return status === 400 ? exitCodes.usage : code;
  }
  const explanation = readExplanation(body);
  if (explanation === null) {
    return fail('the answer is no explanation: is it another version?', exitCodes.failed);
  }
  if (json) process.stdout.write(`${JSON.stringify(explanation, null, 2)}\n`);
  else process.stdout.write(explanationText(explanation, paintFor(process.stdout)));
  return explanation.target === null ? exitCodes.failed : exitCodes.ok;
}
