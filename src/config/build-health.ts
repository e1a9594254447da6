// A health check of the right shape to the model: one case per kind.

import type { CheckBasics, HealthCheck } from '../model/health-check.js';
import type { Protocol } from '../model/listener.js';
import { defaults } from './defaults.js';
import { defaultProbe } from './health-rules.js';
import { acceptedValue } from './parsed.js';
import type { FileConfig } from './schema.js';
import { parseDuration } from './units.js';

type FileHealth = FileConfig['pools'][string]['health'];
type FileHealthMap = Exclude<FileHealth, string | undefined>;

function ms(text: string): number {
  return acceptedValue(parseDuration(text));
}

function basics(file: FileHealthMap): CheckBasics {
  const intervalMs = ms(file.interval ?? defaults.health.interval);
  const timeoutMaxMs = ms(defaults.health.timeoutMax);
  return {
    intervalMs,
    fastIntervalMs: file.fast_interval === undefined ? intervalMs : ms(file.fast_interval),
    downIntervalMs: file.down_interval === undefined ? intervalMs : ms(file.down_interval),
    timeoutMs: file.timeout === undefined ? Math.min(intervalMs, timeoutMaxMs) : ms(file.timeout),
    rise: file.rise ?? defaults.health.rise,
    fall: file.fall ?? defaults.health.fall,
    jitter: file.jitter ?? defaults.health.jitter,
    initial: file.initial ?? defaults.health.initial,
    port: file.port ?? 0,
  };
}

export function buildHealth(file: FileHealth, protocols: ReadonlySet<Protocol>): HealthCheck {
  const full = typeof file === 'object' ? file : file === undefined ? {} : { type: file };
  const kind = full.type ?? defaultProbe(protocols);
  const common = basics(full);
  switch (kind) {
    case 'tcp':
    case 'ping':
    case 'memcached':
    case 'none':
      return { ...common, kind };
  }
}
