// Every way in which who may ask the admin API can be wrong, with its place.
import { describe } from 'vitest';
import { testBadFiles, withTop } from '../../support/bad-file.js';

describe('a file is refused for', () => {
  testBadFiles('errors', [
    {
      name: 'an admin server on the network without tokens',
      text: withTop('admin: { listen: "*:9000", tokens: [] }'),
      problems: [
        [
          '5:18',
          'SLUICE_CONFIG_ADMIN_OPEN',
          'other machines reach the admin server here, so it needs admin.tokens',
        ],
      ],
    },
    {
      name: 'two tokens of one name',
      text: withTop(`admin:
  tokens:
    - { name: a, role: read, hash: "sha256:${'0'.repeat(64)}" }
    - { name: a, role: admin, hash: "sha256:${'1'.repeat(64)}" }`),
      problems: [['8:15', 'SLUICE_CONFIG_DUPLICATE_TOKEN', 'another token is called a']],
    },
    {
      name: 'a token in the place of its hash, which is not shown',
      text: withTop('admin: { tokens: [{ name: a, role: read, hash: secret }] }'),
      problems: [
        [
          '5:48',
          'SLUICE_CONFIG_VALUE',
          'this is not the hash of a token: `sluice token` makes both',
        ],
      ],
    },
    {
      name: 'a host with a port',
      text: withTop('admin: { hosts: ["lb.example.com:80"] }'),
      problems: [
        [
          '5:18',
          'SLUICE_CONFIG_VALUE',
          '"lb.example.com:80" is not the name or address of a host, without a port',
        ],
      ],
    },
  ]);
});
