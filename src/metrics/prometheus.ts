// Prometheus: families of samples in, the text exposition format out, by the client library.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricFamily } from './collect.js';

export const prometheusContentType = Registry.PROMETHEUS_CONTENT_TYPE;

/** The library's histogram counts by itself; this one has been counted by the engine. */
class CountedHistogram extends Histogram {
  readonly #family: MetricFamily;

  constructor(family: MetricFamily, registry: Registry) {
    super({ name: family.name, help: family.help, registers: [registry] });
    this.#family = family;
  }

  /** What the registry prints of a metric that has it, as the library's own histogram has. */
  async getForPromString() {
    const { name, help, samples } = this.#family;
    const values = samples.map(({ labels, value, part }) => ({
      labels,
      value,
      metricName: `${name}${part ?? ''}`,
    }));
    return { name, help, type: 'histogram', values };
  }
}

/** Renders with a registry of its own, so that two sluices in one process never mix. */
export async function renderPrometheus(families: readonly MetricFamily[]): Promise<string> {
  const registry = new Registry();
  for (const family of families) {
    const { name, help, type, samples } = family;
    if (type === 'histogram') {
      new CountedHistogram(family, registry);
      continue;
    }
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
