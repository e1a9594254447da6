// Rules about clients that wait for a target: keys that have nothing here to work on.
import { type Facts, type PoolFacts, protocolsOf } from './facts.js';

export function checkWaiting(facts: Facts): void {
  for (const pool of facts.pools.values()) {
    const reason = pool.draft.when_none_healthy;
    const queues = pool.draft.queue !== undefined && pool.draft.queue !== 'off';
    const protocols = protocolsOf(pool);
    if (protocols.size > 0 && !protocols.has('tcp')) {
      const message = 'only udp listeners use this pool, and a datagram does not wait';
      if (queues) idle(facts, pool, 'queue', message);
      if (reason === 'park') idle(facts, pool, 'when_none_healthy', message);
      continue;
    }
    if (pool.draft.park !== undefined && reason !== 'park') {
      idle(facts, pool, 'park', 'nobody is parked unless when_none_healthy is park');
    }
    const limited = pool.targets.some(({ draft }) => typeof draft.max_connections === 'number');
    if (queues && pool.targets.length > 0 && !limited) {
      idle(facts, pool, 'queue', 'no target has max_connections, so that nobody ever waits');
    }
  }
}

function idle(facts: Facts, pool: PoolFacts, key: string, message: string): void {
  facts.report({
    severity: 'warning',
    code: 'SLUICE_CONFIG_NO_EFFECT',
    path: [...pool.path, key],
    aim: 'key',
    message,
  });
}
