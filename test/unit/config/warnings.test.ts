// Files that load, and about which something should be said nevertheless.
import { describe } from 'vitest';
import { hashToken } from '../../../src/admin/token.js';
import { testBadFiles, withBind, withPool, withTop } from '../../support/bad-file.js';

describe('a file with a warning', () => {
  testBadFiles('warnings', [
    {
      name: 'a pool that nobody uses',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { targets: ["10.0.0.1:80"] }
  old: { targets: ["10.0.0.1:80"] }
`,
      problems: [['5:3', 'SLUICE_CONFIG_UNUSED_POOL', 'no listener uses this pool']],
    },
    {
      name: 'a pool of weight 0',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { targets: [{ address: "10.0.0.1:80", weight: 0 }] }
`,
      problems: [
        ['4:10', 'SLUICE_CONFIG_NO_WEIGHT', 'every target has weight 0: none is ever picked'],
      ],
    },
    {
      name: 'a sticky pool whose clients have no addresses',
      text: `listeners:
  web: { bind: "unix:/run/web.sock", pool: web }
pools:
  web: { sticky: source, targets: ["10.0.0.1:80"] }
`,
      problems: [['4:10', 'SLUICE_CONFIG_NO_EFFECT', 'its listeners are unix sockets']],
    },
    {
      name: 'weights under round_robin',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { targets: [{ address: "10.0.0.1:80", weight: 2 }] }
`,
      problems: [
        [
          '4:54',
          'SLUICE_CONFIG_NO_EFFECT',
          'round_robin gives every target the same share: weighted_ro',
        ],
      ],
    },
    {
      name: 'tcp checks of a pool that serves udp only',
      text: `listeners:
  web: { bind: "127.0.0.1:80", protocol: udp, pool: web }
pools:
  web: { health: tcp, targets: ["10.0.0.1:80"] }
`,
      problems: [
        [
          '4:18',
          'SLUICE_CONFIG_HEALTH',
          'only udp listeners use this pool: tcp says nothing about t',
        ],
      ],
    },
    {
      name: 'tcp options of a pool that serves udp only',
      text: `listeners:
  web: { bind: "127.0.0.1:80", protocol: udp, pool: web }
pools:
  web: { tcp: { nodelay: false }, targets: ["10.0.0.1:80"] }
`,
      problems: [['4:10', 'SLUICE_CONFIG_NO_EFFECT', 'only udp listeners use this pool']],
    },
    {
      name: 'waiting in a pool that serves udp only',
      text: `listeners:
  web: { bind: "127.0.0.1:80", protocol: udp, pool: web }
pools:
  web:
    queue: {}
    when_none_healthy: park
    targets: ["10.0.0.1:80"]
`,
      problems: [
        [
          '5:5',
          'SLUICE_CONFIG_NO_EFFECT',
          'only udp listeners use this pool, and a datagram does not wait',
        ],
        [
          '6:5',
          'SLUICE_CONFIG_NO_EFFECT',
          'only udp listeners use this pool, and a datagram does not wait',
        ],
      ],
    },
    {
      name: 'bounds of parking where nobody is parked',
      text: withPool('park: { max: 7 }'),
      problems: [
        ['6:5', 'SLUICE_CONFIG_NO_EFFECT', 'nobody is parked unless when_none_healthy is park'],
      ],
    },
    {
      name: 'a queue for targets without a limit',
      text: withPool('queue: { max: 7 }'),
      problems: [
        [
          '6:5',
          'SLUICE_CONFIG_NO_EFFECT',
          'no target has max_connections, so that nobody ever waits',
        ],
      ],
    },
    {
      name: 'overprovisioning of one priority',
      text: withPool('tiers: { overprovisioning: 2 }'),
      problems: [
        ['6:14', 'SLUICE_CONFIG_NO_EFFECT', 'all targets have one priority: nothing can spill'],
      ],
    },
    {
      name: 'ejecting the only target',
      text: withPool('passive: {}\n    outlier: { max_ejection_percent: 100 }'),
      problems: [
        ['6:5', 'SLUICE_CONFIG_NO_EFFECT', 'the only target of a pool is never taken out'],
        ['7:5', 'SLUICE_CONFIG_NO_EFFECT', 'the only target of a pool is never taken out'],
      ],
    },
    {
      name: 'comparing fewer targets than are needed',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
pools:
  web:
    targets: ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]
    outlier: { latency_deviations: 6, failure_rate_deviations: 2, min_targets: 4 }
`,
      problems: [
        ['6:16', 'SLUICE_CONFIG_NO_EFFECT', 'there are 3 targets, and min_targets is 4'],
        ['6:39', 'SLUICE_CONFIG_NO_EFFECT', 'there are 3 targets, and min_targets is 4'],
      ],
    },
    {
      name: 'probes that end an ejection, where there are none',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
pools:
  web:
    targets: ["10.0.0.1:80", "10.0.0.2:80"]
    health: none
    passive: { end_on_probe: true }
    outlier: { end_on_probe: false }
`,
      problems: [['7:16', 'SLUICE_CONFIG_NO_EFFECT', 'the targets are not probed']],
    },
    {
      name: 'backups where there are none',
      text: withPool('backups: one'),
      problems: [['6:5', 'SLUICE_CONFIG_NO_EFFECT', 'no target of this pool is a backup']],
    },
    {
      name: 'an interval without checks',
      text: withPool('health: { type: none, interval: 1s }'),
      problems: [
        ['6:27', 'SLUICE_CONFIG_NO_EFFECT', 'this pool is not checked, as its type is none'],
      ],
    },
    {
      name: 'confirmations of what is not awaited',
      text: withPool('role: replica\n    health: redis\n    role_confirm: 5'),
      problems: [['8:5', 'SLUICE_CONFIG_NO_EFFECT', 'only a pool with role: primary waits']],
    },
    {
      name: 'a database of one that has none',
      text: withPool('health: { type: redis, login: { password_file: /p, database: x } }'),
      problems: [['6:56', 'SLUICE_CONFIG_NO_EFFECT', 'redis is asked without a database']],
    },
    {
      name: 'a port of ping',
      text: withPool('health: { type: ping, port: 80 }'),
      problems: [['6:27', 'SLUICE_CONFIG_NO_EFFECT', 'ping has no port']],
    },
    {
      name: 'a mode without a unix socket',
      text: withBind('"127.0.0.1:80"\n    unix_mode: "0600"'),
      problems: [
        ['5:5', 'SLUICE_CONFIG_NO_EFFECT', 'no bind of this listener is the path of a unix socket'],
      ],
    },
    {
      name: 'ipv6_only without IPv6',
      text: withBind('"127.0.0.1:80"\n    ipv6_only: true'),
      problems: [['5:5', 'SLUICE_CONFIG_NO_EFFECT', 'no bind of this listener is an IPv6 address']],
    },
    {
      name: 'an admin server on the network',
      text: withTop(
        `admin: { listen: "*:9000", tokens: [{ name: a, role: read, hash: "${hashToken('x')}" }] }`,
      ),
      problems: [
        [
          '5:18',
          'SLUICE_CONFIG_ADMIN_EXPOSED',
          'tokens and answers cross the network as they are: there is no TLS here',
        ],
      ],
    },
  ]);
});
