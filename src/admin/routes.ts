// Routes of the admin API, as a pure web application: requests in, responses out, no socket.
// /healthz, /readyz and /metrics are where everybody looks for them; all else is below /api/v1.
import type { AdminSource } from './admin-source.js';
import { type AdminApp, createApi, createApiApp, methodsOf } from './api.js';
import { addCloseRoutes } from './close-routes.js';
import { addConfigRoutes } from './config-routes.js';
import { addDashboardRoutes } from './dashboard-routes.js';
import { addEventRoutes } from './event-routes.js';
import { addExplainRoutes } from './explain-routes.js';
import { type AdminReach, createGuard } from './guard.js';
import { addHistoryRoutes } from './history-routes.js';
import { addListenerRoutes } from './listener-routes.js';
import { addPlainRoutes, plainPaths } from './plain-routes.js';
import { addPoolRoutes } from './pool-routes.js';
import { refuse } from './refusal.js';
import { addStatusRoutes } from './status-routes.js';
import { addTargetChangeRoutes } from './target-change-routes.js';
import { addTargetRoutes } from './target-routes.js';
import { addTargetWishRoutes } from './target-wish-routes.js';

export function adminRoutes(source: AdminSource, reach: AdminReach): AdminApp {
  const app = createApiApp();
  const guard = createGuard({ ...source, reach });

  app.use('*', guard.host, async (context, next) => {
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
    return await next();
  });
  app.use('/metrics', guard.read);

  addPlainRoutes(app, source);

  const api = createApi(app, source.build.version, guard.route);
  addStatusRoutes(api, source);
  addListenerRoutes(api, source);
  addExplainRoutes(api, source);
  addPoolRoutes(api, source);
  addTargetRoutes(api, source);
  addTargetWishRoutes(api, source);
  addCloseRoutes(api, source);
  addTargetChangeRoutes(api, source);
  addConfigRoutes(api, source);
  addHistoryRoutes(api, source);
  addEventRoutes(api, source);

  const operations = [
    ...plainPaths.map((path) => `GET ${path}`),
    ...api.routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`),
  ];
  addDashboardRoutes(app, () => `sluice ${source.build.version}\n${operations.join('\n')}\n`);
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
