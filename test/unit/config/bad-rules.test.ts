// Parts that are right in themselves and wrong together.
import { describe } from 'vitest';
import { testBadFiles, withBind, withPool, withTop } from '../../support/bad-file.js';

describe('a file is refused for', () => {
  testBadFiles('errors', [
    {
      name: 'an unknown pool',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: wbe }
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [['2:38', 'SLUICE_CONFIG_UNKNOWN_POOL', 'no pool is called "wbe"', 'web']],
    },
    {
      name: 'an unknown pool like no other',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: database }
  b: { bind: "127.0.0.1:81", pool: web }
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [
        ['2:38', 'SLUICE_CONFIG_UNKNOWN_POOL', 'no pool is called "database"; there are web'],
      ],
    },
    {
      name: 'a backup with a priority',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
pools:
  web:
    targets: ["10.0.0.1:80", { address: "10.0.0.2:80", backup: true, priority: 1 }]
`,
      problems: [['5:80', 'SLUICE_CONFIG_CONFLICT', 'a backup has no priority: it comes after']],
    },
    {
      name: 'a longest ejection shorter than the first',
      text: withPool('outlier: { base_ejection_time: 1m, max_ejection_time: 30s }'),
      problems: [
        [
          '6:59',
          'SLUICE_CONFIG_CONFLICT',
          'max_ejection_time, 30s, is shorter than base_ejection_time, 1m',
        ],
      ],
    },
    {
      name: 'a first ejection longer than the longest by default',
      text: withPool('outlier: { base_ejection_time: 10m }'),
      problems: [
        [
          '6:36',
          'SLUICE_CONFIG_CONFLICT',
          'max_ejection_time, 5m, is shorter than base_ejection_time, 10m',
        ],
      ],
    },
    {
      name: 'deviations that are no number',
      text: withPool('outlier: { latency_deviations: many, consecutive_failures: 0 }'),
      problems: [
        ['6:36', 'SLUICE_CONFIG_VALUE', '"many" is neither off nor a number'],
        ['6:64', 'SLUICE_CONFIG_RANGE', '0 is outside 1 to 1000', 'off'],
      ],
    },
    {
      name: 'sticky pools that remember too many clients together',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
  old: { bind: "127.0.0.1:81", pool: old }
pools:
  web: { sticky: { by: source, capacity: 16777216 }, targets: ["10.0.0.1:80"] }
  old: { sticky: source, targets: ["10.0.0.2:80"] }
`,
      problems: [
        ['6:18', 'SLUICE_CONFIG_LIMIT', 'all sticky pools together may remember 16777216 clients'],
      ],
    },
    {
      name: 'a name that begins with a digit',
      text: `listeners:
  "1web": { bind: "127.0.0.1:80", pool: web }
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [['2:3', 'SLUICE_CONFIG_NAME', '"1web" is not usable as a name', 'web']],
    },
    {
      name: 'a name with a space',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: "my pool" }
pools:
  my pool: { targets: ["10.0.0.1:80"] }
`,
      problems: [['4:3', 'SLUICE_CONFIG_NAME', '"my pool" is not usable as a name', 'my_pool']],
    },
    {
      name: 'the same bind twice',
      text: `listeners:
  a: { bind: "127.0.0.1:80", pool: web }
  b: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [
        [
          '3:14',
          'SLUICE_CONFIG_DUPLICATE_BIND',
          'listeners.a.bind (line 2) claims this address already',
        ],
      ],
    },
    {
      name: 'the same bind twice in one listener',
      text: withBind('["127.0.0.1:80", "127.0.0.1:80"]'),
      problems: [
        [
          '4:28',
          'SLUICE_CONFIG_DUPLICATE_BIND',
          'listeners.web.bind[0] (line 4) claims this address already',
        ],
      ],
    },
    {
      name: 'every address and one of them',
      text: `listeners:
  a: { bind: "127.0.0.1:80", pool: web }
  b: { bind: "*:80", pool: web }
pools:
  web: { targets: ["10.0.0.1:81"] }
`,
      problems: [
        [
          '3:14',
          'SLUICE_CONFIG_DUPLICATE_BIND',
          'listeners.a.bind (line 2) claims this address already',
        ],
      ],
    },
    {
      name: 'IPv6 wildcard and an IPv4 address',
      text: `listeners:
  a: { bind: "[::]:80", pool: web }
  b: { bind: "10.0.0.9:80", pool: web }
pools:
  web: { targets: ["10.0.0.1:81"] }
`,
      problems: [
        [
          '3:14',
          'SLUICE_CONFIG_DUPLICATE_BIND',
          'listeners.a.bind (line 2) claims this address already',
        ],
      ],
    },
    {
      name: 'ranges that overlap',
      text: `listeners:
  a: { bind: "127.0.0.1:8000-8010", pool: web }
  b: { bind: "127.0.0.1:8010-8020", pool: web }
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [
        [
          '3:14',
          'SLUICE_CONFIG_DUPLICATE_BIND',
          'listeners.a.bind (line 2) claims this address already',
        ],
      ],
    },
    {
      name: 'a v4-mapped address and its IPv4 address',
      text: `listeners:
  a: { bind: "[::ffff:127.0.0.1]:80", pool: web }
  b: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { targets: ["10.0.0.1:81"] }
`,
      problems: [
        [
          '3:14',
          'SLUICE_CONFIG_DUPLICATE_BIND',
          'listeners.a.bind (line 2) claims this address already',
        ],
      ],
    },
    {
      name: 'the same unix path in two spellings',
      text: withBind('["unix:/run/x.sock", "unix:/run/./x.sock"]'),
      problems: [
        [
          '4:32',
          'SLUICE_CONFIG_DUPLICATE_BIND',
          'listeners.web.bind[0] (line 4) claims this address already',
        ],
      ],
    },
    {
      name: 'the address of the admin server',
      text: withBind('"*:9090"'),
      problems: [
        [
          '4:11',
          'SLUICE_CONFIG_DUPLICATE_BIND',
          'the admin server has 127.0.0.1:9090 unless admin.listen is',
        ],
      ],
    },
    {
      name: 'the address of an admin server as written',
      text: withTop('admin: { listen: "127.0.0.1:8080" }'),
      problems: [
        [
          '5:18',
          'SLUICE_CONFIG_DUPLICATE_BIND',
          'listeners.web.bind (line 2) claims this address already',
        ],
      ],
    },
    {
      name: 'more binds than there are places',
      text: `listeners:
  a: { bind: ["127.0.0.1:10000-10999", "127.0.0.1:11000-11999"], pool: web }
pools:
  web: { targets: ["10.0.0.1:81"] }
`,
      problems: [
        [
          '2:40',
          'SLUICE_CONFIG_LIMIT',
          'with this there are 2000 addresses to bind, 1024 are possi',
        ],
      ],
    },
    {
      name: 'a udp listener on a unix socket',
      text: withBind('"unix:/run/x.sock"\n    protocol: udp'),
      problems: [
        [
          '4:11',
          'SLUICE_CONFIG_ADDRESS',
          'a udp listener takes IP addresses: there is no unix socket',
        ],
      ],
    },
    {
      name: 'udp keys in a tcp listener',
      text: withBind('"127.0.0.1:80"\n    bulk: true\n    udp: { responses: 1 }'),
      problems: [
        ['5:5', 'SLUICE_CONFIG_PROTOCOL_OPTION', 'bulk is for udp listeners, and this one is tcp'],
        ['6:5', 'SLUICE_CONFIG_PROTOCOL_OPTION', 'udp is for udp listeners, and this one is tcp'],
      ],
    },
    {
      name: 'tcp keys in a udp listener',
      text: withBind(
        `"127.0.0.1:80"
    protocol: udp
    backlog: 5
    max_connections: 9
    tcp: { nodelay: true }
    timeouts: { connect: 1s, half_close: 1s, idle: 1s }`,
      ),
      problems: [
        [
          '6:5',
          'SLUICE_CONFIG_PROTOCOL_OPTION',
          'backlog is for tcp listeners, and this one is udp',
        ],
        [
          '7:5',
          'SLUICE_CONFIG_PROTOCOL_OPTION',
          'max_connections is for tcp listeners, and this one is udp',
          'udp.max_sessions',
        ],
        ['8:5', 'SLUICE_CONFIG_PROTOCOL_OPTION', 'tcp is for tcp listeners, and this one is udp'],
        [
          '9:17',
          'SLUICE_CONFIG_PROTOCOL_OPTION',
          'timeouts.connect is for tcp listeners, and this one is udp',
        ],
        [
          '9:30',
          'SLUICE_CONFIG_PROTOCOL_OPTION',
          'timeouts.half_close is for tcp listeners, and this one is',
        ],
      ],
    },
    {
      name: 'a unix target behind udp',
      text: `listeners:
  a: { bind: "127.0.0.1:80", protocol: udp, pool: web }
pools:
  web: { targets: ["unix:/run/x.sock"] }
`,
      problems: [
        [
          '4:20',
          'SLUICE_CONFIG_ADDRESS',
          'listeners.a is udp: a datagram cannot go to a unix socket',
        ],
      ],
    },
    {
      name: 'the same target twice',
      text: `listeners:
  a: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { targets: ["10.0.0.1:81", { address: "10.0.0.1:81", weight: 2 }] }
`,
      problems: [
        [
          '4:46',
          'SLUICE_CONFIG_DUPLICATE_TARGET',
          'pools.web.targets[0] (line 4) has this address already',
        ],
      ],
    },
    {
      name: 'the same name of a target twice',
      text: `listeners:
  a: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { targets: [{ address: "10.0.0.1:81", name: x }, { address: "10.0.0.2:81", name: x }] }
`,
      problems: [
        [
          '4:89',
          'SLUICE_CONFIG_DUPLICATE_TARGET',
          'pools.web.targets[0] (line 4) has the name "x" already',
        ],
      ],
    },
    {
      name: 'a name of a target that is an address of another',
      text: `listeners:
  a: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { targets: ["10.0.0.1:81", { address: "10.0.0.2:81", name: "10.0.0.1:81" }] }
`,
      problems: [
        [
          '4:67',
          'SLUICE_CONFIG_DUPLICATE_TARGET',
          'pools.web.targets[0] (line 4) has the name "10.0.0.1:81" a',
        ],
      ],
    },
    {
      name: 'a target that is its own listener',
      text: `listeners:
  a: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { targets: ["127.0.0.1:80"] }
`,
      problems: [
        [
          '4:20',
          'SLUICE_CONFIG_LOOP',
          'a loop: this is the address of listeners.a, which this poo',
        ],
      ],
    },
    {
      name: 'a target that is its own listener by name',
      text: `listeners:
  a: { bind: "*:80", pool: web }
pools:
  web: { targets: ["localhost:80"] }
`,
      problems: [
        [
          '4:20',
          'SLUICE_CONFIG_LOOP',
          'a loop: this is the address of listeners.a, which this poo',
        ],
      ],
    },
    {
      name: 'a target that is its own unix socket',
      text: `listeners:
  a: { bind: "unix:/run/a.sock", pool: web }
pools:
  web: { targets: ["unix:/run/a.sock"] }
`,
      problems: [
        [
          '4:20',
          'SLUICE_CONFIG_LOOP',
          'a loop: this is the address of listeners.a, which this poo',
        ],
      ],
    },
    {
      name: 'a circle over two listeners',
      text: `listeners:
  a: { bind: "127.0.0.1:80", pool: a }
  b: { bind: "127.0.0.1:81", pool: b }
pools:
  a: { targets: ["127.0.0.1:81"] }
  b: { targets: ["10.0.0.1:80", "127.0.0.1:80"] }
`,
      problems: [
        [
          '5:18',
          'SLUICE_CONFIG_LOOP',
          'a loop: this is the address of listeners.b, which leads ba',
        ],
        [
          '6:33',
          'SLUICE_CONFIG_LOOP',
          'a loop: this is the address of listeners.a, which leads ba',
        ],
      ],
    },
    {
      name: 'a timeout longer than its interval',
      text: withPool('health: { interval: 1s, timeout: 2s }'),
      problems: [['6:38', 'SLUICE_CONFIG_HEALTH', '2s is longer than the interval, 1s']],
    },
    {
      name: 'a timeout longer than the default interval',
      text: withPool('health: { timeout: 3s }'),
      problems: [['6:24', 'SLUICE_CONFIG_HEALTH', '3s is longer than the interval, 2s']],
    },
    {
      name: 'a fast interval longer than its interval',
      text: withPool('health: { fast_interval: 3s, down_interval: 5s }'),
      problems: [['6:30', 'SLUICE_CONFIG_HEALTH', '3s is longer than the interval, 2s']],
    },
    {
      name: 'a role that the probe cannot know',
      text: withPool('role: primary'),
      problems: [['6:11', 'SLUICE_CONFIG_HEALTH', 'redis, postgresql or mysql, not tcp']],
    },
    {
      name: 'a role that is told to nobody who does not log in',
      text: withPool('role: replica\n    health: postgresql'),
      problems: [['6:11', 'SLUICE_CONFIG_HEALTH', 'without one postgresql does not tell its role']],
    },
    {
      name: 'a login where nobody logs in',
      text: withPool('health: { type: tcp, login: { user: me } }'),
      problems: [
        [
          '6:26',
          'SLUICE_CONFIG_HEALTH',
          'login goes with type redis, postgresql, mysql, and the type here is tcp',
        ],
      ],
    },
    {
      name: 'a login without what its protocol needs',
      text: withPool(`health: { type: redis, login: { user: me } }
  b: { targets: ["10.0.0.1:1"], health: { type: postgresql, login: { database: x } } }
  c: { targets: ["10.0.0.1:1"], health: { type: mysql, login: { password_file: /p } } }`),
      problems: [
        ['6:35', 'SLUICE_CONFIG_MISSING', 'a login to redis needs password_file'],
        ['7:68', 'SLUICE_CONFIG_MISSING', 'a login to postgresql needs user'],
        ['8:63', 'SLUICE_CONFIG_MISSING', 'a login to mysql needs user'],
      ],
    },
    {
      name: 'a login of impossible texts',
      text: withPool(
        'health: { type: postgresql, login: { user: "a\\x01", password_file: secret } }',
      ),
      problems: [
        ['6:48', 'SLUICE_CONFIG_NAME', 'is longer than 128 characters or has a control character'],
        ['6:72', 'SLUICE_CONFIG_VALUE', 'not the path of a file', './secret'],
      ],
    },
    {
      name: 'ping of a unix socket',
      text: `listeners:
  a: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { health: ping, targets: ["unix:/run/x.sock"] }
`,
      problems: [
        [
          '4:34',
          'SLUICE_CONFIG_HEALTH',
          'the pool is checked by ping, and a unix socket has no IP a',
        ],
      ],
    },
    {
      name: 'a source of the wrong family',
      text: `listeners:
  a: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { source: "10.0.0.5", targets: ["[fd00::1]:80", "db1:80"] }
`,
      problems: [
        [
          '4:40',
          'SLUICE_CONFIG_ADDRESS',
          'the target is IPv6, but no address in pools.web.source is',
        ],
      ],
    },
    {
      name: 'load of a policy that does not count any',
      text: `listeners:
  a: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { policy: { name: random, load: turns }, targets: ["10.0.0.1:80"] }
`,
      problems: [
        [
          '4:34',
          'SLUICE_CONFIG_POLICY_SETTING',
          'random does not count load: least_connections, least_respon',
        ],
      ],
    },
    {
      name: 'turns where a udp listener uses the pool',
      text: `listeners:
  a: { bind: "127.0.0.1:53", pool: dns, protocol: udp }
pools:
  dns: { policy: { name: power_of_two, load: turns }, targets: ["10.0.0.1:53"] }
`,
      problems: [
        [
          '4:40',
          'SLUICE_CONFIG_POLICY_SETTING',
          'listeners.a is udp: sessions have no turns, only connection',
        ],
      ],
    },
    {
      name: 'everything at once',
      text: `listeners:
  web:
    bind: "127.0.0.1:70000"
    pool: wbe
    protocol: tpc
    timeout: 5s
  api:
    bind: "127.0.0.1:80"
    pool: web
    timeouts: { idle: 5 }
pools:
  web:
    policy: round_robbin
    targets:
      - { address: "127.0.0.1:80", weight: -1 }
      - "10.0.0.1"
    health: { type: pong, timeout: 5s }
`,
      problems: [
        ['3:11', 'SLUICE_CONFIG_PORT', 'port 70000 is above 65535'],
        ['4:11', 'SLUICE_CONFIG_UNKNOWN_POOL', 'no pool is called "wbe"', 'web'],
        ['5:15', 'SLUICE_CONFIG_VALUE', '"tpc" is not one of tcp, udp', 'tcp'],
        ['6:5', 'SLUICE_CONFIG_UNKNOWN_KEY', 'no key "timeout" here', 'timeouts'],
        ['10:23', 'SLUICE_CONFIG_DURATION', '5 has no unit', '5s'],
        [
          '13:13',
          'SLUICE_CONFIG_VALUE',
          '"round_robbin" is not one of round_robin, weighted_round_r',
          'round_robin',
        ],
        [
          '15:20',
          'SLUICE_CONFIG_LOOP',
          'a loop: this is the address of listeners.api, which this p',
        ],
        ['15:44', 'SLUICE_CONFIG_RANGE', '-1 is outside 0 to 65535'],
        ['16:9', 'SLUICE_CONFIG_ADDRESS', '"10.0.0.1" has no port: write address:port'],
        [
          '17:21',
          'SLUICE_CONFIG_VALUE',
          '"pong" is not one of tcp, ping, tls, http, https, send_ex',
          'ping',
        ],
        ['17:36', 'SLUICE_CONFIG_HEALTH', '5s is longer than the interval, 2s'],
      ],
    },
  ]);
});
