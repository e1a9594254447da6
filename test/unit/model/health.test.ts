// The rules about health and identity that several rooms share.
import { expect, it } from 'vitest';
import { healthAfterReload, initialHealth } from '../../../src/model/health.js';
import { configuredKey, targetKey } from '../../../src/model/target-key.js';
import { at, check, named, target } from '../../support/sample-config.js';

const none = { ...check, kind: 'none' } as const;
const down = { ...check, initial: 'unhealthy' } as const;

it('assumes nothing of a target that is not probed, and what is configured of one that is', () => {
  expect(initialHealth(check)).toBe('unknown');
  expect(initialHealth(down)).toBe('unhealthy');
  expect(initialHealth({ ...down, kind: 'none' })).toBe('unknown');
});

it('keeps health over a change of the check, unless probing begins or ends', () => {
  expect(healthAfterReload('unhealthy', check, { ...check, intervalMs: 5, fall: 9 })).toBe(
    'unhealthy',
  );
  expect(healthAfterReload('unhealthy', check, { ...check, kind: 'ping' })).toBe('unhealthy');
  expect(healthAfterReload('unhealthy', check, none)).toBe('unknown');
  expect(healthAfterReload('unknown', none, down)).toBe('unhealthy');
  expect(healthAfterReload('unknown', none, none)).toBe('unknown');
});

it('gives no two targets one key, whatever their names contain', () => {
  expect(targetKey('a', 'b","c', at('192.0.2.1'))).not.toBe(
    targetKey('a","b', 'c', at('192.0.2.1')),
  );
  const byName = target('db', { address: named('db.internal') });
  expect(targetKey('p', 'db', at('192.0.2.1'))).not.toBe(targetKey('p', 'db', at('192.0.2.2')));
  expect(configuredKey('p', byName)).toBe(configuredKey('p', { ...byName, weight: 7 }));
});
