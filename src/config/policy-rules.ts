// Rules about a pool's policy: settings that it does not have are errors, not silence, because they
// would look as if they worked.
import { loadPolicies, type PolicyName, traitsOf } from '../model/policy.js';
import { defaults } from './defaults.js';
import type { Facts, PoolFacts } from './facts.js';
import { formatPath } from './problem.js';

/** undefined: it is not written as it should be, which is a fault of its own. */
export function policyOf(pool: PoolFacts): PolicyName | undefined {
  const policy = pool.draft.policy;
  if (policy === undefined) {
    return Object.hasOwn(pool.draft, 'policy') ? undefined : defaults.pool.policy;
  }
  return typeof policy === 'string' ? policy : policy.name;
}

const settings = ['key', 'prefix_v4', 'prefix_v6', 'bounded_load'] as const;

export function checkPolicy(facts: Facts, pool: PoolFacts): void {
  checkRoom(facts, pool);
  checkLoad(facts, pool);
  const policy = pool.draft.policy;
  if (typeof policy !== 'object' || policy.name === undefined) return;
  const { name } = policy;
  for (const setting of settings) {
    if (policy[setting] === undefined) continue;
    const message = objection(name, setting, policy.key);
    if (message === undefined) continue;
    facts.report({
      code: 'SLUICE_CONFIG_POLICY_SETTING',
      path: [...pool.path, 'policy', setting],
      aim: 'key',
      message,
    });
  }
}

function objection(
  name: PolicyName,
  setting: (typeof settings)[number],
  key: string | undefined,
): string | undefined {
  const { key: decidesBy } = traitsOf(name);
  if (decidesBy === 'none') {
    return setting === 'bounded_load'
      ? `${name} has no first choice to keep from overload: ring_hash and maglev have`
      : `${name} does not decide by a key: ring_hash and maglev do`;
  }
  if (setting === 'key' && decidesBy === 'source' && key !== 'source') {
    return `${name} decides by the client's address: maglev can decide by another key`;
  }
  if (key === 'destination' && setting.startsWith('prefix')) {
    return "the key is the destination: the client's address does not count";
  }
  return undefined;
}

/** Without turns every target would look idle, so the setting must not pass in silence. */
function checkLoad(facts: Facts, pool: PoolFacts): void {
  const policy = pool.draft.policy;
  if (typeof policy !== 'object' || policy.name === undefined || policy.load === undefined) return;
  const report = (message: string): void => {
    const path = [...pool.path, 'policy', 'load'];
    facts.report({ code: 'SLUICE_CONFIG_POLICY_SETTING', path, aim: 'key', message });
  };
  const { load } = traitsOf(policy.name);
  if (load === 'never') {
    report(`${policy.name} does not count load: ${loadPolicies.join(', ')} do`);
    return;
  }
  const bounded = policy.bounded_load !== undefined && policy.bounded_load !== 'off';
  if (load === 'bounded' && !bounded) {
    report(`${policy.name} counts load only where there is a bounded_load`);
    return;
  }
  const udp = pool.listeners.find((listener) => listener.protocol === 'udp');
  if (policy.load !== 'turns' || udp === undefined) return;
  report(`${formatPath(udp.path)} is udp: sessions have no turns, only connections do`);
}

/** Without a limit `first` never gets beyond its first target; the others are mere standbys. */
function checkRoom(facts: Facts, pool: PoolFacts): void {
  if (policyOf(pool) !== 'first' || pool.targets.length < 2) return;
  const limited = pool.targets.some(({ draft }) => {
    return draft.max_connections !== undefined && draft.max_connections !== 'off';
  });
  if (limited) return;
  facts.report({
    severity: 'warning',
    code: 'SLUICE_CONFIG_NO_EFFECT',
    path: [...pool.path, 'policy'],
    message: 'no target has max_connections: first sends everything to the first healthy one',
  });
}
