// GET events: what happens, as it happens.
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { AdminSource } from './admin-source.js';
import type { Api } from './api.js';
import { refuse } from './refusal.js';

export function addEventRoutes(api: Api, { events }: AdminSource): void {
  api.add(
    {
      role: 'read',
      method: 'get',
      path: '/api/v1/events',
      operationId: 'followEvents',
      summary: 'Events as they happen, as server-sent events',
      request: {
        headers: z.object({
          'last-event-id': z.string().max(128).optional().meta({
            description:
              'The last that was seen: those after it come first; `0`: all that is kept.',
          }),
        }),
        query: z.strictObject({
          follow: z.enum(['true', 'false']).default('true').meta({
            description: '`false`: what is kept and no more; without an id, all of it.',
          }),
        }),
      },
      responses: {
        200: {
          description: 'Each is a JSON object with `event`, `time`, `level`, and its own fields.',
          content: { 'text/event-stream': { schema: z.string() } },
        },
      },
    },
    (context) => {
      const lastId = context.req.header('last-event-id');
      const headers = {
        'content-type': 'text/event-stream; charset=utf-8',
        // nginx would keep what it is given.
        'x-accel-buffering': 'no',
      };
      if (context.req.valid('query').follow === 'false') {
        return context.body(events.kept(lastId ?? '0'), 200, headers);
      }
      const { outgoing } = (context.env ?? {}) as { outgoing?: ServerResponse };
      const cut = () => void outgoing?.destroy();
      const stream = events.open(lastId, cut);
      if (stream === null) {
        return refuse(context, 503, 'SLUICE_ADMIN_BUSY', 'too many listen to events already');
      }
      return context.body(stream, 200, headers);
    },
  );
}
