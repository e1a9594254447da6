// Routes that change what becomes of a target: enable, disable, drain. As adminRoutes, no socket.
import type { Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import type { ErrorCode } from '../errors.js';
import type { DrainOutcome, DrainRules } from '../model/drain.js';
import type { AdminState } from '../model/target.js';

/** What an operator may do to targets. */
export interface TargetControl {
  /** Resolves when every worker knows; false: there is no such target. */
  setAdminState(pool: string, target: string, state: AdminState): Promise<boolean>;
  /**
   * The target takes no new clients. Resolves when every worker knows, null: there is no such
   * target. What `rules` leaves open is as the pool has it.
   */
  drain(
    pool: string,
    target: string,
    rules: Partial<DrainRules>,
  ): Promise<{ readonly finished: Promise<DrainOutcome> } | null>;
}

const bodyBytesMax = 16_384;
/** As long as durations of the file may be. */
const durationMs = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const place = { pool: z.string(), target: z.string() };
const placeBody = z.strictObject(place);
const drainBody = z.strictObject({
  ...place,
  deadlineMs: durationMs.nullable().optional(),
  closeOverMs: durationMs.optional(),
  wait: z.boolean().optional(),
});

const refuse = (context: Context, status: 400 | 403 | 404 | 415, code: ErrorCode, error: string) =>
  context.json({ error, code }, status);

/**
 * `trusted`: only this machine can reach the API (loopback, a unix socket). Elsewhere changes are
 * refused, because the API does not ask who somebody is. The type of the body keeps web pages out:
 * a browser sends JSON to another origin only after asking, and is not answered.
 */
export function targetRoutes(app: Hono, control: TargetControl, trusted: boolean): void {
  const changes = ['/targets/enable', '/targets/disable', '/targets/drain'];
  for (const path of changes) {
    app.use(
      path,
      bodyLimit({
        maxSize: bodyBytesMax,
        onError: (context) =>
          refuse(context, 400, 'SLUICE_ADMIN_REQUEST', `more than ${bodyBytesMax} bytes`),
      }),
      async (context, next) => {
        if (!trusted) {
          const why = 'changes are taken on loopback and on unix sockets only';
          return refuse(context, 403, 'SLUICE_ADMIN_REMOTE', why);
        }
        const type = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
        if (context.req.method === 'POST' && type !== 'application/json') {
          return refuse(context, 415, 'SLUICE_ADMIN_REQUEST', 'the body is not application/json');
        }
        await next();
      },
    );
  }

  for (const [path, adminState] of [
    ['/targets/enable', 'enabled'],
    ['/targets/disable', 'disabled'],
  ] as const) {
    app.post(path, async (context) => {
      const body = await readBody(context, placeBody);
      if (!body.ok) return refuse(context, 400, 'SLUICE_ADMIN_REQUEST', body.error);
      const { pool, target } = body.value;
      const found = await control.setAdminState(pool, target, adminState);
      return found ? context.json({ pool, target, adminState }) : unknown(context, pool, target);
    });
  }

  app.post('/targets/drain', async (context) => {
    const body = await readBody(context, drainBody);
    if (!body.ok) return refuse(context, 400, 'SLUICE_ADMIN_REQUEST', body.error);
    const { pool, target, deadlineMs, closeOverMs, wait } = body.value;
    const rules = {
      ...(deadlineMs !== undefined && { deadlineMs }),
      ...(closeOverMs !== undefined && { closeOverMs }),
    };
    const drain = await control.drain(pool, target, rules);
    if (drain === null) return unknown(context, pool, target);
    const adminState = 'draining';
    if (wait !== true) return context.json({ pool, target, adminState });
    return context.json({ pool, target, adminState, ...(await drain.finished) });
  });
}

function unknown(context: Context, pool: string, target: string): Response {
  const message = `there is no target ${JSON.stringify(target)} in a pool ${JSON.stringify(pool)}`;
  return refuse(context, 404, 'SLUICE_ADMIN_TARGET', message);
}

type Body<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: string };

async function readBody<Value>(context: Context, schema: z.ZodType<Value>): Promise<Body<Value>> {
  let raw: unknown;
  try {
    raw = JSON.parse(await context.req.text());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ok: false, error: 'the body is not JSON' };
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return { ok: true, value: parsed.data };
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  return { ok: false, error: `${where === '' ? 'the body' : where}: ${issue?.message ?? ''}` };
}
