// GET targets of a pool: in pages, and one by one.
import { z } from 'zod';
import type { AdminSource } from './admin-source.js';
import type { Api } from './api.js';
import { noPool, noTarget, poolParam, targetParams } from './place.js';
import { refuse } from './refusal.js';
import { targetSchema } from './status-schema.js';
import { pageOf, targetQuery } from './target-page.js';

export function addTargetRoutes(api: Api, source: AdminSource): void {
  const poolNamed = (pool: string, target?: string) =>
    source
      .status({ pool, ...(target !== undefined && { target }) })
      .pools.find(({ name }) => name === pool);

  api.add(
    {
      role: 'read',
      method: 'get',
      path: '/api/v1/pools/{pool}/targets',
      operationId: 'listTargets',
      summary: 'Targets of a pool, in pages',
      request: { params: poolParam, query: targetQuery },
      responses: {
        200: {
          description: 'Those of this page, and how many there are in all that fit.',
          content: {
            'application/json': {
              schema: z
                .strictObject({
                  total: z.int().min(0),
                  offset: z.int().min(0),
                  limit: z.int().min(1),
                  targets: z.array(targetSchema),
                })
                .meta({ id: 'Targets' }),
            },
          },
        },
      },
    },
    (context) => {
      const { pool } = context.req.valid('param');
      const found = poolNamed(pool);
      if (found === undefined) return refuse(context, 404, 'SLUICE_ADMIN_NAME', noPool(pool));
      return context.json(pageOf(found.targets, context.req.valid('query')));
    },
  );

  api.add(
    {
      role: 'read',
      method: 'get',
      path: '/api/v1/pools/{pool}/targets/{target}',
      operationId: 'getTarget',
      summary: 'One target',
      request: { params: targetParams },
      responses: {
        200: {
          description: 'The target.',
          content: { 'application/json': { schema: targetSchema } },
        },
      },
    },
    (context) => {
      const { pool, target } = context.req.valid('param');
      const found = poolNamed(pool, target)?.targets.find(({ name }) => name === target);
      if (found !== undefined) return context.json(found);
      return refuse(context, 404, 'SLUICE_ADMIN_NAME', noTarget(pool, target));
    },
  );
}
