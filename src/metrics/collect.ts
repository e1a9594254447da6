// Collect: one Status in, families of samples out, each made when it is asked for: a scrape of
// thousands of targets is never in memory as a whole. Pure, so that every metric can be tested
// without a scrape.
import type { CounterDescription } from '../engine/engine.js';
import type { CounterValues, Status } from '../model/status.js';
import { type CounterMetric, counterMetric, type Subject } from './catalog.js';
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
  /** May be walked once. */
  readonly samples: Iterable<Sample>;
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

/** One of those that a metric is told of, with the labels that name it. */
interface Labelled<T> {
  readonly labels: Labels;
  readonly subject: T;
}

function* stateFamilies<T>(
  metrics: readonly StateMetric<T>[],
  subjects: readonly Labelled<T>[],
): Generator<MetricFamily> {
  for (const { name, type, help, samples } of metrics) {
    yield { name, type, help, samples: stateSamples(subjects, samples) };
  }
}

function* stateSamples<T>(
  subjects: readonly Labelled<T>[],
  samplesOf: StateMetric<T>['samples'],
): Generator<Sample> {
  for (const { labels, subject } of subjects) {
    for (const sample of samplesOf(subject)) {
      yield { ...sample, labels: { ...labels, ...sample.labels } };
    }
  }
}

function* counterFamilies(
  kind: Subject,
  descriptions: readonly CounterDescription[],
  subjects: readonly Labelled<{ readonly totals: CounterValues }>[],
): Generator<MetricFamily> {
  const metrics = descriptions.map((description) => counterMetric(kind, description));
  for (const name of new Set(metrics.map(({ metric }) => metric))) {
    const folded = metrics.filter(({ metric }) => metric === name);
    const [first] = folded;
    if (first === undefined) continue;
    const { type, help } = first;
    yield { name, type, help, samples: counterSamples(subjects, folded) };
  }
}

function* counterSamples(
  subjects: readonly Labelled<{ readonly totals: CounterValues }>[],
  metrics: readonly CounterMetric[],
): Generator<Sample> {
  for (const { labels, subject } of subjects) {
    for (const { counter, label, scale } of metrics) {
      const all = label ? { ...labels, [label.name]: label.value } : labels;
      yield { labels: all, value: (subject.totals[counter] ?? 0) * scale };
    }
  }
}

/** Every metric of one moment, families in a stable order. */
export function* collect(
  status: Status,
  catalog: CounterCatalog,
  build: BuildInfo,
): Generator<MetricFamily> {
  const versions = { version: build.version, node_version: build.nodeVersion };
  yield {
    name: 'sluice_build_info',
    type: 'gauge',
    help: 'Always 1; the labels tell the versions',
    samples: [{ labels: versions, value: 1 }],
  };
  yield* stateFamilies(processMetrics, [{ labels: {}, subject: status }]);

  const workers = status.workers.map((subject) => ({
    labels: { worker: String(subject.index) },
    subject,
  }));
  yield* counterFamilies('worker', catalog.workerCounters, workers);

  const listeners = status.listeners.map((subject) => ({
    labels: { listener: subject.name, protocol: subject.protocol },
    subject,
  }));
  yield* stateFamilies(listenerMetrics, listeners);
  yield* counterFamilies('listener', catalog.listenerCounters, listeners);

  const pools = status.pools.map((subject) => ({ labels: { pool: subject.name }, subject }));
  yield* stateFamilies(poolMetrics, pools);
  yield* counterFamilies('pool', catalog.poolCounters, pools);

  const targets = status.pools.flatMap((pool) =>
    pool.targets.map((subject) => ({
      labels: { pool: pool.name, target: subject.name },
      subject,
    })),
  );
  yield* stateFamilies(targetMetrics, targets);
  yield* counterFamilies('target', catalog.targetCounters, targets);
}
