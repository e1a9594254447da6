// Prometheus: families of samples in, the text exposition format out, by the client library.
import { Counter, Gauge, Registry } from 'prom-client';
import type { MetricFamily } from './collect.js';

export const prometheusContentType = Registry.PROMETHEUS_CONTENT_TYPE;

/** Renders with a registry of its own, so that two sluices in one process never mix. */
export async function renderPrometheus(families: readonly MetricFamily[]): Promise<string> {
  const registry = new Registry();
  for (const { name, help, type, samples } of families) {
    const labelNames = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))];
    const settings = { name, help, labelNames, registers: [registry] };
    if (type === 'counter') {
      const counter = new Counter(settings);
      for (const { labels, value } of samples) counter.inc(labels, value);
    } else {
      const gauge = new Gauge(settings);
      for (const { labels, value } of samples) gauge.set(labels, value);
    }
  }
  return await registry.metrics();
}
