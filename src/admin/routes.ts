// Routes of the admin API, as a pure web application: requests in, responses out, no socket.
import { Readable } from 'node:stream';
import { Hono } from 'hono';
import { accepts } from 'hono/accepts';
import type { BuildInfo, CounterCatalog } from '../metrics/collect.js';
import { collect } from '../metrics/collect.js';
import { metricFormats, renderMetrics } from '../metrics/prometheus.js';
import type { Status } from '../model/status.js';
import { type TargetControl, targetRoutes } from './target-routes.js';

/** Whether new clients should be sent here, and what is missing if not. */
export interface Readiness {
  readonly ready: boolean;
  readonly missing: readonly string[];
}

/** What the admin API may ask of the rest of sluice. */
export interface AdminSource {
  readonly build: BuildInfo;
  readonly counters: CounterCatalog;
  status(): Status;
  readiness(): Readiness;
  readonly targets: TargetControl;
}

/** How a browser may name an admin API on loopback; any other name is a rebinding. */
const localName = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;

/**
 * `localOnly`: the API listens on loopback, so a request whose Host is another name comes from a
 * web page that had its own name resolved to this machine (DNS rebinding), and is refused.
 * `trusted`: see targetRoutes.
 */
export function adminRoutes(source: AdminSource, localOnly: boolean, trusted: boolean): Hono {
  const app = new Hono();

  app.use('*', async (context, next) => {
    const host = context.req.header('host') ?? 'localhost';
    if (localOnly && !localName.test(host)) {
      return context.json({ error: 'this Host is not allowed', code: 'SLUICE_ADMIN_HOST' }, 403);
    }
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
    await next();
  });

  app.get('/healthz', (context) => context.text('ok\n'));

  app.get('/readyz', (context) => {
    const { ready, missing } = source.readiness();
    return ready
      ? context.text('ready\n')
      : context.text(`not ready: ${missing.join(', ')}\n`, 503);
  });

  app.get('/status', (context) =>
    context.json({ version: source.build.version, ...source.readiness(), ...source.status() }),
  );

  app.get('/metrics', (context) => {
    const wanted = accepts(context, {
      header: 'Accept',
      supports: ['text/plain', 'application/openmetrics-text'],
      default: 'text/plain',
    });
    const format = wanted === 'text/plain' ? 'prometheus' : 'openMetrics';
    const families = collect(source.status(), source.counters, source.build);
    const text = Readable.from(renderMetrics(families, format));
    return context.body(Readable.toWeb(text), 200, { 'content-type': metricFormats[format] });
  });

  targetRoutes(app, source.targets, trusted);

  const paths = [...new Set(app.routes.map(({ path }) => path))].filter((path) => path !== '/*');
  app.get('/', (context) => context.text(`sluice ${source.build.version}\n${paths.join('\n')}\n`));
  app.notFound((context) =>
    context.json({ error: `no such path; there are ${paths.join(', ')}` }, 404),
  );
  return app;
}
