// GET status and openapi.json: everything at once, and what there is to ask.
import { z } from 'zod';
import type { AdminSource } from './admin-source.js';
import type { Api } from './api.js';
import { type StatusAnswer, statusSchema } from './status-schema.js';

export function addStatusRoutes(api: Api, source: AdminSource): void {
  api.add(
    {
      role: 'read',
      method: 'get',
      path: '/api/v1/status',
      operationId: 'getStatus',
      summary: 'Everything at one moment',
      responses: {
        200: {
          description: 'Listeners, pools with their targets, workers.',
          content: { 'application/json': { schema: statusSchema } },
        },
      },
    },
    (context) => {
      const { version } = source.build;
      const answer: StatusAnswer = { version, ...source.readiness(), ...source.status() };
      return context.json(answer);
    },
  );

  let document: object | null = null;
  api.add(
    {
      role: 'read',
      method: 'get',
      path: '/api/v1/openapi.json',
      operationId: 'getOpenapi',
      summary: 'This description, as OpenAPI 3.1',
      responses: {
        200: {
          description: 'An OpenAPI 3.1 document.',
          content: { 'application/json': { schema: z.looseObject({ openapi: z.string() }) } },
        },
      },
    },
    (context) => {
      // All routes are there before the first request is.
      document ??= api.document();
      return context.json(document);
    },
  );
}
