// Routes of the admin API, as a pure web application: requests in, responses out, no socket.
// /healthz, /readyz and /metrics are where everybody looks for them; all else is below /api/v1.
import type { AdminSource } from './admin-source.js';
import { type AdminApp, createApi, createApiApp, methodsOf } from './api.js';
import { createGuard } from './guard.js';
import { addListenerRoutes } from './listener-routes.js';
import { addPlainRoutes, plainPaths } from './plain-routes.js';
import { addPoolRoutes } from './pool-routes.js';
import { refuse } from './refusal.js';
import { addStatusRoutes } from './status-routes.js';
import { addTargetRoutes } from './target-routes.js';
import { addTargetWishRoutes } from './target-wish-routes.js';

/** How a browser may name an admin API on loopback; any other name is a rebinding. */
const localName = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;

/**
 * `localOnly`: the API listens on loopback, so a request whose Host is another name comes from a
 * web page that had its own name resolved to this machine (DNS rebinding), and is refused.
 * `trusted`: see createGuard.
 */
export function adminRoutes(source: AdminSource, localOnly: boolean, trusted: boolean): AdminApp {
  const app = createApiApp();

  app.use('*', async (context, next) => {
    const host = context.req.header('host') ?? 'localhost';
    if (localOnly && !localName.test(host)) {
      return refuse(context, 403, 'SLUICE_ADMIN_HOST', 'this Host is not allowed');
    }
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
    return await next();
  });

  addPlainRoutes(app, source);

  const api = createApi(app, source.build.version, createGuard(trusted));
  addStatusRoutes(api, source);
  addListenerRoutes(api, source);
  addPoolRoutes(api, source);
  addTargetRoutes(api, source);
  addTargetWishRoutes(api, source);

  const operations = [
    ...plainPaths.map((path) => `GET ${path}`),
    ...api.routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`),
  ];
  app.get('/', (context) =>
    context.text(`sluice ${source.build.version}\n${operations.join('\n')}\n`),
  );
  app.notFound((context) => {
    const { method, path } = context.req;
    const methods = methodsOf(app, path);
    if (methods.length === 0) {
      const message = `there is nothing at ${path}; GET / lists what there is`;
      return refuse(context, 404, 'SLUICE_ADMIN_PATH', message);
    }
    context.header('allow', methods.join(', '));
    const message = `${path} takes ${methods.join(', ')}, not ${method}`;
    return refuse(context, 405, 'SLUICE_ADMIN_PATH', message);
  });
  return app;
}
