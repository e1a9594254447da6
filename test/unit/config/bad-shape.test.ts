// Keys and values of the wrong shape, each found where it stands.
import { describe } from 'vitest';
import {
  testBadFiles,
  withBind,
  withListener,
  withPool,
  withTarget,
  withTop,
} from '../../support/bad-file.js';

describe('a file is refused for', () => {
  testBadFiles('errors', [
    {
      name: 'listeners missing',
      text: `pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [['1:1', 'SLUICE_CONFIG_MISSING', 'is required here']],
    },
    {
      name: 'pools missing',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
`,
      problems: [['1:1', 'SLUICE_CONFIG_MISSING', 'is required here']],
    },
    {
      name: 'no listener',
      text: `listeners: {}
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [['1:12', 'SLUICE_CONFIG_MISSING', 'needs at least one listener']],
    },
    {
      name: 'listeners without a value',
      text: `listeners:
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [['1:1', 'SLUICE_CONFIG_MISSING', 'has no value']],
    },
    {
      name: 'listeners as a list',
      text: `listeners:
  - bind: "127.0.0.1:80"
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [['2:3', 'SLUICE_CONFIG_TYPE', 'expected a map, not a list']],
    },
    {
      name: 'a listener as a text',
      text: `listeners:
  web: "127.0.0.1:80"
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [['2:8', 'SLUICE_CONFIG_TYPE', 'expected a map, not "127.0.0.1:80"']],
    },
    {
      name: 'an unknown key at the top',
      text: withTop('listener: {}'),
      problems: [['5:1', 'SLUICE_CONFIG_UNKNOWN_KEY', 'no key "listener" here', 'listeners']],
    },
    {
      name: 'a misspelt key',
      text: withListener('bnd: "127.0.0.1:80"'),
      problems: [['4:5', 'SLUICE_CONFIG_UNKNOWN_KEY', 'no key "bnd" here', 'bind']],
    },
    {
      name: 'a key of another product',
      text: withListener('listen: "127.0.0.1:80"'),
      problems: [['4:5', 'SLUICE_CONFIG_UNKNOWN_KEY', 'no key "listen" here', 'bind']],
    },
    {
      name: 'a key one level too high',
      text: withBind('"127.0.0.1:80"\n    idle: 5s'),
      problems: [['5:5', 'SLUICE_CONFIG_UNKNOWN_KEY', 'no key "idle" here', 'timeouts.idle']],
    },
    {
      name: 'a key with dashes',
      text: withBind('"127.0.0.1:80"\n    max-connections: 5'),
      problems: [
        ['5:5', 'SLUICE_CONFIG_UNKNOWN_KEY', 'no key "max-connections" here', 'max_connections'],
      ],
    },
    {
      name: 'a key like nothing known',
      text: withBind('"127.0.0.1:80"\n    tls: true'),
      problems: [
        [
          '5:5',
          'SLUICE_CONFIG_UNKNOWN_KEY',
          'no key "tls" here; known here: bind, protocol, pool, timeo',
        ],
      ],
    },
    {
      name: 'a listener without binds',
      text: `listeners:
  web: { pool: web }
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [['2:3', 'SLUICE_CONFIG_MISSING', 'is required here']],
    },
    {
      name: 'an empty list of binds',
      text: withBind('[]'),
      problems: [['4:11', 'SLUICE_CONFIG_MISSING', 'the list is empty: at least 1 is needed']],
    },
    {
      name: 'a bind without a value',
      text: withBind(''),
      problems: [['4:5', 'SLUICE_CONFIG_MISSING', 'has no value']],
    },
    {
      name: 'a bind as a map',
      text: withBind('{ port: 80 }'),
      problems: [['4:11', 'SLUICE_CONFIG_TYPE', 'expected a text or a list, not a map']],
    },
    {
      name: 'a listener without a pool',
      text: `listeners:
  web: { bind: "127.0.0.1:80" }
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [['2:3', 'SLUICE_CONFIG_MISSING', 'is required here']],
    },
    {
      name: 'a pool that is a number',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: 5 }
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [['2:38', 'SLUICE_CONFIG_TYPE', '5 is not a name', '"5"']],
    },
    {
      name: 'a protocol misspelt',
      text: withBind('"127.0.0.1:80"\n    protocol: TCP'),
      problems: [['5:15', 'SLUICE_CONFIG_VALUE', '"TCP" is not one of tcp, udp', 'tcp']],
    },
    {
      name: 'a protocol of another layer',
      text: withBind('"127.0.0.1:80"\n    protocol: http'),
      problems: [['5:15', 'SLUICE_CONFIG_VALUE', '"http" is not one of tcp, udp']],
    },
    {
      name: 'a boolean in words',
      text: withTop('watch: yes'),
      problems: [['5:8', 'SLUICE_CONFIG_TYPE', '"yes" is not true or false', 'true']],
    },
    {
      name: 'a duration without a unit',
      text: withBind('"127.0.0.1:80"\n    timeouts: { connect: 5 }'),
      problems: [['5:26', 'SLUICE_CONFIG_DURATION', '5 has no unit', '5s']],
    },
    {
      name: 'a duration in words',
      text: withBind('"127.0.0.1:80"\n    timeouts: { connect: 5 seconds }'),
      problems: [
        [
          '5:26',
          'SLUICE_CONFIG_DURATION',
          '"5 seconds" is not a duration (250ms, 2s, 5m, 1h, 1d)',
          '5s',
        ],
      ],
    },
    {
      name: 'a fraction of a second',
      text: withBind('"127.0.0.1:80"\n    timeouts: { connect: 1.5s }'),
      problems: [
        [
          '5:26',
          'SLUICE_CONFIG_DURATION',
          '"1.5s" is not a duration (250ms, 2s, 5m, 1h, 1d)',
          '1500ms',
        ],
      ],
    },
    {
      name: 'a negative duration',
      text: withBind('"127.0.0.1:80"\n    timeouts: { connect: -1s }'),
      problems: [
        ['5:26', 'SLUICE_CONFIG_DURATION', '"-1s" is not a duration (250ms, 2s, 5m, 1h, 1d)'],
      ],
    },
    {
      name: 'a duration of zero that would end all',
      text: withBind('"127.0.0.1:80"\n    timeouts: { idle: 0s }'),
      problems: [['5:23', 'SLUICE_CONFIG_RANGE', '0s is outside 1ms to 24d', 'off']],
    },
    {
      name: 'a duration longer than timers count',
      text: withBind('"127.0.0.1:80"\n    timeouts: { lifetime: 25d }'),
      problems: [['5:27', 'SLUICE_CONFIG_DURATION', '25d is longer than 24 days']],
    },
    {
      name: 'a connect timeout switched off',
      text: withBind('"127.0.0.1:80"\n    timeouts: { connect: off }'),
      problems: [
        ['5:26', 'SLUICE_CONFIG_DURATION', '"off" is not a duration (250ms, 2s, 5m, 1h, 1d)'],
      ],
    },
    {
      name: 'keep-alive in fractions of seconds',
      text: withBind('"127.0.0.1:80"\n    tcp: { keepalive: { idle: 1500ms } }'),
      problems: [
        ['5:31', 'SLUICE_CONFIG_RANGE', '1500ms is not whole seconds, as the kernel needs here'],
      ],
    },
    {
      name: 'keep-alive that is true',
      text: withBind('"127.0.0.1:80"\n    tcp: { keepalive: true }'),
      problems: [['5:23', 'SLUICE_CONFIG_VALUE', 'true is not off or a map']],
    },
    {
      name: 'a size without a unit',
      text: withTop('engine: { buffer: 65536 }'),
      problems: [['5:19', 'SLUICE_CONFIG_SIZE', '65536 has no unit', '64KiB']],
    },
    {
      name: 'a size in powers of ten',
      text: withTop('engine: { buffer: 64KB }'),
      problems: [
        ['5:19', 'SLUICE_CONFIG_SIZE', '"64KB" is not a size (512B, 64KiB, 1MiB)', '64KiB'],
      ],
    },
    {
      name: 'a size out of bounds',
      text: withTop('engine: { buffer: 1GiB }'),
      problems: [['5:19', 'SLUICE_CONFIG_RANGE', '1GiB is outside 4KiB to 1MiB']],
    },
    {
      name: 'more workers than there may be',
      text: withTop('engine: { workers: 65 }'),
      problems: [['5:20', 'SLUICE_CONFIG_RANGE', '65 is outside 1 to 64']],
    },
    {
      name: 'workers in words',
      text: withTop('engine: { workers: atuo }'),
      problems: [
        ['5:20', 'SLUICE_CONFIG_VALUE', '"atuo" is neither auto nor a whole number', 'auto'],
      ],
    },
    {
      name: 'half a worker',
      text: withTop('engine: { workers: 1.5 }'),
      problems: [['5:20', 'SLUICE_CONFIG_TYPE', '1.5 is not a whole number']],
    },
    {
      name: 'a backlog in quotes',
      text: withBind('"127.0.0.1:80"\n    backlog: "128"'),
      problems: [
        ['5:14', 'SLUICE_CONFIG_TYPE', '"128" is not a whole number: remove the quotes', '128'],
      ],
    },
    {
      name: 'a backlog that is not a number',
      text: withBind('"127.0.0.1:80"\n    backlog: .nan'),
      problems: [['5:14', 'SLUICE_CONFIG_TYPE', 'NaN is not a whole number']],
    },
    {
      name: 'a limit of zero',
      text: withBind('"127.0.0.1:80"\n    max_connections: 0'),
      problems: [['5:22', 'SLUICE_CONFIG_RANGE', '0 is outside 1 to 1000000000', 'off']],
    },
    {
      name: 'a mode that YAML reads as decimal',
      text: withBind('"unix:/run/x"\n    unix_mode: 0660'),
      problems: [
        [
          '5:16',
          'SLUICE_CONFIG_VALUE',
          '660 is not a mode: write octal digits in quotes, as "0660"',
          '"0660"',
        ],
      ],
    },
    {
      name: 'a log level that does not exist',
      text: withTop('log: { level: verbose }'),
      problems: [
        [
          '5:15',
          'SLUICE_CONFIG_VALUE',
          '"verbose" is not one of trace, debug, info, warn, error, s',
        ],
      ],
    },
    {
      name: 'a state file without a slash',
      text: withTop('state: { file: state.json }'),
      problems: [['5:16', 'SLUICE_CONFIG_VALUE', 'not the path of a file', './state.json']],
    },
    {
      name: 'a state file that is a folder, and writes without a pause',
      text: withTop('state: { file: /var/lib/, interval: 1ms }'),
      problems: [
        ['5:16', 'SLUICE_CONFIG_VALUE', '"/var/lib/" is not the path of a file'],
        ['5:37', 'SLUICE_CONFIG_RANGE', '1ms'],
      ],
    },
    {
      name: 'a state without a file',
      text: withTop('state: {}'),
      problems: [['5:1', 'SLUICE_CONFIG_MISSING', 'is required here']],
    },
    {
      name: 'a log output without a slash',
      text: withTop('log: { output: stdot }'),
      problems: [
        [
          '5:16',
          'SLUICE_CONFIG_VALUE',
          '"stdot" is neither stdout nor stderr nor a path with a "/"',
          'stdout',
        ],
      ],
    },
    {
      name: 'syslog servers and rotations that cannot be',
      text: withTop(
        'log: { output: "syslog:l", access: "syslog://l:70000", rotate: { size: 1KiB, keep: -1 } }',
      ),
      problems: [
        ['5:16', 'SLUICE_CONFIG_VALUE', '"syslog:l" is not syslog://host:port'],
        ['5:36', 'SLUICE_CONFIG_PORT', 'port 70000 is above 65535'],
        ['5:72', 'SLUICE_CONFIG_RANGE', '1KiB is outside 64KiB to'],
        ['5:84', 'SLUICE_CONFIG_RANGE', '-1'],
      ],
    },
    {
      name: 'a rotation without a size',
      text: withTop('log: { rotate: { keep: 2 } }'),
      problems: [['5:8', 'SLUICE_CONFIG_MISSING', 'is required here']],
    },
    {
      name: 'an admin address without a port',
      text: withTop('admin: { listen: 127.0.0.1 }'),
      problems: [['5:18', 'SLUICE_CONFIG_ADDRESS', '"127.0.0.1" has no port: write address:port']],
    },
    {
      name: 'an admin address with a range',
      text: withTop('admin: { listen: "127.0.0.1:9090-9099" }'),
      problems: [['5:18', 'SLUICE_CONFIG_PORT', 'the admin server has one port, not a range']],
    },
    {
      name: 'a pool without targets',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { policy: random }
`,
      problems: [['4:3', 'SLUICE_CONFIG_MISSING', 'is required here']],
    },
    {
      name: 'a pool with an empty list of targets',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { targets: [] }
`,
      problems: [['4:19', 'SLUICE_CONFIG_MISSING', 'the list is empty: at least 1 is needed']],
    },
    {
      name: 'targets as a text',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { targets: "10.0.0.1:80" }
`,
      problems: [['4:19', 'SLUICE_CONFIG_TYPE', 'expected a list, not "10.0.0.1:80"']],
    },
    {
      name: 'a policy misspelt',
      text: withPool('policy: least_conections'),
      problems: [
        [
          '6:13',
          'SLUICE_CONFIG_VALUE',
          '"least_conections" is not one of round_robin, weighted_rou',
          'least_connections',
        ],
      ],
    },
    {
      name: 'a policy map without a name',
      text: withPool('policy: { prefix_v4: 24 }'),
      problems: [['6:5', 'SLUICE_CONFIG_MISSING', 'is required here']],
    },
    {
      name: 'a prefix longer than an address',
      text: withPool('policy: { name: source_hash, prefix_v4: 33 }'),
      problems: [['6:45', 'SLUICE_CONFIG_RANGE', '33 is outside 1 to 32']],
    },
    {
      name: 'a health type that does not exist',
      text: withPool('health: htp'),
      problems: [
        [
          '6:13',
          'SLUICE_CONFIG_VALUE',
          '"htp" is not one of tcp, ping, tls, http, https, send_exp',
          'http',
        ],
      ],
    },
    {
      name: 'a health key misspelt',
      text: withPool('health: { intervall: 5s }'),
      problems: [['6:15', 'SLUICE_CONFIG_UNKNOWN_KEY', 'no key "intervall" here', 'interval']],
    },
    {
      name: 'a jitter above one half',
      text: withPool('health: { jitter: 0.6 }'),
      problems: [['6:23', 'SLUICE_CONFIG_RANGE', '0.6 is outside 0 to 0.5']],
    },
    {
      name: 'a health check as a list',
      text: withPool('health: [tcp]'),
      problems: [['6:13', 'SLUICE_CONFIG_TYPE', 'expected a text or a map, not a list']],
    },
    {
      name: 'more retries than there may be',
      text: withPool('retries: 16'),
      problems: [['6:14', 'SLUICE_CONFIG_RANGE', '16 is outside 0 to 15']],
    },
    {
      name: 'on_down misspelt',
      text: withPool('on_down: shut'),
      problems: [['6:14', 'SLUICE_CONFIG_VALUE', '']],
    },
    {
      name: 'a drain that is never to close, and slowly',
      text: withPool('drain: { deadline: never, close_over: off }'),
      problems: [
        ['6:24', 'SLUICE_CONFIG_DURATION', ''],
        ['6:43', 'SLUICE_CONFIG_DURATION', ''],
      ],
    },
    {
      name: 'when_none_healthy misspelt',
      text: withPool('when_none_healthy: use-all'),
      problems: [
        ['6:24', 'SLUICE_CONFIG_VALUE', '"use-all" is not one of refuse, use_all, park', 'use_all'],
      ],
    },
    {
      name: 'a stickiness that there is not',
      text: withPool('sticky: cookie'),
      problems: [['6:13', 'SLUICE_CONFIG_VALUE', '"cookie" is not one of off, source']],
    },
    {
      name: 'a stickiness by nothing',
      text: withPool('sticky: { expire: 5m }'),
      problems: [['6:5', 'SLUICE_CONFIG_MISSING', 'is required here']],
    },
    {
      name: 'stickiness that ends at once, and one that remembers nobody',
      text: withPool('sticky: { by: source, expire: 10ms, capacity: 0 }'),
      problems: [
        ['6:35', 'SLUICE_CONFIG_RANGE', '10ms is outside 1s to 24d'],
        ['6:51', 'SLUICE_CONFIG_RANGE', '0 is outside 1 to 16777216'],
      ],
    },
    {
      name: 'choices of a sticky pool misspelt',
      text: withPool('sticky: { by: source, when_down: wait, when_draining: leave }'),
      problems: [
        ['6:38', 'SLUICE_CONFIG_VALUE', '"wait" is not one of repick, refuse'],
        ['6:59', 'SLUICE_CONFIG_VALUE', '"leave" is not one of stay, repick'],
      ],
    },
    {
      name: 'weight -1',
      text: withTarget('{ address: "10.0.0.1:80", weight: -1 }'),
      problems: [['6:43', 'SLUICE_CONFIG_RANGE', '-1 is outside 0 to 65535']],
    },
    {
      name: 'a weight above 65535',
      text: withTarget('{ address: "10.0.0.1:80", weight: 65536 }'),
      problems: [['6:43', 'SLUICE_CONFIG_RANGE', '65536 is outside 0 to 65535']],
    },
    {
      name: 'a target without an address',
      text: withTarget('{ name: db1 }'),
      problems: [['6:9', 'SLUICE_CONFIG_MISSING', 'is required here']],
    },
    {
      name: 'a target that is a number',
      text: withTarget('9001'),
      problems: [['6:9', 'SLUICE_CONFIG_ADDRESS', '9001 is only a port', '127.0.0.1:9001']],
    },
    {
      name: 'a target without a value',
      text: withTarget(''),
      problems: [['6:7', 'SLUICE_CONFIG_MISSING', 'has no value']],
    },
    {
      name: 'a target name with a space',
      text: withTarget('{ address: "10.0.0.1:80", name: "db 1" }'),
      problems: [
        [
          '6:41',
          'SLUICE_CONFIG_NAME',
          '"db 1" is not usable as a name: 1 to 128 characters withou',
        ],
      ],
    },
  ]);
});
