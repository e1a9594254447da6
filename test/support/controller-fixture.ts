// A Controller over a fake engine, a fake clock and a recorded log; three targets to play with.
import { Controller } from '../../src/control/controller.js';
import type { IpAddress } from '../../src/model/address.js';
import type { AgentWords } from '../../src/model/agent.js';
import type { Config } from '../../src/model/config.js';
import type { ProbeDetail } from '../../src/model/health.js';
import type { Health, Target } from '../../src/model/target.js';
import { FakeClock } from './fake-clock.js';
import { FakeEngine } from './fake-engine.js';
import { createRecordingLogger } from './recording-logger.js';
import { at, config, listener, pool, target } from './sample-config.js';

export const a = target('a', { address: at('192.0.2.1') });
export const b = target('b', { address: at('192.0.2.2') });
export const c = target('c', { address: at('192.0.2.3') });

/** A listener `in` before a pool `web`. */
export const web = (targets: readonly Target[] = [a, b], changes: Partial<Config> = {}) =>
  config([listener('in', 'web')], [pool('web', targets)], changes);

export function setupController(limits: Partial<FakeEngine['limits']> = {}) {
  const clock = new FakeClock();
  const engine = new FakeEngine(limits);
  const log = createRecordingLogger();
  const names = new Map<string, IpAddress>();
  const agents = new Map<string, AgentWords>();
  const details: ProbeDetail[] = [];
  let changes = 0;
  const controller = new Controller({
    clock,
    engine,
    log,
    names: () => new Map(names),
    agents: () => new Map(agents),
    probeDetail: (poolName, name) =>
      details.find((detail) => detail.pool === poolName && detail.target === name) ?? null,
    onBeliefsChanged: () => void changes++,
  });
  engine.onBound = (...parameters) => controller.listenerBound(...parameters);
  const health = (of: Target, verdict: Health, poolName = 'web') =>
    controller.setHealth({
      pool: poolName,
      target: of.name,
      endpoint: of.address.kind === 'name' ? at('192.0.2.99') : of.address,
      health: verdict,
      reason: verdict === 'healthy' ? 'connected' : 'refused',
      latencyMs: 2,
      detail: '',
    });
  const candidates = (index = 0) =>
    (engine.table.pools[index]?.tiers ?? [])
      .flatMap((tier) => tier.candidates)
      .map(({ target: at }) => engine.table.targets[at]?.name);
  const slots = () =>
    Object.fromEntries(engine.table.targets.map(({ name, slot }) => [name, slot]));
  return {
    clock,
    engine,
    log,
    names,
    agents,
    details,
    controller,
    health,
    candidates,
    slots,
    /** How often a state file was told to be written. */
    changes: () => changes,
  };
}
