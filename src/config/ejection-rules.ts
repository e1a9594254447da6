// Rules about ejecting targets: what contradicts itself, and what could never eject anybody.
import { defaults } from './defaults.js';
import type { Facts, PoolFacts } from './facts.js';
import { isUnprobed } from './health-rules.js';
import { parseDuration } from './units.js';

export function checkEjections(facts: Facts): void {
  for (const pool of facts.pools.values()) {
    checkEjectionTimes(facts, pool);
    checkIdleRules(facts, pool);
  }
}

function checkEjectionTimes(facts: Facts, pool: PoolFacts): void {
  const outlier = pool.draft.outlier;
  // A key that is there and wrong is reported already; then there is nothing to compare with.
  if (outlier === undefined) return;
  for (const key of ['base_ejection_time', 'max_ejection_time'] as const) {
    if (outlier[key] === undefined && Object.hasOwn(outlier, key)) return;
  }
  const baseText = outlier.base_ejection_time ?? defaults.outlier.baseEjectionTime;
  const maxText = outlier.max_ejection_time ?? defaults.outlier.maxEjectionTime;
  const base = parseDuration(baseText);
  const max = parseDuration(maxText);
  if (!base.ok || !max.ok || base.value <= max.value) return;
  const key = outlier.max_ejection_time === undefined ? 'base_ejection_time' : 'max_ejection_time';
  facts.report({
    code: 'SLUICE_CONFIG_CONFLICT',
    path: [...pool.path, 'outlier', key],
    message: `max_ejection_time, ${maxText}, is shorter than base_ejection_time, ${baseText}`,
  });
}

function checkIdleRules(facts: Facts, pool: PoolFacts): void {
  const idle = (path: readonly string[], message: string): void => {
    const code = 'SLUICE_CONFIG_NO_EFFECT';
    facts.report({ severity: 'warning', code, path: [...pool.path, ...path], aim: 'key', message });
  };
  for (const key of ['passive', 'outlier'] as const) {
    if (pool.draft[key] === undefined || pool.targets.length !== 1) continue;
    idle([key], 'the only target of a pool is never taken out by this');
  }
  for (const key of ['passive', 'outlier'] as const) {
    if (pool.draft[key]?.end_on_probe !== true || !isUnprobed(pool)) continue;
    idle([key, 'end_on_probe'], 'the targets are not probed');
  }
  const outlier = pool.draft.outlier;
  const least = outlier?.min_targets ?? defaults.outlier.minTargets;
  if (pool.targets.length < 2 || pool.targets.length >= least) return;
  for (const key of ['failure_rate_deviations', 'latency_deviations'] as const) {
    if (outlier?.[key] === undefined || outlier[key] === 'off') continue;
    idle(['outlier', key], `there are ${pool.targets.length} targets, and min_targets is ${least}`);
  }
}
