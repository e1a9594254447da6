// What a reload says has changed: by name, in the words of the file.
import { expect, test } from 'vitest';
import { diffConfigs, formatChange, restartChanges } from '../../../src/config/diff.js';
import type { Config } from '../../../src/model/config.js';
import { load } from '../../support/bad-file.js';

function configOf(text: string): Config {
  const result = load(text);
  if (!result.ok) throw new Error(result.errors.map(({ message }) => message).join('; '));
  return result.config;
}

const before = configOf(`listeners:
  web: { bind: "127.0.0.1:80", pool: web }
  old: { bind: "127.0.0.1:81", pool: web }
pools:
  web:
    targets: ["10.0.0.1:80", { address: "10.0.0.2:80", name: two }]
    health: { interval: 1s }
`);

function changes(text: string): readonly string[] {
  return diffConfigs(before, configOf(text)).map(formatChange);
}

test('a configuration does not differ from itself', () => {
  expect(diffConfigs(before, before)).toEqual([]);
});

test('order is not a difference', () => {
  expect(
    changes(`pools:
  web:
    health: { interval: 1s }
    targets: [{ name: two, address: "10.0.0.2:80" }, "10.0.0.1:80"]
listeners:
  old: { bind: "127.0.0.1:81", pool: web }
  web: { bind: "127.0.0.1:80", pool: web }
`),
  ).toEqual([]);
});

test('parts that come, go and change are named as in the file', () => {
  expect(
    changes(`listeners:
  web:
    bind: ["127.0.0.1:80", "unix:@x"]
    pool: web
    timeouts: { idle: off, connect: 250ms }
    tcp: { keepalive: { idle: 30s } }
    unix_mode: "0600"
  new: { bind: "[::1]:81", pool: web }
pools:
  web:
    targets: [{ address: "10.0.0.3:80", name: two, weight: 5 }, "10.0.0.4:80"]
    policy: least_connections
    health: { interval: 2s }
    source: "10.0.0.9"
engine: { workers: 4, buffer: 128KiB }
admin: { listen: off }
log: { level: debug }
shutdown: { drain_timeout: 1m }
state: { file: ./state.json }
watch: true
`),
  ).toEqual([
    'removed listeners.old',
    'changed listeners.web.binds: 127.0.0.1:80 -> 127.0.0.1:80, unix:@x',
    'changed listeners.web.timeouts.connect: 5s -> 250ms',
    'changed listeners.web.timeouts.idle: 1h -> off',
    'changed listeners.web.tcp.keepalive_idle: 1m -> 30s',
    'changed listeners.web.unix_mode: 0660 -> 0600',
    'added listeners.new',
    'changed pools.web.policy.name: round_robin -> least_connections',
    'changed pools.web.health.interval: 1s -> 2s',
    'changed pools.web.health.fast_interval: 1s -> 2s',
    'changed pools.web.health.down_interval: 1s -> 2s',
    'changed pools.web.health.timeout: 1s -> 2s',
    'changed pools.web.sources: none -> 10.0.0.9',
    'removed pools.web.targets[10.0.0.1:80]',
    'changed pools.web.targets[two].address: 10.0.0.2:80 -> 10.0.0.3:80',
    'changed pools.web.targets[two].weight: 1 -> 5',
    'added pools.web.targets[10.0.0.4:80]',
    'changed engine.workers: 2 -> 4 (needs a restart)',
    'changed engine.buffer: 64KiB -> 128KiB (needs a restart)',
    'changed admin.listen: 127.0.0.1:9090 -> off (needs a restart)',
    'changed log.level: info -> debug',
    'changed shutdown.drain_timeout: 30s -> 1m',
    'changed state.file: off -> ./state.json (needs a restart)',
    'changed state.interval:  -> 1s (needs a restart)',
    'changed watch: false -> true',
  ]);
});

test('the same names in both directions', () => {
  const after = configOf(`listeners:
  web: { bind: "127.0.0.1:80", pool: other }
pools:
  other: { targets: ["10.0.0.1:80"] }
`);
  const forth = diffConfigs(before, after);
  const back = diffConfigs(after, before);
  expect(back.map(({ path }) => path).sort()).toEqual(forth.map(({ path }) => path).sort());
});

test('what needs a restart is told apart without a look at the targets', () => {
  const after = configOf(`listeners:
  web: { bind: "127.0.0.1:83", pool: web }
pools:
  web: { targets: ["10.0.0.3:80"] }
engine: { workers: 7, splice: off }
admin: { listen: off }
log: { level: debug }
`);
  const restarts = restartChanges(before, after);
  expect(restarts).toEqual(diffConfigs(before, after).filter(({ needsRestart }) => needsRestart));
  expect(restarts.map(({ path }) => path)).toEqual([
    'engine.workers',
    'engine.splice',
    'admin.listen',
  ]);
  expect(restartChanges(after, after)).toEqual([]);
});
