// GET listeners: where clients arrive.
import { z } from 'zod';
import type { AdminSource } from './admin-source.js';
import type { Api } from './api.js';
import { listenerParam, noListener } from './place.js';
import { refuse } from './refusal.js';
import { listenerSchema } from './status-schema.js';

export function addListenerRoutes(api: Api, source: AdminSource): void {
  api.add(
    {
      role: 'read',
      method: 'get',
      path: '/api/v1/listeners',
      operationId: 'listListeners',
      summary: 'All listeners',
      responses: {
        200: {
          description: 'In the order of the file.',
          content: {
            'application/json': {
              schema: z
                .strictObject({ listeners: z.array(listenerSchema) })
                .meta({ id: 'Listeners' }),
            },
          },
        },
      },
    },
    (context) => context.json({ listeners: source.status('listeners').listeners }),
  );

  api.add(
    {
      role: 'read',
      method: 'get',
      path: '/api/v1/listeners/{listener}',
      operationId: 'getListener',
      summary: 'One listener',
      request: { params: listenerParam },
      responses: {
        200: {
          description: 'The listener.',
          content: { 'application/json': { schema: listenerSchema } },
        },
      },
    },
    (context) => {
      const { listener } = context.req.valid('param');
      const found = source.status('listeners').listeners.find(({ name }) => name === listener);
      if (found !== undefined) return context.json(found);
      return refuse(context, 404, 'SLUICE_ADMIN_NAME', noListener(listener));
    },
  );
}
