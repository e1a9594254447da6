// GET /healthz, /readyz and /metrics: what other programs look for at these places, as text.
import { Readable } from 'node:stream';
import { accepts } from 'hono/accepts';
import { collect } from '../metrics/collect.js';
import { metricFormats, renderMetrics } from '../metrics/prometheus.js';
import type { AdminSource } from './admin-source.js';
import type { AdminApp } from './api.js';

export const plainPaths = ['/healthz', '/readyz', '/metrics'] as const;

export function addPlainRoutes(app: AdminApp, source: AdminSource): void {
  app.get('/healthz', (context) => context.text('ok\n'));

  app.get('/readyz', (context) => {
    const { ready, missing } = source.readiness();
    return ready
      ? context.text('ready\n')
      : context.text(`not ready: ${missing.join(', ')}\n`, 503);
  });

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
}
