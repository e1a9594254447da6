// The first screen of a run, and what a demo tells to type.
import { describe, expect, it } from 'vitest';
import { banner, demoCommands } from '../../../src/app/banner.js';
import { connectTimes } from '../../../src/model/connection-ends.js';
import { emptyHistogram } from '../../../src/model/histogram.js';
import { responseTimes } from '../../../src/model/response-times.js';
import type { ListenerStatus, Status, TargetStatus } from '../../../src/model/status.js';
import { noEnds } from '../../support/no-ends.js';

const target = (eligible: boolean): TargetStatus => ({
  name: 't',
  address: '127.0.0.1:1',
  resolved: '127.0.0.1:1',
  weight: 1,
  effectiveWeight: 1,
  agent: null,
  priority: 0,
  backup: false,
  ejection: null,
  drain: null,
  health: 'unknown',
  healthReason: '',
  healthDetail: '',
  certificateExpires: null,
  role: '',
  healthSince: null,
  probeLatencyMs: null,
  adminState: 'enabled',
  eligible,
  active: 0,
  activeTurns: 0,
  responses: responseTimes(emptyHistogram, 0),
  connects: connectTimes(emptyHistogram),
  maxConnections: 0,
  totals: {},
});

const listener = (protocol: 'tcp' | 'udp', address: string): ListenerStatus => ({
  name: protocol,
  protocol,
  pool: 'p',
  addresses: [address],
  active: 0,
  maxConnections: 0,
  totals: {},
  closed: {},
  ends: noEnds,
});

const statusOf = (...listeners: ListenerStatus[]): Status => ({
  generation: { wanted: 1, applied: 1 },
  listeners,
  pools: [
    {
      name: 'p',
      policy: 'round_robin',
      healthCheck: 'tcp',
      role: 'any',
      tiers: [],
      sticky: null,
      totals: {},
      targets: [target(true), target(false)],
    },
  ],
  workers: [],
  eventsDropped: 0,
});

const facts = { version: '1.0.0', workers: 2, adminAddress: null, logOutput: 'stdout' };

describe('banner', () => {
  it('says what listens where and how many targets are ready', () => {
    const lines = banner(statusOf(listener('tcp', '127.0.0.1:80')), facts);
    expect(lines).toEqual([
      'sluice 1.0.0, 2 workers',
      '  tcp  127.0.0.1:80  ->  p (round_robin, 1 of 2 targets ready)',
      '  admin  off',
      '  log    stdout',
    ]);
  });
});

describe('demoCommands', () => {
  it('uses curl where it is installed and bash alone where it is not', () => {
    const status = statusOf(listener('tcp', '127.0.0.1:80'));
    expect(demoCommands(status, () => true)[0]).toContain('curl -s http://127.0.0.1:80');
    expect(demoCommands(status, () => false)[0]).toContain('/dev/tcp/127.0.0.1/80');
  });

  it('sends datagrams to loopback when the listener is a wildcard', () => {
    const [line] = demoCommands(statusOf(listener('udp', '[::]:53')), () => true);
    expect(line).toContain('/dev/udp/127.0.0.1/53');
  });

  it('says nothing for a listener on a unix socket', () => {
    expect(demoCommands(statusOf(listener('tcp', 'unix:/x')), () => true)).toEqual([]);
  });
});
