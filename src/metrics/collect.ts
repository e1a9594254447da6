// Collect: one Status in, families of samples out. Pure, so that every metric can be tested
// without a scrape.
import type { CounterDescription } from '../engine/engine.js';
import type { CounterValues, Status } from '../model/status.js';
import { counterMetric, type Subject } from './catalog.js';
import {
  listenerMetrics,
  poolMetrics,
  processMetrics,
  type Sample,
  type StateMetric,
  targetMetrics,
} from './state-metrics.js';

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
}

/** Names, units and help texts of the engine's counters. */
export interface CounterCatalog {
  readonly workerCounters: readonly CounterDescription[];
  readonly listenerCounters: readonly CounterDescription[];
  readonly targetCounters: readonly CounterDescription[];
  readonly poolCounters: readonly CounterDescription[];
}

export interface BuildInfo {
  readonly version: string;
  readonly nodeVersion: string;
}

type Labels = Readonly<Record<string, string>>;
type Families = Map<string, MetricFamily & { readonly samples: Sample[] }>;

function addSample(
  families: Families,
  { name, type, help }: Pick<MetricFamily, 'name' | 'type' | 'help'>,
  sample: Sample,
): void {
  const family = families.get(name);
  if (family) family.samples.push(sample);
  else families.set(name, { name, type, help, samples: [sample] });
}

function addState<T>(
  families: Families,
  metrics: readonly StateMetric<T>[],
  labels: Labels,
  subject: T,
): void {
  for (const metric of metrics) {
    for (const sample of metric.samples(subject)) {
      addSample(families, metric, { ...sample, labels: { ...labels, ...sample.labels } });
    }
  }
}

/** Resolves the catalog's rules once, so that a scrape of thousands of targets only multiplies. */
function counterAdder(subject: Subject, descriptions: readonly CounterDescription[]) {
  const metrics = descriptions.map((description) => counterMetric(subject, description));
  return (families: Families, labels: Labels, totals: CounterValues): void => {
    for (const { counter, metric, help, type, label, scale } of metrics) {
      const value = (totals[counter] ?? 0) * scale;
      const all = label ? { ...labels, [label.name]: label.value } : labels;
      addSample(families, { name: metric, type, help }, { labels: all, value });
    }
  };
}

/** Every metric of one moment, families in a stable order. */
export function collect(
  status: Status,
  catalog: CounterCatalog,
  build: BuildInfo,
): readonly MetricFamily[] {
  const families: Families = new Map();
  addSample(
    families,
    {
      name: 'sluice_build_info',
      type: 'gauge',
      help: 'Always 1; the labels tell the versions',
    },
    { labels: { version: build.version, node_version: build.nodeVersion }, value: 1 },
  );
  addState(families, processMetrics, {}, status);

  const addWorker = counterAdder('worker', catalog.workerCounters);
  for (const { index, totals } of status.workers) {
    addWorker(families, { worker: String(index) }, totals);
  }
  const addListener = counterAdder('listener', catalog.listenerCounters);
  for (const listener of status.listeners) {
    const labels = { listener: listener.name, protocol: listener.protocol };
    addState(families, listenerMetrics, labels, listener);
    addListener(families, labels, listener.totals);
  }
  const addTarget = counterAdder('target', catalog.targetCounters);
  const addPool = counterAdder('pool', catalog.poolCounters);
  for (const pool of status.pools) {
    addState(families, poolMetrics, { pool: pool.name }, pool);
    addPool(families, { pool: pool.name }, pool.totals);
    for (const target of pool.targets) {
      const labels = { pool: pool.name, target: target.name };
      addState(families, targetMetrics, labels, target);
      addTarget(families, labels, target.totals);
    }
  }
  return [...families.values()];
}
