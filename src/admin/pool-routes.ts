// GET pools: what is behind the listeners. A pool may have thousands of targets, so those are told
// elsewhere, in pages.
import { z } from 'zod';
import type { PoolStatus, TargetStatus } from '../model/status.js';
import type { AdminSource } from './admin-source.js';
import type { Api } from './api.js';
import { noPool, poolParam } from './place.js';
import { refuse } from './refusal.js';
import { poolSummarySchema } from './status-schema.js';

type PoolSummary = z.infer<typeof poolSummarySchema>;

function summaryOf({ targets, tiers, ...pool }: PoolStatus): PoolSummary {
  const number = (is: (target: TargetStatus) => boolean) => targets.filter(is).length;
  return {
    ...pool,
    tiers: [...tiers],
    active: targets.reduce((sum, { active }) => sum + active, 0),
    targets: {
      configured: targets.length,
      eligible: number(({ eligible }) => eligible),
      healthy: number(({ health }) => health === 'healthy'),
      unhealthy: number(({ health }) => health === 'unhealthy'),
      unknown: number(({ health }) => health === 'unknown'),
      draining: number(({ adminState }) => adminState === 'draining'),
      disabled: number(({ adminState }) => adminState === 'disabled'),
      ejected: number(({ ejection }) => ejection !== null),
    },
  };
}

export function addPoolRoutes(api: Api, source: AdminSource): void {
  const poolNamed = (pool: string) =>
    source.status({ pool }).pools.find(({ name }) => name === pool);

  api.add(
    {
      role: 'read',
      method: 'get',
      path: '/api/v1/pools',
      operationId: 'listPools',
      summary: 'All pools, without their targets',
      responses: {
        200: {
          description: 'In the order of the file.',
          content: {
            'application/json': {
              schema: z.strictObject({ pools: z.array(poolSummarySchema) }).meta({ id: 'Pools' }),
            },
          },
        },
      },
    },
    (context) => context.json({ pools: source.status().pools.map(summaryOf) }),
  );

  api.add(
    {
      role: 'read',
      method: 'get',
      path: '/api/v1/pools/{pool}',
      operationId: 'getPool',
      summary: 'One pool, without its targets',
      request: { params: poolParam },
      responses: {
        200: {
          description: 'The pool.',
          content: { 'application/json': { schema: poolSummarySchema } },
        },
      },
    },
    (context) => {
      const { pool } = context.req.valid('param');
      const found = poolNamed(pool);
      if (found !== undefined) return context.json(summaryOf(found));
      return refuse(context, 404, 'SLUICE_ADMIN_NAME', noPool(pool));
    },
  );
}
