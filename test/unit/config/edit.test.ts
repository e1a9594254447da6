// Edits of a configuration's text: what is changed, and that nothing else is.
import { expect, it } from 'vitest';
import { editConfig } from '../../../src/config/edit.js';
import type { ConfigEdit } from '../../../src/model/config-change.js';
import { load } from '../../support/bad-file.js';

const text = `# Head.
listeners:
  web: { bind: "127.0.0.1:80", pool: web } # in a line

pools:
  web:
    # The first is old.
    targets:
      - 10.0.0.1:80 # old
      # The second has a name.
      - { name: two, address: "10.0.0.2:80", weight: 3 }
    policy: least_connections
  other:
    targets: [ "10.0.0.9:80" ]
  copy: &copy
    targets: &list [ 10.0.0.8:80 ]
  alias: *copy
  listed: { targets: *list }
`;

function edited(edit: ConfigEdit): string {
  const result = editConfig(text, edit);
  if (!result.ok) throw new Error(result.why);
  return result.text;
}

it('changes one line and leaves comments, order and quotes', () => {
  const set = (target: string, weight: number) =>
    edited({ kind: 'set', pool: 'web', target, settings: { weight } });
  expect(set('two', 5)).toBe(text.replace('weight: 3', 'weight: 5'));
  expect(set('10.0.0.1:80', 7)).toBe(
    text.replace('- 10.0.0.1:80 # old', '- { address: 10.0.0.1:80, weight: 7 } # old'),
  );
  expect(edited({ kind: 'set', pool: 'web', target: 'two', settings: { maxConnections: 0 } })).toBe(
    text.replace('weight: 3', 'weight: 3, max_connections: off'),
  );
});

it('adds at the end and removes', () => {
  const settings = { weight: 2, maxConnections: 9 };
  const added = edited({ kind: 'add', pool: 'other', name: 'n', address: '[::1]:80', settings });
  expect(added).toBe(
    text.replace(
      '[ "10.0.0.9:80" ]',
      '[ "10.0.0.9:80", { name: n, address: "[::1]:80", weight: 2, max_connections: 9 } ]',
    ),
  );
  const removed = edited({ kind: 'remove', pool: 'web', target: 'two' });
  expect(removed).toBe(text.replace(/ +# The second.*\n.*weight: 3 }\n/, ''));
  const loaded = load(removed);
  expect(loaded.ok && loaded.config.pools[0]?.targets.length).toBe(1);
});

it('says what there is not, and does not touch what is written by reference', () => {
  const why = (pool: string, target: string) => {
    const result = editConfig(text, { kind: 'remove', pool, target });
    return result.ok ? '' : result.why;
  };
  expect(why('nowhere', 'two')).toBe('no_pool');
  expect(why('__proto__', 'two')).toBe('no_pool');
  expect(why('web', 'three')).toBe('no_target');
  expect(why('alias', '10.0.0.8:80')).toBe('alias');
  expect(why('listed', '10.0.0.8:80')).toBe('alias');
});
