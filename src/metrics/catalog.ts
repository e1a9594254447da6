// The catalog of metrics: which counter of the engine becomes which Prometheus metric. Counters
// are defined once, in native/shared/counters.h; a new one appears here by itself under the default
// rule, and the special rules below only fold families together and turn units into base units.
import type { CounterDescription } from '../engine/engine.js';

/** Where one counter's value goes. */
export interface CounterMetric {
  readonly counter: string;
  readonly metric: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  /** A fixed label that tells this counter from its siblings in the same metric. */
  readonly label: { readonly name: string; readonly value: string } | null;
  /** Multiplies the counter's value into the metric's base unit. */
  readonly scale: number;
}

export type Subject = 'worker' | 'listener' | 'target' | 'pool';

interface Fold {
  readonly prefix: string;
  readonly metric: string;
  readonly label: string;
  readonly help: string;
}

const folds: Readonly<Record<Subject, readonly Fold[]>> = {
  worker: [],
  pool: [],
  listener: [
    {
      prefix: 'datagrams_dropped_',
      metric: 'datagrams_dropped',
      label: 'reason',
      help: 'Datagrams that were not forwarded, by reason',
    },
  ],
  target: [
    {
      prefix: 'connect_failed_',
      metric: 'connect_failures',
      label: 'reason',
      help: 'Connects to the target that failed, by reason',
    },
    {
      prefix: 'connect_',
      metric: 'connect_failures',
      label: 'reason',
      help: 'Connects to the target that failed, by reason',
    },
  ],
};

/** Counters that go up and down. */
const gauges: Readonly<Record<Subject, ReadonlySet<string>>> = {
  worker: new Set(['connections_open', 'sessions_open', 'stashes_in_use', 'pipes_in_use']),
  listener: new Set(['connections_waiting']),
  target: new Set(),
  pool: new Set(),
};

export function counterMetric(subject: Subject, description: CounterDescription): CounterMetric {
  const { name, unit, help } = description;
  if (unit === 'microseconds') {
    const metric = `sluice_${subject}_${name.replace(/_us$/, '')}_seconds_total`;
    return { counter: name, metric, help, type: 'counter', label: null, scale: 1e-6 };
  }
  if (gauges[subject].has(name)) {
    const metric = `sluice_${subject}_${name}`;
    return { counter: name, metric, help, type: 'gauge', label: null, scale: 1 };
  }
  const fold = folds[subject].find(({ prefix }) => name.startsWith(prefix));
  if (fold) {
    return {
      counter: name,
      metric: `sluice_${subject}_${fold.metric}_total`,
      help: fold.help,
      type: 'counter',
      label: { name: fold.label, value: name.slice(fold.prefix.length) },
      scale: 1,
    };
  }
  const metric = `sluice_${subject}_${name}_total`;
  return { counter: name, metric, help, type: 'counter', label: null, scale: 1 };
}
