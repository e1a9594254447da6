// Prometheus: families of samples in, the text exposition format out, piece by piece, by the client
// library. The format is the older text format, or OpenMetrics for who asks for it.
import { setImmediate } from 'node:timers/promises';
import { Gauge, Registry } from 'prom-client';
import type { MetricFamily } from './collect.js';
import type { Sample } from './state-metrics.js';

export const metricFormats = {
  prometheus: Registry.PROMETHEUS_CONTENT_TYPE,
  openMetrics: Registry.OPENMETRICS_CONTENT_TYPE,
} as const;

export type MetricFormat = keyof typeof metricFormats;

type AnyRegistry = Registry<(typeof metricFormats)[MetricFormat]>;

/** Probes wait while samples are printed: some 10 ms, then the event loop turns. */
const samplesPerTurnMax = 4096;

/** The library counts by itself; what this one prints has been counted by the engine. */
class CountedMetric extends Gauge {
  readonly #family: MetricFamily;
  readonly #samples: readonly Sample[];

  constructor(family: MetricFamily, samples: readonly Sample[], registry: AnyRegistry) {
    super({ name: family.name, help: family.help, registers: [registry] });
    this.#family = family;
    this.#samples = samples;
  }

  /** What the registry prints of a metric that has it, as the library's own histogram has. */
  async getForPromString() {
    const { name, help, type } = this.#family;
    const values = this.#samples.map(({ labels, value, part }) => ({
      labels,
      value,
      metricName: `${name}${part ?? ''}`,
    }));
    return { name, help, type, values };
  }
}

/** In OpenMetrics a counter is named without `_total`, which the library adds to its samples. */
function named(family: MetricFamily, format: MetricFormat): MetricFamily {
  if (format === 'prometheus' || family.type !== 'counter') return family;
  return { ...family, name: family.name.replace(/_total$/, '') };
}

function* inPortions<T>(items: Iterable<T>, sizeMax: number): Generator<readonly T[]> {
  let portion: T[] = [];
  for (const item of items) {
    portion.push(item);
    if (portion.length < sizeMax) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}

/** Never more than a portion of samples is rendered in one turn of the event loop. */
export async function* renderMetrics(
  families: Iterable<MetricFamily>,
  format: MetricFormat,
): AsyncGenerator<string> {
  let rendered = 0;
  for (const original of families) {
    const family = named(original, format);
    let first = true;
    for (const portion of inPortions(family.samples, samplesPerTurnMax)) {
      const registry: AnyRegistry = new Registry();
      registry.setContentType(metricFormats[format]);
      new CountedMetric(family, portion, registry);
      const lines = (await registry.metrics()).split('\n').filter(isLine);
      // The lines of help and type come once, before the first sample.
      yield `${(first ? lines : lines.slice(2)).join('\n')}\n`;
      first = false;
      rendered += portion.length;
      if (rendered < samplesPerTurnMax) continue;
      rendered = 0;
      await setImmediate();
    }
  }
  if (format === 'openMetrics') yield `${end}\n`;
}

/** What the library ends each of its texts with is said once, by us. */
const end = '# EOF';
const isLine = (line: string): boolean => line !== '' && line !== end;
