// Addresses that cannot be bound or connected to, each with what was probably meant.
import { describe } from 'vitest';
import { testBadFiles, withBind, withPool, withTarget } from '../../support/bad-file.js';

describe('a file is refused for', () => {
  testBadFiles('errors', [
    {
      name: 'port 70000',
      text: withBind('"127.0.0.1:70000"'),
      problems: [['4:11', 'SLUICE_CONFIG_PORT', 'port 70000 is above 65535']],
    },
    {
      name: 'a port below zero',
      text: withBind('"127.0.0.1:-1"'),
      problems: [['4:11', 'SLUICE_CONFIG_PORT', '"-1" is not a port number']],
    },
    {
      name: 'a port missing',
      text: withBind('"127.0.0.1"'),
      problems: [['4:11', 'SLUICE_CONFIG_ADDRESS', '"127.0.0.1" has no port: write address:port']],
    },
    {
      name: 'a port missing behind its colon',
      text: withBind('"127.0.0.1:"'),
      problems: [['4:11', 'SLUICE_CONFIG_PORT', 'the port is missing behind ":"']],
    },
    {
      name: 'a port in words',
      text: withBind('"127.0.0.1:http"'),
      problems: [['4:11', 'SLUICE_CONFIG_PORT', '"http" is not a port number']],
    },
    {
      name: 'a bind that is only a port',
      text: withBind('8080'),
      problems: [['4:11', 'SLUICE_CONFIG_ADDRESS', '8080 is only a port', '"*:8080"']],
    },
    {
      name: 'an IPv4 address too short',
      text: withBind('"1.2.3:80"'),
      problems: [['4:11', 'SLUICE_CONFIG_ADDRESS', '"1.2.3" is not an IPv4 address']],
    },
    {
      name: 'an IPv4 address too long',
      text: withBind('"1.2.3.4.5:80"'),
      problems: [['4:11', 'SLUICE_CONFIG_ADDRESS', '"1.2.3.4.5" is not an IPv4 address']],
    },
    {
      name: 'an IPv4 address out of range',
      text: withBind('"1.2.3.256:80"'),
      problems: [['4:11', 'SLUICE_CONFIG_ADDRESS', '"1.2.3.256" is not an IPv4 address']],
    },
    {
      name: 'an IPv4 address with leading zeros',
      text: withBind('"010.0.0.1:80"'),
      problems: [['4:11', 'SLUICE_CONFIG_ADDRESS', '"010.0.0.1" is not an IPv4 address']],
    },
    {
      name: 'an IPv6 address without its bracket',
      text: withBind('"[::1:80"'),
      problems: [['4:11', 'SLUICE_CONFIG_ADDRESS', '"[::1:80" has a "[" but no "]"']],
    },
    {
      name: 'an IPv6 address without brackets',
      text: withBind('"fd00::1:2:3:4:5:6:80"'),
      problems: [
        [
          '4:11',
          'SLUICE_CONFIG_ADDRESS',
          '"fd00::1:2:3:4:5:6:80" needs brackets around its IPv6 addr',
          '[fd00::1:2:3:4:5:6]:80',
        ],
      ],
    },
    {
      name: 'an IPv6 address without a port',
      text: withBind('"[::1]"'),
      problems: [['4:11', 'SLUICE_CONFIG_ADDRESS', '"[::1]" has no port: write [address]:port']],
    },
    {
      name: 'an IPv6 address that is none',
      text: withBind('"[::g]:80"'),
      problems: [['4:11', 'SLUICE_CONFIG_ADDRESS', '"::g" is not an IPv6 address']],
    },
    {
      name: 'an interface that does not exist',
      text: withBind('"[fe80::1%nosuch0]:80"'),
      problems: [
        ['4:11', 'SLUICE_CONFIG_ADDRESS', 'this machine has no network interface "nosuch0"'],
      ],
    },
    {
      name: 'a host name in a bind',
      text: withBind('"example.org:80"'),
      problems: [
        [
          '4:11',
          'SLUICE_CONFIG_ADDRESS',
          '"example.org" is a name: a bind takes an IP address, or *',
        ],
      ],
    },
    {
      name: 'localhost in a bind',
      text: withBind('"localhost:80"'),
      problems: [
        [
          '4:11',
          'SLUICE_CONFIG_ADDRESS',
          '"localhost" is a name: a bind takes an IP address, or * fo',
          '127.0.0.1:80',
        ],
      ],
    },
    {
      name: 'a URL in a bind',
      text: withBind('"tcp://127.0.0.1:80"'),
      problems: [
        [
          '4:11',
          'SLUICE_CONFIG_ADDRESS',
          '"tcp://127.0.0.1:80" is a URL: write host:port only',
          '127.0.0.1:80',
        ],
      ],
    },
    {
      name: 'a space in an address',
      text: withBind('"127.0.0.1 :80"'),
      problems: [
        ['4:11', 'SLUICE_CONFIG_ADDRESS', '"127.0.0.1 :80" contains a space', '127.0.0.1:80'],
      ],
    },
    {
      name: 'a range that runs backwards',
      text: withBind('"127.0.0.1:8010-8000"'),
      problems: [
        ['4:11', 'SLUICE_CONFIG_PORT', 'the range 8010-8000 runs backwards', '127.0.0.1:8000-8010'],
      ],
    },
    {
      name: 'a range that is too large',
      text: withBind('"127.0.0.1:1000-3000"'),
      problems: [
        ['4:11', 'SLUICE_CONFIG_PORT', 'the range 1000-3000 has 2001 ports, 1024 are possible'],
      ],
    },
    {
      name: 'a range from port 0',
      text: withBind('"127.0.0.1:0-10"'),
      problems: [['4:11', 'SLUICE_CONFIG_PORT', 'the range 0-10 begins with port 0']],
    },
    {
      name: 'a unix path that is too long',
      text: withBind(
        '"unix:/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"',
      ),
      problems: [['4:11', 'SLUICE_CONFIG_UNIX_PATH', 'the path has 121 bytes, 107 are possible']],
    },
    {
      name: 'a unix path that is relative',
      text: withBind('"unix:run/x.sock"'),
      problems: [
        [
          '4:11',
          'SLUICE_CONFIG_UNIX_PATH',
          '"run/x.sock" is not an absolute path',
          'unix:/run/x.sock',
        ],
      ],
    },
    {
      name: 'a unix path that is a directory',
      text: withBind('"unix:/run/"'),
      problems: [['4:11', 'SLUICE_CONFIG_UNIX_PATH', '"/run/" names a directory']],
    },
    {
      name: 'an abstract socket without a name',
      text: withBind('"unix:@"'),
      problems: [['4:11', 'SLUICE_CONFIG_UNIX_PATH', 'a name is missing behind "@"']],
    },
    {
      name: 'a path without unix:',
      text: withBind('"/run/x.sock"'),
      problems: [
        ['4:11', 'SLUICE_CONFIG_ADDRESS', '"/run/x.sock" has no port', 'unix:/run/x.sock'],
      ],
    },
    {
      name: 'two bad binds in one list',
      text: withBind('["127.0.0.1:99999", "127.0.0.1:80", "x"]'),
      problems: [
        ['4:12', 'SLUICE_CONFIG_PORT', 'port 99999 is above 65535'],
        ['4:47', 'SLUICE_CONFIG_ADDRESS', '"x" has no port: write address:port'],
      ],
    },
    {
      name: 'port 70000 of a target',
      text: withTarget('"10.0.0.1:70000"'),
      problems: [['6:9', 'SLUICE_CONFIG_PORT', 'port 70000 is above 65535']],
    },
    {
      name: 'port 0 of a target',
      text: withTarget('"10.0.0.1:0"'),
      problems: [['6:9', 'SLUICE_CONFIG_PORT', 'port 0 cannot be connected to']],
    },
    {
      name: 'a range of ports in a target',
      text: withTarget('"10.0.0.1:80-90"'),
      problems: [['6:9', 'SLUICE_CONFIG_PORT', 'a target has one port, not the range 80-90']],
    },
    {
      name: 'a target without a port',
      text: withTarget('"10.0.0.1"'),
      problems: [['6:9', 'SLUICE_CONFIG_ADDRESS', '"10.0.0.1" has no port: write address:port']],
    },
    {
      name: 'a target without a host',
      text: withTarget('":80"'),
      problems: [
        ['6:9', 'SLUICE_CONFIG_ADDRESS', 'the host is missing in front of ":"', '127.0.0.1:80'],
      ],
    },
    {
      name: 'a target at every address',
      text: withTarget('"0.0.0.0:80"'),
      problems: [
        [
          '6:9',
          'SLUICE_CONFIG_ADDRESS',
          '"0.0.0.0" means every address: a target needs one',
          '127.0.0.1:80',
        ],
      ],
    },
    {
      name: 'a target at *',
      text: withTarget('"*:80"'),
      problems: [['6:9', 'SLUICE_CONFIG_ADDRESS', '"*" means every address: a target needs one']],
    },
    {
      name: 'a target whose name ends in a number',
      text: withTarget('"db.1:80"'),
      problems: [['6:9', 'SLUICE_CONFIG_ADDRESS', '"db.1" is not an IPv4 address']],
    },
    {
      name: 'a target with a bad name',
      text: withTarget('"-db-:80"'),
      problems: [
        ['6:9', 'SLUICE_CONFIG_ADDRESS', '"-db-" is neither an IP address nor a host name'],
      ],
    },
    {
      name: 'a target as a URL',
      text: withTarget('"http://db1/"'),
      problems: [
        ['6:9', 'SLUICE_CONFIG_ADDRESS', '"http://db1/" is a URL: write host:port only', 'db1'],
      ],
    },
    {
      name: 'a source with a port',
      text: withPool('source: "10.0.0.5:1000"'),
      problems: [
        [
          '6:13',
          'SLUICE_CONFIG_ADDRESS',
          '"10.0.0.5:1000" has a port: the kernel chooses the port of',
          '10.0.0.5',
        ],
      ],
    },
    {
      name: 'a source that is a name',
      text: withPool('source: eth0'),
      problems: [['6:13', 'SLUICE_CONFIG_ADDRESS', '"eth0" is not an IP address']],
    },
    {
      name: 'a source that is every address',
      text: withPool('source: ["10.0.0.5", "0.0.0.0"]'),
      problems: [
        [
          '6:26',
          'SLUICE_CONFIG_ADDRESS',
          '"0.0.0.0" is no source: leave it out to let the kernel cho',
        ],
      ],
    },
  ]);
});
