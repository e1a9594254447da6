// GET explain: which target a client of a listener would get now, and why.
import { z } from 'zod';
import { SluiceError } from '../errors.js';
import type { AdminSource, ExplainAnswer, ExplainWish } from './admin-source.js';
import type { Api } from './api.js';
import { explanationSchema } from './explain-schema.js';
import { refuse } from './refusal.js';

const query = z.strictObject({
  client: z.string().min(1).max(100).meta({
    description: 'An address, or one with its port: `192.0.2.7`, `[2001:db8::1]:4000`; `unix`.',
    example: '192.0.2.7:4000',
  }),
  worker: z.coerce
    .number()
    .int()
    .min(0)
    .max(9999)
    .optional()
    .meta({ description: 'Whose next pick; without it all are asked, the first is explained.' }),
});

export function addExplainRoutes(api: Api, source: AdminSource): void {
  api.add(
    {
      role: 'read',
      method: 'get',
      path: '/api/v1/listeners/{listener}/explain',
      operationId: 'explainListener',
      summary: 'Which target a client would get now, and why',
      request: { params: z.strictObject({ listener: z.string() }), query },
      responses: {
        200: {
          description: 'What the workers would do. Nothing has changed by the asking.',
          content: { 'application/json': { schema: explanationSchema } },
        },
      },
    },
    async (context) => {
      const { listener } = context.req.valid('param');
      const { client, worker = null } = context.req.valid('query');
      const answer = await ask(source, { listener, client, worker });
      if (answer instanceof SluiceError) return refuse(context, 503, answer.code, answer.message);
      if (answer.ok) return context.json(answer.explanation);
      if (answer.what === 'client') {
        return refuse(context, 400, 'SLUICE_ADMIN_REQUEST', `client: ${answer.message}`);
      }
      return refuse(context, 404, 'SLUICE_ADMIN_NAME', answer.message);
    },
  );
}

/** An engine that does not answer in time, or is about to end, is no fault of who asks. */
async function ask(source: AdminSource, wish: ExplainWish): Promise<ExplainAnswer | SluiceError> {
  try {
    return await source.explain(wish);
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
}
