// Health checks that cannot work: each is told of at its place.
import { describe } from 'vitest';
import { type BadFile, testBadFiles, withPool } from '../../support/bad-file.js';

const health = 'SLUICE_CONFIG_HEALTH';
const value = 'SLUICE_CONFIG_VALUE';
const long = (count: number) => 'x'.repeat(count);

/** The check under test stands at line 6, column 13. */
const withHealth = (text: string) => withPool(`health: ${text}`);

const shapes: readonly BadFile[] = [
  {
    name: 'a pattern that is none',
    text: withHealth('{ type: http, http: { body_regex: "(" } }'),
    problems: [['6:47', value, '"(" is not a pattern of RE2']],
  },
  {
    name: 'a pattern that RE2 does not have',
    text: withHealth('{ type: http, http: { body_regex: "a(?=b)" } }'),
    problems: [['6:47', value, 'invalid or unsupported Perl syntax']],
  },
  {
    name: 'a pattern that is too long',
    text: withHealth(`{ type: http, http: { body_regex: "${long(513)}" } }`),
    problems: [['6:47', 'SLUICE_CONFIG_LIMIT', '513 characters, 512 are possible']],
  },
  {
    name: 'bytes that are not hexadecimal',
    text: withHealth('{ type: udp, udp: { send_hex: "0d 0" } }'),
    problems: [['6:43', value, '"0d 0" is not bytes in hexadecimal']],
  },
  {
    name: 'a text that is too long, and an empty one',
    text: withHealth(`{ type: udp, udp: { send: "${long(4097)}", expect: "" } }`),
    problems: [
      ['6:39', 'SLUICE_CONFIG_LIMIT', '4097 bytes, 4096 are possible'],
      ['6:4148', 'SLUICE_CONFIG_TYPE', '"" is not a text'],
    ],
  },
  {
    name: 'a number where a text is meant',
    text: withHealth('{ type: udp, udp: { send: 1 } }'),
    problems: [['6:39', 'SLUICE_CONFIG_TYPE', '1 is not a text', '"1"']],
  },
  {
    name: 'statuses that are none',
    text: withHealth('{ type: http, http: { status: [99, "300-200", "2xx"] } }'),
    problems: [
      ['6:44', value, '99 is not an HTTP status'],
      ['6:48', value, '"300-200" is not an HTTP status'],
      ['6:59', value, '"2xx" is not an HTTP status'],
    ],
  },
  {
    name: 'paths that are none',
    text: withHealth('{ type: http, http: { path: status, host: "a b" } }'),
    problems: [
      ['6:41', value, '"status" is not a path', '/status'],
      ['6:55', value, '"a b" is not a host'],
    ],
  },
  {
    name: 'names that are none',
    text: withHealth('{ type: tls, tls: { server_name: "10.0.0.1", ca: ca.pem, alpn: ["h 2"] } }'),
    problems: [
      ['6:46', value, '"10.0.0.1" is not the name of a host'],
      ['6:62', value, '"ca.pem" is not the absolute path of a file'],
      ['6:77', value, '"h 2" is not the name of a protocol'],
    ],
  },
  {
    name: 'a name that DNS cannot hold',
    text: withHealth(`{ type: dns, dns: { name: "${long(64)}.test", codes: [NXDOMAN] } }`),
    problems: [
      ['6:39', value, 'is not a name in DNS'],
      ['6:120', value, '"NXDOMAN" is not one of', 'NXDOMAIN'],
    ],
  },
  {
    name: 'a service that is none',
    text: withHealth('{ type: grpc, grpc: { service: "a b" } }'),
    problems: [['6:44', value, '"a b" is not the name of a service']],
  },
  {
    name: 'an argument with a NUL',
    text: withHealth('{ type: exec, exec: { command: ["/bin/x", "a\\0b"] } }'),
    problems: [['6:55', value, 'cannot hold a NUL']],
  },
  {
    name: 'a key of a section misspelt',
    text: withHealth('{ type: http, http: { pth: "/" } }'),
    problems: [['6:35', 'SLUICE_CONFIG_UNKNOWN_KEY', 'no key "pth" here', 'path']],
  },
];

