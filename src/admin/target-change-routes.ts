// POST, PATCH and DELETE of targets: changes of the configuration at run time, by the rules of the
// file and on its way.
import { z } from 'zod';
import type { ConfigEdit } from '../model/config-change.js';
import type { AdminSource } from './admin-source.js';
import type { Api } from './api.js';
import { changeAnswer, changedSchema, wantedRevision, withoutFile } from './config-routes.js';
import { noPool, noTarget, poolParam, targetParams } from './place.js';
import { refuse } from './refusal.js';
import { bodyOf } from './request-body.js';

const settings = {
  weight: z.int().min(0).max(65_535).optional(),
  maxConnections: z.int().min(0).optional().meta({ description: '0: no limit.' }),
};
const persist = z.boolean().optional().meta({ description: 'Write it to the file, too.' });

const newTarget = z
  .strictObject({
    address: z.string().min(1).max(300).meta({ description: 'As in the file.' }),
    name: z.string().optional().meta({ description: 'By default the address.' }),
    ...settings,
    persist,
  })
  .meta({ id: 'NewTarget' });

const targetChange = z
  .strictObject({ ...settings, persist })
  .meta({ id: 'TargetChange', description: 'What is left out stays.' });

const removal = z.strictObject({ persist: z.enum(['true', 'false']).optional() });

const ifMatch = z.object({
  'if-match': z
    .string()
    .optional()
    .meta({ description: 'The etag of the configuration that is meant to be changed.' }),
});

const changed = {
  200: {
    description: 'Every worker works by it.',
    content: { 'application/json': { schema: changedSchema } },
  },
};

/** Where clouds answer with secrets, and programs listen that trust who reaches them. */
const internal = /^(unix:|169\.254\.|\[(fe[89ab]|::ffff:169\.254\.|::ffff:a9fe:))/i;

/** What was given of weight and limit, and nothing else. */
function settingsOf(body: { weight?: number | undefined; maxConnections?: number | undefined }) {
  const { weight, maxConnections } = body;
  return {
    ...(weight !== undefined && { weight }),
    ...(maxConnections !== undefined && { maxConnections }),
  };
}

export function addTargetChangeRoutes(api: Api, { changes }: AdminSource): void {
  api.add(
    {
      role: 'admin',
      method: 'post',
      path: '/api/v1/pools/{pool}/targets',
      operationId: 'addTarget',
      summary: 'Add a target to a pool',
      request: { params: poolParam, headers: ifMatch, body: bodyOf(newTarget) },
      responses: changed,
    },
    async (context) => {
      if (changes === null) return withoutFile(context);
      const { pool } = context.req.valid('param');
      const { address, name, persist: kept, ...rest } = context.req.valid('json');
      if (internal.test(address)) {
        return refuse(context, 422, 'SLUICE_ADMIN_ADDRESS', `${address} is for the file alone`);
      }
      const named = name === undefined ? {} : { name };
      const edit: ConfigEdit = { kind: 'add', pool, address, ...named, settings: settingsOf(rest) };
      const rules = { revision: wantedRevision(context), persist: kept === true };
      return changeAnswer(context, await changes.change(edit, rules), changes, noPool(pool));
    },
  );

  const path = '/api/v1/pools/{pool}/targets/{target}';
  api.add(
    {
      role: 'admin',
      method: 'patch',
      path,
      operationId: 'changeTarget',
      summary: 'Change the weight or the limit of a target',
      request: { params: targetParams, headers: ifMatch, body: bodyOf(targetChange) },
      responses: changed,
    },
    async (context) => {
      if (changes === null) return withoutFile(context);
      const { pool, target } = context.req.valid('param');
      const { persist: kept, ...rest } = context.req.valid('json');
      const edit: ConfigEdit = { kind: 'set', pool, target, settings: settingsOf(rest) };
      const rules = { revision: wantedRevision(context), persist: kept === true };
      const outcome = await changes.change(edit, rules);
      return changeAnswer(context, outcome, changes, noTarget(pool, target));
    },
  );

  api.add(
    {
      role: 'admin',
      method: 'delete',
      path,
      operationId: 'removeTarget',
      summary: 'Remove a target; its connections may end as at a reload without it',
      request: { params: targetParams, headers: ifMatch, query: removal },
      responses: changed,
    },
    async (context) => {
      if (changes === null) return withoutFile(context);
      const { pool, target } = context.req.valid('param');
      const kept = context.req.valid('query').persist === 'true';
      const rules = { revision: wantedRevision(context), persist: kept };
      const outcome = await changes.change({ kind: 'remove', pool, target }, rules);
      return changeAnswer(context, outcome, changes, noTarget(pool, target));
    },
  );
}
