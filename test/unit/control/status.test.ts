// What the controller shows of itself.
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/model/config.js';
import { connectTimes } from '../../../src/model/connection-ends.js';
import type { ProbeDetail } from '../../../src/model/health.js';
import { emptyHistogram } from '../../../src/model/histogram.js';
import { responseTimes } from '../../../src/model/response-times.js';
import { a, b, setupController, web } from '../../support/controller-fixture.js';
import { noEnds } from '../../support/no-ends.js';
import { at, config, listener, pool, sticky, target } from '../../support/sample-config.js';

describe('the snapshot', () => {
  it('is empty before the first table', () => {
    const { controller } = setupController();
    expect(controller.snapshot()).toMatchObject({
      generation: { wanted: 0, applied: 0 },
      listeners: [],
      pools: [],
    });
    controller.close();
  });

  it('shows the ports that the kernel chose, also after binds change places', async () => {
    const { engine, controller } = setupController();
    const fixed = at('127.0.0.1', 8080);
    const free = at('127.0.0.1', 0);
    const twice = at('127.0.0.1', 0);
    const socket = { kind: 'unix', path: '/run/x.sock' } as const;
    const bound = (...binds: Config['listeners'][number]['binds']) =>
      config([listener('in', 'web', { binds })], [pool('web', [a])]);
    await controller.start(bound(fixed, free, twice, socket));
    engine.setActive('listener', 0, 4);
    engine.setTotal('listener', 0, 9);
    expect(controller.snapshot().listeners).toEqual([
      {
        name: 'in',
        protocol: 'tcp',
        pool: 'web',
        addresses: ['127.0.0.1:8080', '127.0.0.1:40000', '127.0.0.1:40001', 'unix:/run/x.sock'],
        active: 4,
        maxConnections: 0,
        totals: { connections: 9 },
        closed: { client_closed: 9 },
        ends: noEnds,
      },
    ]);
    await controller.reload(bound(socket, free, fixed));
    expect(controller.snapshot().listeners[0]?.addresses).toEqual([
      'unix:/run/x.sock',
      '127.0.0.1:40000',
      '127.0.0.1:8080',
    ]);
    controller.close();
  });

  it('shows the tiers with their shares', async () => {
    const { controller, clock, health } = setupController();
    const low = target('low', { address: at('192.0.2.9'), priority: 1 });
    await controller.start(web([a, b, low]));
    health(a, 'unhealthy');
    await clock.advance(20);
    expect(controller.snapshot().pools[0]?.tiers).toEqual([
      { priority: 0, candidates: 1, configured: 2, share: 0.7, panic: false },
      { priority: 1, candidates: 1, configured: 1, share: 0.3, panic: false },
    ]);
  });

  it('shows targets with verdict, since when, why, and the wish', async () => {
    const { clock, engine, controller, health } = setupController();
    await controller.start(web());
    await clock.advance(500);
    health(a, 'unhealthy');
    controller.setAdminState('web', 'b', 'disabled');
    await clock.advance(20);
    engine.setActive('target', 1, 3);
    engine.setTotal('target', 1, 8);
    expect(controller.snapshot().pools[0]).toMatchObject({
      name: 'web',
      policy: 'round_robin',
      healthCheck: 'tcp',
      role: 'any',
      tiers: [],
      targets: [
        {
          name: 'a',
          address: '192.0.2.1:80',
          resolved: '192.0.2.1:80',
          weight: 1,
          effectiveWeight: 1,
          agent: null,
          priority: 0,
          backup: false,
          ejection: null,
          drain: null,
          health: 'unhealthy',
          healthReason: 'refused',
          healthDetail: '',
          certificateExpires: null,
          role: '',
          healthSince: '2030-01-01T00:00:00.500Z',
          probeLatencyMs: 2,
          adminState: 'enabled',
          eligible: false,
          active: 0,
          activeTurns: 0,
          responses: responseTimes(emptyHistogram, 0),
          connects: connectTimes(emptyHistogram),
          maxConnections: 0,
          totals: { connections: 0 },
        },
        expect.objectContaining({
          name: 'b',
          health: 'unknown',
          healthReason: '',
          role: '',
          healthSince: null,
          probeLatencyMs: null,
          adminState: 'disabled',
          active: 3,
          totals: { connections: 8 },
        }),
      ],
    });
    controller.close();
  });

  it('tells of a part just what the whole tells of it', async () => {
    const { controller, health } = setupController();
    await controller.start(
      config([listener('in', 'web'), listener('db', 'db')], [pool('web', [a, b]), pool('db', [a])]),
    );
    health(a, 'unhealthy');
    const whole = controller.snapshot();
    expect(controller.snapshot('listeners')).toEqual({ ...whole, pools: [] });
    for (const web of whole.pools) {
      expect(controller.snapshot({ pool: web.name })).toEqual({ ...whole, pools: [web] });
      for (const target of web.targets) {
        const scope = { pool: web.name, target: target.name };
        const part = { ...web, targets: [target] };
        expect(controller.snapshot(scope)).toEqual({ ...whole, pools: [part] });
      }
      const nobody = { pool: web.name, target: 'nobody' };
      expect(controller.snapshot(nobody).pools[0]?.targets).toEqual([]);
    }
    expect(controller.snapshot({ pool: 'none' })).toEqual({ ...whole, pools: [] });
    controller.close();
  });

  it('shows the last probe of the address in use, and of no other', async () => {
    const { controller, details } = setupController();
    await controller.start(web());
    const detail: ProbeDetail = {
      pool: 'web',
      target: 'b',
      endpoint: at('192.0.2.2'),
      health: 'healthy',
      reason: 'timed_out',
      latencyMs: 7,
      facts: { detail: 'HTTP 503', certificateExpires: new Date('2031-02-03T04:05:06Z') },
      since: new Date('2030-01-01T00:00:00.250Z'),
      consecutiveGood: 0,
      consecutiveBad: 1,
      probes: 9,
      probesVoid: 0,
    };
    details.push(detail);
    expect(controller.snapshot().pools[0]?.targets[1]).toMatchObject({
      healthReason: 'timed_out',
      healthDetail: 'HTTP 503',
      certificateExpires: '2031-02-03T04:05:06.000Z',
      role: '',
      healthSince: '2030-01-01T00:00:00.250Z',
      probeLatencyMs: 7,
    });
    details.splice(0, 1, { ...detail, endpoint: at('192.0.2.200') });
    expect(controller.snapshot().pools[0]?.targets[1]).toMatchObject({ probeLatencyMs: null });
    controller.close();
  });

  it('shows what a sticky pool remembers, and counts from where it got its slot', async () => {
    const { engine, controller } = setupController();
    engine.setTotal('pool', 0, 5);
    engine.setStickyEntries(0, 12);
    engine.setStickyEntries(1, 13);
    const given = pool('web', [a], { sticky: { ...sticky, capacity: 50 } });
    await controller.start(config([listener('in', 'web')], [given, pool('plain', [b])]));
    engine.setTotal('pool', 0, 8);
    expect(controller.snapshot().pools).toMatchObject([
      { sticky: { entries: 12, capacity: 50 }, totals: { picks: 3 } },
      { sticky: null, totals: { picks: 0 } },
    ]);
    controller.close();
  });

  it('calls a target eligible when it may be picked, also by use_all', async () => {
    const { clock, controller, health } = setupController();
    const given = pool('web', [a, b], { whenNoneHealthy: 'use_all' });
    await controller.start(config([listener('in', 'web')], [given]));
    health(a, 'unhealthy');
    await clock.advance(20);
    const shown = () => controller.snapshot().pools[0]?.targets.map(({ eligible }) => eligible);
    expect(shown()).toEqual([false, true]);
    health(b, 'unhealthy');
    await clock.advance(20);
    expect(shown()).toEqual([true, true]);
    controller.close();
  });
});