const rules: readonly BadFile[] = [
  {
    name: 'a section of another type',
    text: withHealth('{ type: tcp, http: { path: "/" } }'),
    problems: [['6:26', health, 'http goes with type http, https, and the type here is tcp']],
  },
  {
    name: 'a section without its type',
    text: withHealth('{ tls: { verify: false } }'),
    problems: [
      [
        '6:15',
        health,
        'tls goes with type tls, https, send_expect, grpc, and the type here is tcp',
      ],
    ],
  },
  {
    name: 'types without the settings that they need',
    text: `listeners:
  a: { bind: "127.0.0.1:80", pool: a }
  b: { bind: "127.0.0.1:81", pool: b }
  c: { bind: "127.0.0.1:82", pool: c }
  d: { bind: "127.0.0.1:83", pool: d }
pools:
  a: { targets: ["10.0.0.1:80"], health: send_expect }
  b: { targets: ["10.0.0.1:80"], health: { type: dns } }
  c: { targets: ["10.0.0.1:80"], health: { type: udp, udp: { expect: "x" } } }
  d: { targets: ["10.0.0.1:80"], health: exec }
`,
    problems: [
      ['7:42', 'SLUICE_CONFIG_MISSING', 'type send_expect needs settings: send_expect: {steps:'],
      ['8:42', 'SLUICE_CONFIG_MISSING', 'type dns needs settings: dns: {name: "example.org"}'],
      ['9:60', 'SLUICE_CONFIG_MISSING', 'needs send or send_hex'],
      ['10:42', 'SLUICE_CONFIG_MISSING', 'type exec needs settings: exec: {command:'],
    ],
  },
  {
    name: 'steps with no key and with two',
    text: withHealth(
      '{ type: send_expect, send_expect: { steps: [{}, { send: a, expect: b }, { send: c }] } }',
    ),
    problems: [
      ['6:57', health, 'a step has one of send, send_hex, expect, expect_hex, expect_regex'],
      ['6:61', health, 'a step has one key, this one has send and expect: make two steps'],
    ],
  },
  {
    name: 'two payloads and two expectations',
    text: withHealth('{ type: udp, udp: { send: a, send_hex: "00", expect: b, expect_regex: c } }'),
    problems: [
      ['6:42', health, 'send stands here already'],
      ['6:69', health, 'expect stands here already'],
    ],
  },
  {
    name: 'a body in the answer to HEAD',
    text: withHealth('{ type: http, http: { method: HEAD, body: x, body_regex: y } }'),
    problems: [
      ['6:49', health, 'an answer to HEAD has no body'],
      ['6:58', health, 'an answer to HEAD has no body'],
    ],
  },
  {
    name: 'a program that would have to be searched for',
    text: withHealth('{ type: exec, exec: { command: [check.sh, -v] } }'),
    problems: [['6:45', health, 'the program is an absolute path']],
  },
  {
    name: 'datagrams to a unix socket',
    text: `listeners:
  a: { bind: "127.0.0.1:80", pool: a }
pools:
  a: { targets: ["unix:/run/x.sock"], health: { type: dns, dns: { name: "." } } }
`,
    problems: [['4:18', health, 'dns asks by UDP: a datagram cannot go to a unix socket']],
  },
];

const agents: readonly BadFile[] = [
  {
    name: 'a timeout longer than the interval',
    text: withPool('agent: { port: 7777, interval: 1s, timeout: 2s }'),
    problems: [['6:49', health, '2s is longer than the interval, 1s']],
  },
  {
    name: 'no port',
    text: withPool('agent: { interval: 1s }'),
    problems: [['6:5', 'SLUICE_CONFIG_MISSING', 'is required here']],
  },
  {
    name: 'a unix socket beside which nothing can be asked',
    text: `listeners:
  a: { bind: "127.0.0.1:80", pool: a }
pools:
  a: { targets: ["unix:/run/x.sock"], agent: { port: 7777 } }
`,
    problems: [['4:18', health, 'the pool has agents, and a unix socket has no address']],
  },
];

const warnings: readonly BadFile[] = [
  {
    name: 'certificates to trust that are not asked',
    text: withHealth('{ type: tls, tls: { verify: false, ca: /etc/ca.pem } }'),
    problems: [['6:48', 'SLUICE_CONFIG_NO_EFFECT', 'verify is false: nothing is compared']],
  },
  {
    name: 'http checks of a pool that serves udp only',
    text: `listeners:
  a: { bind: "127.0.0.1:80", protocol: udp, pool: a }
pools:
  a: { targets: ["10.0.0.1:80"], health: { type: http } }
`,
    problems: [['4:50', health, 'only udp listeners use this pool: http says nothing about them']],
  },
];

describe('a health check of a wrong shape', () => testBadFiles('errors', shapes));
describe('a health check that contradicts itself', () => testBadFiles('errors', rules));
describe('agents with', () => testBadFiles('errors', agents));
describe('a health check that may not be meant', () => testBadFiles('warnings', warnings));
