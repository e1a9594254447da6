// GET overview and history: what everything is like now, and what it was like in the last hour.
import { z } from 'zod';
import { historyWindows } from '../model/history.js';
import type { AdminSource } from './admin-source.js';
import type { Api } from './api.js';
import { historySchema, overviewSchema } from './history-schema.js';
import { refuse } from './refusal.js';

const historyQuery = z.strictObject({
  subject: z.string().max(1024).default('total').meta({
    description: '`total`, `listener:NAME`, `pool:NAME` or `target:POOL/NAME`.',
  }),
  window: z.enum(historyWindows).default('2m').meta({
    description: '`2m`: steps of a second. `1h`: steps of ten seconds.',
  }),
});

export function addHistoryRoutes(api: Api, source: AdminSource): void {
  api.add(
    {
      role: 'read',
      method: 'get',
      path: '/api/v1/overview',
      operationId: 'getOverview',
      summary: 'All listeners, pools and targets in few words',
      responses: {
        200: {
          description: 'How they stand now, and the rates of the last second.',
          content: { 'application/json': { schema: overviewSchema } },
        },
      },
    },
    (context) =>
      context.json({
        version: source.build.version,
        ...source.readiness(),
        fileRefused: source.changes !== null && source.changes.refused !== null,
        ...source.history.overview(),
      }),
  );

  api.add(
    {
      role: 'read',
      method: 'get',
      path: '/api/v1/history',
      operationId: 'getHistory',
      summary: 'The last hour of a listener, a pool or a target, or of all',
      request: { query: historyQuery },
      responses: {
        200: {
          description: 'One value per step, oldest first.',
          content: { 'application/json': { schema: historySchema } },
        },
      },
    },
    (context) => {
      const { subject, window } = context.req.valid('query');
      const history = source.history.read(subject, window);
      if (typeof history !== 'string') return context.json(history);
      const why =
        history === 'unknown'
          ? `there is no ${JSON.stringify(subject)}`
          : `too many targets: ${JSON.stringify(subject)} has no history of its own`;
      return refuse(context, 404, 'SLUICE_ADMIN_NAME', why);
    },
  );
}
