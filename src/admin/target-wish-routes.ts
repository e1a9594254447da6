// POST enable, disable and drain: what an operator wishes of a target.
import { z } from 'zod';
import type { AdminSource } from './admin-source.js';
import type { Api } from './api.js';
import { noTarget, targetParams } from './place.js';
import { refuse } from './refusal.js';
import { bodyOf, nothing } from './request-body.js';

/** As long as durations of the file may be. */
const durationMs = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const drainWish = z
  .strictObject({
    deadlineMs: durationMs.nullable().optional().meta({
      description: 'How long connections may end by themselves; null: for ever.',
    }),
    closeOverMs: durationMs.optional().meta({
      description: 'Over which time what is left then is closed.',
    }),
    wait: z.boolean().optional().meta({ description: 'Answer at the end of the drain.' }),
  })
  .meta({ id: 'DrainWish', description: 'What is left out is as `drain` of the pool says.' });

const place = { pool: z.string(), target: z.string() };

const adminStateAnswer = z
  .strictObject({ ...place, adminState: z.enum(['enabled', 'disabled']) })
  .meta({ id: 'AdminStateAnswer' });

const drainAnswer = z
  .strictObject({
    ...place,
    adminState: z.literal('draining'),
    result: z
      .enum(['drained', 'closed', 'cancelled', 'removed', 'stopped'])
      .optional()
      .meta({ description: 'How it ended, as all that follows: only when waited for.' }),
    closed: z.int().optional().meta({ description: 'Connections and sessions closed.' }),
    active: z.int().optional().meta({ description: 'Connections and sessions still open.' }),
    durationMs: z.number().optional(),
  })
  .meta({ id: 'DrainAnswer' });

export function addTargetWishRoutes(api: Api, { targets }: AdminSource): void {
  for (const [verb, adminState] of [
    ['enable', 'enabled'],
    ['disable', 'disabled'],
  ] as const) {
    api.add(
      {
        role: 'admin',
        method: 'post',
        path: `/api/v1/pools/{pool}/targets/{target}/${verb}`,
        operationId: `${verb}Target`,
        summary: `Let a target be ${adminState}`,
        request: { params: targetParams, body: bodyOf(nothing) },
        responses: {
          200: {
            description: 'Every worker knows it.',
            content: { 'application/json': { schema: adminStateAnswer } },
          },
        },
      },
      async (context) => {
        const { pool, target } = context.req.valid('param');
        const found = await targets.setAdminState(pool, target, adminState);
        if (found) return context.json({ pool, target, adminState });
        return refuse(context, 404, 'SLUICE_ADMIN_NAME', noTarget(pool, target));
      },
    );
  }

  api.add(
    {
      role: 'admin',
      method: 'post',
      path: '/api/v1/pools/{pool}/targets/{target}/drain',
      operationId: 'drainTarget',
      summary: 'Let a target take no new clients, and end its old ones',
      request: { params: targetParams, body: bodyOf(drainWish) },
      responses: {
        200: {
          description: 'The drain has begun; with `wait` it has ended.',
          content: { 'application/json': { schema: drainAnswer } },
        },
      },
    },
    async (context) => {
      const { pool, target } = context.req.valid('param');
      const { deadlineMs, closeOverMs, wait } = context.req.valid('json');
      const drain = await targets.drain(pool, target, {
        ...(deadlineMs !== undefined && { deadlineMs }),
        ...(closeOverMs !== undefined && { closeOverMs }),
      });
      if (drain === null) {
        return refuse(context, 404, 'SLUICE_ADMIN_NAME', noTarget(pool, target));
      }
      const begun = { pool, target, adminState: 'draining' } as const;
      return context.json(wait === true ? { ...begun, ...(await drain.finished) } : begun);
    },
  );
}
