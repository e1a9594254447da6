// Rules about pools and their targets: references, duplicates, weights, sources, limits.
import { traitsOf } from '../model/policy.js';
import { defaults } from './defaults.js';
import { addressKey, type Facts, type PoolFacts } from './facts.js';
import { shown } from './parsed.js';
import { checkPolicy, policyOf } from './policy-rules.js';
import { formatPath, type Path } from './problem.js';
import { stickyCapacityMax } from './sticky-schema.js';
import { nearestWord } from './suggest.js';
import { parseSource } from './target-address.js';
import { parseName } from './text-leaves.js';

/** Places in the engine's shared memory: native/shared/layout.h. */
export const slotsMax = { listeners: 1024, pools: 1024, targets: 16_384 } as const;

export function checkNames(facts: Facts): void {
  const names: Path[] = [
    ...Object.keys(facts.draft.listeners ?? {}).map((name) => ['listeners', name]),
    ...Object.keys(facts.draft.pools ?? {}).map((name) => ['pools', name]),
  ];
  for (const path of names) {
    const name = parseName(String(path[1]));
    if (!name.ok) facts.report({ ...name.problem, path, aim: 'key' });
  }
  for (const key of ['listeners', 'pools'] as const) {
    const count = Object.keys(facts.draft[key] ?? {}).length;
    if (count === 0 && facts.draft[key] !== undefined) {
      const message = `needs at least one ${key === 'pools' ? 'pool' : 'listener'}`;
      facts.report({ code: 'SLUICE_CONFIG_MISSING', path: [key], message });
    }
    if (count <= slotsMax[key]) continue;
    const first = Object.keys(facts.draft[key] ?? {})[slotsMax[key]] ?? '';
    const message = `there are ${count} ${key}, ${slotsMax[key]} are possible`;
    facts.report({ code: 'SLUICE_CONFIG_LIMIT', path: [key, first], aim: 'key', message });
  }
}

export function checkReferences(facts: Facts): void {
  // A misspelt reference is one fault, not also an unused pool.
  const meant = new Set<string>();
  for (const listener of facts.listeners) {
    const pool = listener.draft.pool;
    // Without any `pools` there is one fault, not one per listener.
    if (pool === undefined || facts.draft.pools === undefined || facts.pools.has(pool)) continue;
    const suggestion = nearestWord(pool, facts.pools.keys());
    if (suggestion !== undefined) meant.add(suggestion);
    const known = [...facts.pools.keys()].slice(0, 8).join(', ');
    const choices = suggestion === undefined && known !== '' ? `; there are ${known}` : '';
    facts.report({
      code: 'SLUICE_CONFIG_UNKNOWN_POOL',
      path: [...listener.path, 'pool'],
      message: `no pool is called ${shown(pool)}${choices}`,
      suggestion,
    });
  }
  for (const pool of facts.pools.values()) {
    if (pool.listeners.length > 0 || meant.has(pool.name)) continue;
    facts.report({
      severity: 'warning',
      code: 'SLUICE_CONFIG_UNUSED_POOL',
      path: pool.path,
      aim: 'key',
      message: 'no listener uses this pool',
    });
  }
}

export function checkTargets(facts: Facts): void {
  let count = 0;
  for (const pool of facts.pools.values()) {
    const before = count;
    count += pool.targets.length;
    if (count > slotsMax.targets && before <= slotsMax.targets) {
      const path = pool.targets[slotsMax.targets - before]?.path ?? pool.path;
      const message = `there are more than ${slotsMax.targets} targets`;
      facts.report({ code: 'SLUICE_CONFIG_LIMIT', path, message });
    }
    checkDuplicates(facts, pool);
    checkWeights(facts, pool);
    checkUnixTargets(facts, pool);
    checkSources(facts, pool);
    checkPolicy(facts, pool);
    checkSticky(facts, pool);
  }
  checkStickyMemory(facts);
}

function checkDuplicates(facts: Facts, pool: PoolFacts): void {
  const byAddress = new Map<string, Path>();
  const byName = new Map<string, Path>();
  const code = 'SLUICE_CONFIG_DUPLICATE_TARGET';
  for (const target of pool.targets) {
    if (target.address === undefined || target.addressText === undefined) continue;
    const address = addressKey(target.address);
    const sameAddress = byAddress.get(address);
    if (sameAddress !== undefined) {
      const where = `${formatPath(sameAddress)} (line ${facts.lineOf(sameAddress)})`;
      const message = `${where} has this address already`;
      facts.report({ code, path: target.addressPath, message });
      continue;
    }
    byAddress.set(address, target.path);
    const name = target.draft.name ?? target.addressText;
    const sameName = byName.get(name);
    if (sameName !== undefined) {
      const path = target.draft.name === undefined ? target.path : [...target.path, 'name'];
      const where = `${formatPath(sameName)} (line ${facts.lineOf(sameName)})`;
      facts.report({ code, path, message: `${where} has the name ${shown(name)} already` });
      continue;
    }
    byName.set(name, target.path);
  }
}

