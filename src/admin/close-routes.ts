// POST close: ends what is open on a target or of a listener, and changes nothing else.
import { z } from 'zod';
import type { AdminSource } from './admin-source.js';
import type { Api } from './api.js';
import { listenerParam, noListener, noTarget, targetParams } from './place.js';
import { refuse } from './refusal.js';
import { bodyOf, nothing } from './request-body.js';

const closeAnswer = {
  200: {
    description: 'The workers have been told; each closes them in its next turn.',
    content: {
      'application/json': {
        schema: z
          .strictObject({
            told: z.int().min(0).meta({
              description: 'Connections and sessions that were open then.',
            }),
          })
          .meta({ id: 'CloseAnswer' }),
      },
    },
  },
};

export function addCloseRoutes(api: Api, { connections }: AdminSource): void {
  api.add(
    {
      role: 'admin',
      method: 'post',
      path: '/api/v1/listeners/{listener}/close',
      operationId: 'closeListenerConnections',
      summary: 'Close the connections and sessions of a listener, which goes on listening',
      request: { params: listenerParam, body: bodyOf(nothing) },
      responses: closeAnswer,
    },
    (context) => {
      const { listener } = context.req.valid('param');
      const told = connections.close({ listener });
      if (told !== null) return context.json({ told });
      return refuse(context, 404, 'SLUICE_ADMIN_NAME', noListener(listener));
    },
  );

  api.add(
    {
      role: 'admin',
      method: 'post',
      path: '/api/v1/pools/{pool}/targets/{target}/close',
      operationId: 'closeTargetConnections',
      summary: 'Close the connections and sessions of a target, which goes on getting new ones',
      request: { params: targetParams, body: bodyOf(nothing) },
      responses: closeAnswer,
    },
    (context) => {
      const { pool, target } = context.req.valid('param');
      const told = connections.close({ pool, target });
      if (told !== null) return context.json({ told });
      return refuse(context, 404, 'SLUICE_ADMIN_NAME', noTarget(pool, target));
    },
  );
}
