// GET config and POST reload; and what every change of the configuration answers.
import type { Context } from 'hono';
import { z } from 'zod';
import type { ChangeOutcome, RefusedFile } from '../model/config-change.js';
import type { AdminSource, ConfigControl } from './admin-source.js';
import type { Api } from './api.js';
import { problemSchema, problemsMax, refuse } from './refusal.js';
import { bodyOf, nothing } from './request-body.js';

export const changedSchema = z
  .strictObject({
    generation: z.int().min(0).meta({ description: 'Of the table that every worker has.' }),
    revision: z.string().meta({ description: 'Of the configuration; also the etag.' }),
    persisted: z.boolean().meta({ description: 'It is in the file.' }),
  })
  .meta({ id: 'Changed' });

const configSchema = z
  .strictObject({
    revision: z.string(),
    text: z.string().meta({ description: 'The running configuration, as a file would have it.' }),
    drift: z
      .array(
        z.strictObject({
          kind: z.enum(['added', 'removed', 'changed']),
          path: z.string(),
          file: z.string(),
          running: z.string(),
        }),
      )
      .meta({ description: 'Where it is not what the file said when it was last read.' }),
    refused: z
      .strictObject({
        time: z.iso.datetime(),
        message: z.string(),
        problems: z.array(
          problemSchema.extend({
            source: z.string().meta({ description: 'The line of the file.' }),
          }),
        ),
      })
      .nullable()
      .meta({ description: 'What the last reload found wrong with the file; null: nothing.' }),
  })
  .meta({ id: 'Config' });

export function withoutFile(context: Context): Response {
  const why = 'there is no file: the program that embeds sluice configures it';
  return refuse(context, 409, 'SLUICE_ADMIN_FILE', why);
}

/** The revision that a client means to change; null: whichever. */
export function wantedRevision(context: Context): string | null {
  const header = context.req.header('if-match')?.trim();
  return header === undefined || header === '*' ? null : header.replace(/^W\/|"/g, '');
}

function refusedAnswer(refused: RefusedFile | null) {
  if (refused === null) return null;
  const { time, message, problems } = refused;
  return { time: time.toISOString(), message, problems: problems.slice(0, problemsMax) };
}

export function changeAnswer(
  context: Context,
  outcome: ChangeOutcome,
  { revision }: ConfigControl,
  unknown: string,
): Response {
  context.header('etag', `"${revision}"`);
  switch (outcome.kind) {
    case 'applied': {
      const { generation, persisted } = outcome;
      return context.json({ generation, revision, persisted });
    }
    case 'stale': {
      const why = `the configuration has the revision ${revision} by now`;
      return refuse(context, 412, 'SLUICE_ADMIN_STALE', why);
    }
    case 'unknown':
      return refuse(context, 404, 'SLUICE_ADMIN_NAME', unknown);
    case 'invalid': {
      const { message, problems } = outcome;
      return refuse(context, 422, 'SLUICE_ADMIN_CHANGE', message, problems);
    }
    case 'unwritable':
      return refuse(context, 409, 'SLUICE_ADMIN_FILE', outcome.message);
  }
}

export function addConfigRoutes(api: Api, { changes }: AdminSource): void {
  api.add(
    {
      // The text may have what only an administrator should see, such as what probes send.
      role: 'admin',
      method: 'get',
      path: '/api/v1/config',
      operationId: 'getConfig',
      summary: 'The running configuration, and where it differs from the file',
      responses: {
        200: {
          description: 'The configuration, with its revision as etag.',
          content: { 'application/json': { schema: configSchema } },
        },
      },
    },
    (context) => {
      if (changes === null) return withoutFile(context);
      const { revision, text } = changes;
      context.header('etag', `"${revision}"`);
      return context.json({
        revision,
        text,
        drift: changes.drift(),
        refused: refusedAnswer(changes.refused),
      });
    },
  );

  api.add(
    {
      role: 'admin',
      method: 'post',
      path: '/api/v1/reload',
      operationId: 'reload',
      summary: 'Read the file again; what was changed at run time and not kept is gone',
      request: { body: bodyOf(nothing) },
      responses: {
        200: {
          description: 'Every worker serves what the file says.',
          content: { 'application/json': { schema: changedSchema } },
        },
      },
    },
    async (context) => {
      if (changes === null) return withoutFile(context);
      return changeAnswer(context, await changes.reload(), changes, '');
    },
  );
}
