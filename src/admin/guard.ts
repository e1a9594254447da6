// Guard: who may ask what, decided before a request has been looked at.
import type { Guard } from './api.js';
import { refuse } from './refusal.js';

/**
 * `trusted`: only this machine can reach the API (loopback, a unix socket). Elsewhere changes are
 * refused, because the API does not ask who somebody is. The type of the body keeps web pages out:
 * a browser sends JSON to another origin only after asking, and is not answered.
 */
export function createGuard(trusted: boolean): Guard {
  return ({ role }) =>
    async (context, next) => {
      if (role === 'admin') {
        if (!trusted) {
          const why = 'changes are taken on loopback and on unix sockets only';
          return refuse(context, 403, 'SLUICE_ADMIN_REMOTE', why);
        }
        const type = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
        if (type !== 'application/json') {
          return refuse(context, 415, 'SLUICE_ADMIN_REQUEST', 'the body is not application/json');
        }
      }
      return await next();
    };
}
