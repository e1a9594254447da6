// PostgreSQL by pgbench: select-only transactions on 16 connections.
import { startPostgresTarget } from '../targets/postgres.mjs';
import { pathOf } from '../tools.mjs';
import { cpuMetric, microsecondsEach } from './row.mjs';

/** @param {string} output of pgbench */
export function parsePgbench(output) {
  const transactions = /number of transactions actually processed: (\d+)/.exec(output)?.[1];
  const rate = /^tps = ([\d.]+)/m.exec(output)?.[1];
  if (transactions === undefined || rate === undefined) {
    throw new Error(`not pgbench's output: ${output}`);
  }
  return { transactions: Number(transactions), perSecond: Number(rate) };
}

/** @type {import('./row.mjs').Row} */
const selectOnly = {
  name: 'postgres',
  group: 'postgres',
  title: 'PostgreSQL, pgbench select-only, 16 connections',
  protocol: 'tcp',
  tools: ['pgbench'],
  secondsEach: 5,
  metrics: [
    { name: 'rate', title: 'transactions', unit: '/s', better: 'higher' },
    cpuMetric({ unit: 'us/transaction' }),
  ],
  measure: async (run) => {
    const target = await startPostgresTarget(run);
    const balancer = await run.startBalancer({ port: target.port });
    const [host = '', port = ''] = balancer.address.split(':');
    const before = target.transactions();
    const load = await run.load(balancer, [
      ...[pathOf('pgbench'), '-S', '-n', '-c', '16', '-j', '1'],
      ...['-T', String(Math.max(1, Math.round(run.seconds)))],
      ...['-h', host, '-p', port, '-U', 'postgres', 'postgres'],
    ]);
    const counted = target.transactions() - before;
    const { transactions, perSecond } = parsePgbench(load.output);
    return {
      values: { rate: perSecond, cpu: microsecondsEach(load.usage.coreSeconds, transactions) },
      usage: load.usage,
      // pgbench and psql look around before they start; cumulative statistics come in late.
      counts: [
        {
          unit: 'transactions',
          client: transactions,
          target: counted,
          slack: 100 + transactions * 0.01,
        },
      ],
      marks: load.marks,
    };
  },
};

export const postgresRows = [selectOnly];
