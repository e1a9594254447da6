// Guard: who may ask what, decided before a request has been looked at, and the record of every
// change. What it is told of a request is never its body's word.
import type { Context, MiddlewareHandler } from 'hono';
import type { Clock } from '../clock.js';
import type { Logger } from '../log/logger.js';
import type { AdminConfig, AdminRole, AdminToken } from '../model/config.js';
import type { ApiRoute, Guard } from './api.js';
import { FailureLimiter } from './failure-limiter.js';
import { refuse } from './refusal.js';
import { findToken } from './token.js';

/** What only this machine can reach. */
export type AdminReach = 'loopback' | 'unix' | 'network';

export interface GuardOptions {
  readonly reach: AdminReach;
  /** As the configuration in force has them. */
  readonly access: () => Pick<AdminConfig, 'tokens' | 'hosts'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Logger;
}

export interface AccessGuard {
  /** Of every path. */
  readonly host: MiddlewareHandler;
  /** Of what is no operation of the API. */
  readonly read: MiddlewareHandler;
  readonly route: Guard;
}

/** How a browser may name an admin API on loopback; any other name is a rebinding. */
const localName = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i;

type Verdict =
  | { readonly who: string; readonly refusal?: never }
  | { readonly who: string | null; readonly refusal: Response };

export function createGuard(options: GuardOptions): AccessGuard {
  const limiter = new FailureLimiter(options.clock);

  const judge = (context: Context, role: AdminRole): Verdict => {
    const { reach, access, log } = options;
    const { tokens } = access();
    if (tokens.length === 0) {
      if (reach !== 'network') return { who: reach };
      const why = 'there are no tokens, and so only the machine itself is answered';
      return { who: null, refusal: refuse(context, 403, 'SLUICE_ADMIN_REMOTE', why) };
    }
    const source = sourceOf(context, reach);
    const waitMs = limiter.waitMs(source);
    if (waitMs > 0) {
      context.header('retry-after', String(Math.ceil(waitMs / 1000)));
      const why = 'too many wrong tokens from this address';
      return { who: null, refusal: refuse(context, 429, 'SLUICE_ADMIN_THROTTLED', why) };
    }
    const token = tokenOf(context, tokens);
    if (token === 'none' || token === 'wrong') {
      if (token === 'wrong') {
        limiter.failed(source);
        log.event('admin_token_refused', { source, path: context.req.path });
      }
      context.header('www-authenticate', 'Bearer realm="sluice"');
      const why = token === 'none' ? 'a token is needed' : 'this token is not known';
      return { who: null, refusal: refuse(context, 401, 'SLUICE_ADMIN_TOKEN', why) };
    }
    if (role === 'read' || token.role === 'admin') return { who: token.name };
    const why = `the token ${token.name} may not change anything`;
    return { who: token.name, refusal: refuse(context, 403, 'SLUICE_ADMIN_ROLE', why) };
  };

  const read: MiddlewareHandler = async (context, next) => {
    const verdict = judge(context, 'read');
    return verdict.refusal ?? (await next());
  };

  return { host: hostGuard(options), read, route: (route) => routeGuard(route, judge, options) };
}

/**
 * On loopback a request whose Host is another name comes from a web page that had its own name
 * resolved to this machine (DNS rebinding). Elsewhere names count where some are configured.
 */
function hostGuard({ reach, access }: GuardOptions): MiddlewareHandler {
  return async (context, next) => {
    const { hosts } = access();
    const name = (context.req.header('host') ?? 'localhost').replace(/:\d+$/, '').toLowerCase();
    const isKnown = localName.test(name) || hosts.some((host) => host.toLowerCase() === name);
    if (!isKnown && (reach === 'loopback' || (reach === 'network' && hosts.length > 0))) {
      return refuse(context, 403, 'SLUICE_ADMIN_HOST', 'this Host is not allowed');
    }
    return await next();
  };
}

function routeGuard(
  route: ApiRoute,
  judge: (context: Context, role: AdminRole) => Verdict,
  { reach, log }: GuardOptions,
): MiddlewareHandler {
  const { role, operationId, method } = route;
  return async (context, next) => {
    const { who, refusal } = judge(context, role);
    if (method === 'get') return refusal ?? (await next());
    const refused = refusal ?? foreignPage(context);
    if (refused === null) await next();
    // Who is nobody has its own event, and not more of them than the limiter lets through.
    if (who === null) return refusal;
    log.event('admin_change', {
      who,
      source: sourceOf(context, reach),
      operation: operationId,
      path: context.req.path,
      // Only what has the form that the operation takes, and so nothing that was sent by mistake.
      change: JSON.stringify(context.req.valid('json' as never) ?? {}),
      status: (refused ?? context.res).status,
    });
    return refused ?? undefined;
  };
}

/**
 * A browser says where a request comes from. The type of the body keeps out what is too old for
 * that: a page may send JSON to another origin only after asking, and is not answered.
 */
function foreignPage(context: Context): Response | null {
  const site = context.req.header('sec-fetch-site');
  const origin = context.req.header('origin');
  const host = context.req.header('host') ?? '';
  const isOwn = origin === undefined || origin.replace(/^https?:\/\//, '') === host;
  if (!isOwn || (site !== undefined && site !== 'same-origin' && site !== 'none')) {
    return refuse(context, 403, 'SLUICE_ADMIN_ORIGIN', 'a page of another origin asks');
  }
  // Which no page may ask of another origin unasked.
  if (context.req.method === 'DELETE') return null;
  const type = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return null;
  return refuse(context, 415, 'SLUICE_ADMIN_REQUEST', 'the body is not application/json');
}

function tokenOf(context: Context, tokens: readonly AdminToken[]): AdminToken | 'none' | 'wrong' {
  const header = context.req.header('authorization');
  if (header === undefined) return 'none';
  const [, presented = ''] = /^Bearer +([\w.~+/=-]+)$/i.exec(header) ?? [];
  return findToken(presented, tokens) ?? 'wrong';
}

/** The client's address, as its socket has it. */
function sourceOf({ env }: Context, reach: AdminReach): string {
  if (reach === 'unix') return 'unix';
  const bindings = env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined;
  return bindings?.incoming?.socket?.remoteAddress ?? '';
}
