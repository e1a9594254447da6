// sluice status: what listens where, what serves it, and what is wrong, on one screen.
import { readAdmin } from './admin-client.js';
import { type Fields, fieldsOf, listOf, numberOf, textOf } from './answer-fields.js';
import { exitCodes } from './exit-codes.js';
import { formatTable, paintFor, visible } from './terminal.js';

export interface ReadOptions {
  readonly admin: string;
  readonly json?: true;
}

export async function status({ admin, json }: ReadOptions): Promise<number> {
  if (json === true) {
    const all = await readAdmin(admin, '/api/v1/status');
    process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
    return exitCodes.ok;
  }
  // Pools without their targets, of which there may be thousands.
  const [all, listeners, pools] = await Promise.all([
    readAdmin(admin, '/api/v1/status'),
    readAdmin(admin, '/api/v1/listeners'),
    readAdmin(admin, '/api/v1/pools'),
  ]);
  const paint = paintFor(process.stdout);
  const { wanted, applied } = fieldsOf(all.generation);
  const version = `sluice ${visible(textOf(all.version))}`;
  const ready = all.ready === true ? paint('green', 'ready') : paint('yellow', 'not ready');
  const generation = `generation ${numberOf(applied)} of ${numberOf(wanted)}`;
  const lines = [
    `${paint('bold', version)}  ${ready}  ${generation}`,
    '',
    ...formatTable([
      ['LISTENER', 'PROTOCOL', 'POOL', 'OPEN', 'SO FAR', 'ADDRESSES'],
      ...listOf(listeners.listeners).map(listenerRow),
    ]),
    '',
    ...formatTable([
      ['POOL', 'POLICY', 'CHECK', 'OPEN', 'TARGETS'],
      ...listOf(pools.pools).map(poolRow),
    ]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return exitCodes.ok;
}

function listenerRow({ name, protocol, pool, active, totals, addresses }: Fields): string[] {
  const { connections_opened: connections, sessions_opened: sessions } = fieldsOf(totals);
  const all = Array.isArray(addresses) ? addresses.map(textOf) : [];
  const shown = all.length > 4 ? [...all.slice(0, 4), `and ${all.length - 4} more`] : all;
  return [
    textOf(name),
    textOf(protocol),
    textOf(pool),
    String(numberOf(active)),
    String(numberOf(connections) + numberOf(sessions)),
    shown.join(', '),
  ];
}

function poolRow({ name, policy, healthCheck, active, targets }: Fields): string[] {
  const counts = fieldsOf(targets);
  const troubles = ['unhealthy', 'unknown', 'ejected', 'draining', 'disabled']
    .filter((state) => numberOf(counts[state]) > 0)
    .map((state) => `${numberOf(counts[state])} ${state}`);
  const usable = `${numberOf(counts.eligible)} of ${numberOf(counts.configured)} eligible`;
  return [
    textOf(name),
    textOf(policy),
    textOf(healthCheck),
    String(numberOf(active)),
    [usable, ...troubles].join(', '),
  ];
}
