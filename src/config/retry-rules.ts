// Rules about retries: what contradicts itself, and what has nothing here to work on.
import { defaults } from './defaults.js';
import { type Facts, type PoolDraft, type PoolFacts, protocolsOf } from './facts.js';
import { parseDuration } from './units.js';

type RetryDraft = NonNullable<PoolDraft['retry']>;

export function checkRetries(facts: Facts): void {
  for (const pool of facts.pools.values()) {
    const retry = pool.draft.retry;
    if (retry === undefined) continue;
    const protocols = protocolsOf(pool);
    if (protocols.size > 0 && !protocols.has('tcp')) {
      idle(facts, pool, [], 'only udp listeners use this pool, and sessions connect at once');
      continue;
    }
    if (pool.draft.retries === 0) checkNoRetries(facts, pool, retry);
    checkPauses(facts, pool, retry);
    checkBudget(facts, pool, retry);
  }
}

function checkNoRetries(facts: Facts, pool: PoolFacts, retry: RetryDraft): void {
  if (retry.to === 'same_first') {
    conflict(facts, pool, ['to'], 'retries is 0: no target is tried a second time');
  }
  for (const key of ['backoff', 'budget'] as const) {
    if (retry[key] === undefined || retry[key] === 'off') continue;
    idle(facts, pool, [key], 'retries is 0: nothing is tried again');
  }
}

function checkPauses(facts: Facts, pool: PoolFacts, retry: RetryDraft): void {
  const backoff = retry.backoff;
  // A key that is there and wrong is reported already; then there is nothing to compare with.
  if (typeof backoff !== 'object' || hasWrong(backoff, ['base', 'max'])) return;
  const baseText = backoff.base ?? defaults.backoff.base;
  const maxText = backoff.max ?? defaults.backoff.max;
  const base = parseDuration(baseText);
  const max = parseDuration(maxText);
  if (!base.ok || !max.ok || base.value <= max.value) return;
  const key = backoff.max === undefined ? 'base' : 'max';
  conflict(facts, pool, ['backoff', key], `max, ${maxText}, is shorter than base, ${baseText}`);
}

function checkBudget(facts: Facts, pool: PoolFacts, retry: RetryDraft): void {
  const budget = retry.budget;
  if (typeof budget !== 'object' || hasWrong(budget, ['percent', 'min_per_second'])) return;
  const percent = budget.percent ?? defaults.retryBudget.percent;
  const least = budget.min_per_second ?? defaults.retryBudget.minPerSecond;
  if (percent > 0 || least > 0) return;
  conflict(facts, pool, ['budget'], 'this allows no retry ever: retries: 0 says so');
}

function hasWrong<K extends string>(
  map: { readonly [Key in K]?: unknown },
  keys: readonly K[],
): boolean {
  return keys.some((key) => Object.hasOwn(map, key) && map[key] === undefined);
}

function conflict(facts: Facts, pool: PoolFacts, keys: readonly string[], message: string): void {
  facts.report({ code: 'SLUICE_CONFIG_CONFLICT', path: [...pool.path, 'retry', ...keys], message });
}

function idle(facts: Facts, pool: PoolFacts, keys: readonly string[], message: string): void {
  facts.report({
    severity: 'warning',
    code: 'SLUICE_CONFIG_NO_EFFECT',
    path: [...pool.path, 'retry', ...keys],
    aim: 'key',
    message,
  });
}
