// `balance` of HAProxy and what goes with it, as the policy of a pool.
import type { Fields } from './draft.js';
import type { Setting } from './haproxy-sections.js';
import { wholeNumber } from './haproxy-units.js';
import type { Ledger } from './ledger.js';

export function policyOf(
  settings: readonly Setting[],
  weighted: boolean,
  fields: Fields,
  ledger: Ledger,
): void {
  const balance = settings.findLast(({ key }) => key === 'balance');
  const hashType = settings.findLast(({ key }) => key === 'hash-type');
  const factor = settings.findLast(({ key }) => key === 'hash-balance-factor');
  const rotation = weighted ? 'weighted_round_robin' : 'round_robin';
  const text = balance?.values.map((word) => word.text).join(' ') ?? 'roundrobin';
  const consistent = hashType?.values[0]?.text === 'consistent';
  const policy = policyName(text, rotation, consistent);
  if (balance !== undefined) {
    if (policy === null) {
      const why = 'sluice does not look into connections to decide';
      const instead = 'maglev by source keeps clients with a target; see docs/policies.md';
      ledger.lost(balance.directive.words, why, `${rotation} is used; ${instead}`);
    } else ledger.carried(balance.directive.words, 'pools.*.policy');
  }
  const name = policy ?? rotation;
  const keyed = name === 'source_hash' || name === 'ring_hash';
  if (hashType !== undefined) {
    if (keyed) ledger.carried(hashType.directive.words, 'pools.*.policy');
    else ledger.notNeeded(hashType.directive.words, 'the policy does not hash');
  }
  const bound = keyed ? boundOf(factor, ledger) : null;
  if (!keyed && factor !== undefined) {
    ledger.notNeeded(factor.directive.words, 'the policy does not hash');
  }
  if (bound === null) fields.set('policy', name);
  else
    fields.set(
      'policy',
      new Map<string, unknown>([
        ['name', name],
        ['bounded_load', bound],
      ]),
    );
}

function policyName(text: string, rotation: string, consistent: boolean): string | null {
  if (text === 'roundrobin' || text === 'static-rr' || text === '') return rotation;
  if (text === 'leastconn') return 'least_connections';
  if (text === 'first') return 'first';
  if (text === 'random(1)') return 'random';
  if (/^random(\(\d+\))?$/.test(text)) return 'power_of_two';
  // A map of hashes moves most clients when a server goes; source_hash moves few.
  if (text === 'source' || text === 'hash src') return consistent ? 'ring_hash' : 'source_hash';
  return null;
}

function boundOf(factor: Setting | undefined, ledger: Ledger): number | null {
  if (factor === undefined) return null;
  const percent = wholeNumber(factor.values[0]?.text ?? '');
  if (percent === null || percent === 0) {
    ledger.notNeeded(factor.directive.words, 'there is no bound by default');
    return null;
  }
  ledger.carried(factor.directive.words, 'pools.*.policy.bounded_load');
  return Math.min(Math.max(percent, 125), 1000);
}