function checkWeights(facts: Facts, pool: PoolFacts): void {
  const { targets } = pool;
  const severity = 'warning';
  if (targets.length > 0 && targets.every((target) => target.draft.weight === 0)) {
    const message = 'every target has weight 0: none is ever picked';
    const path = [...pool.path, 'targets'];
    facts.report({ severity, code: 'SLUICE_CONFIG_NO_WEIGHT', path, aim: 'key', message });
  }
  const weighted = targets.find((target) => (target.draft.weight ?? 1) > 1);
  const policy = policyOf(pool);
  if (weighted === undefined || policy === undefined || traitsOf(policy).weights) return;
  const instead =
    policy === 'first'
      ? 'first fills one target after the other, whatever their weights'
      : `${policy} gives every target the same share: weighted_round_robin heeds weights`;
  facts.report({
    severity,
    code: 'SLUICE_CONFIG_NO_EFFECT',
    path: [...weighted.path, 'weight'],
    message: instead,
  });
}

function checkUnixTargets(facts: Facts, pool: PoolFacts): void {
  const udp = pool.listeners.find((listener) => listener.protocol === 'udp');
  if (udp === undefined) return;
  for (const target of pool.targets) {
    if (target.address?.kind !== 'unix') continue;
    const message = `${formatPath(udp.path)} is udp: a datagram cannot go to a unix socket`;
    facts.report({ code: 'SLUICE_CONFIG_ADDRESS', path: target.addressPath, message });
  }
}

/** A source of the other family would fail every connect, and only at run time. */
function checkSources(facts: Facts, pool: PoolFacts): void {
  const source = pool.draft.source;
  if (source === undefined) return;
  const path = [...pool.path, 'source'];
  const texts = typeof source === 'string' ? [source] : source;
  const families = new Set<string>();
  for (const [index, text] of texts.entries()) {
    if (text === undefined) return;
    const ip = parseSource(text, facts.interfaceIndex);
    if (ip.ok) families.add(ip.value.family);
    else
      facts.report({ ...ip.problem, path: typeof source === 'string' ? path : [...path, index] });
  }
  for (const target of pool.targets) {
    if (target.address?.kind !== 'ip' || families.has(target.address.ip.family)) continue;
    const family = target.address.ip.family === 'ipv4' ? 'IPv4' : 'IPv6';
    const message = `the target is ${family}, but no address in ${formatPath(path)} is`;
    facts.report({ code: 'SLUICE_CONFIG_ADDRESS', path: target.addressPath, message });
  }
}

/** Clients of unix sockets have no address: nobody can tell one from another. */
function checkSticky(facts: Facts, pool: PoolFacts): void {
  const { sticky } = pool.draft;
  if (sticky === undefined || sticky === 'off' || pool.listeners.length === 0) return;
  const binds = pool.listeners.flatMap((listener) => listener.binds);
  if (binds.length === 0 || binds.some(({ address }) => address.kind !== 'unix')) return;
  facts.report({
    severity: 'warning',
    code: 'SLUICE_CONFIG_NO_EFFECT',
    path: [...pool.path, 'sticky'],
    aim: 'key',
    message: 'its listeners are unix sockets, and their clients have no address to be known by',
  });
}

/** All pools together may take what one may: memory is one. */
function checkStickyMemory(facts: Facts): void {
  let total = 0;
  for (const { draft, path } of facts.pools.values()) {
    const { sticky } = draft;
    if (sticky === undefined || sticky === 'off') continue;
    const given = typeof sticky === 'object' ? sticky.capacity : undefined;
    const before = total;
    total += given ?? defaults.sticky.capacity;
    if (total <= stickyCapacityMax || before > stickyCapacityMax) continue;
    const message = `all sticky pools together may remember ${stickyCapacityMax} clients`;
    const where = given === undefined ? [...path, 'sticky'] : [...path, 'sticky', 'capacity'];
    facts.report({ code: 'SLUICE_CONFIG_LIMIT', path: where, message });
  }
}
