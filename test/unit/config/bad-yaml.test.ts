// Files that are not the YAML of a configuration: syntax, encoding, aliases, keys.
import { describe } from 'vitest';
import { testBadFiles, withBind, withListener } from '../../support/bad-file.js';

describe('a file is refused for', () => {
  testBadFiles('errors', [
    {
      name: 'an empty file',
      text: '',
      problems: [
        ['1:1', 'SLUICE_CONFIG_EMPTY', 'the file is empty: it needs `listeners` and `pools`'],
      ],
    },
    {
      name: 'a file of blank lines',
      text: `

  
`,
      problems: [
        ['1:1', 'SLUICE_CONFIG_EMPTY', 'the file is empty: it needs `listeners` and `pools`'],
      ],
    },
    {
      name: 'a file of comments only',
      text: `# sluice
# nothing here
`,
      problems: [
        ['1:1', 'SLUICE_CONFIG_EMPTY', 'the file says nothing: it needs `listeners` and `pools`'],
      ],
    },
    {
      name: 'a document marker and nothing else',
      text: '---\n',
      problems: [
        ['1:1', 'SLUICE_CONFIG_EMPTY', 'the file says nothing: it needs `listeners` and `pools`'],
      ],
    },
    {
      name: 'a null document',
      text: 'null\n',
      problems: [
        ['1:1', 'SLUICE_CONFIG_EMPTY', 'the file says nothing: it needs `listeners` and `pools`'],
      ],
    },
    {
      name: 'a list at the top',
      text: `- listeners
- pools
`,
      problems: [['1:1', 'SLUICE_CONFIG_TYPE', 'expected a map, not a list']],
    },
    {
      name: 'a text at the top',
      text: 'listeners\n',
      problems: [['1:1', 'SLUICE_CONFIG_TYPE', 'expected a map, not "listeners"']],
    },
    {
      name: 'a number at the top',
      text: '42\n',
      problems: [['1:1', 'SLUICE_CONFIG_TYPE', 'expected a map, not 42']],
    },
    {
      name: 'a tab as indentation',
      text: 'listeners:\n	web: {}\n',
      problems: [['2:1', 'SLUICE_CONFIG_TAB', 'indented with a tab: use spaces']],
    },
    {
      name: 'a tab after spaces',
      text: 'listeners:\n  web:\n  	pool: web\n',
      problems: [['3:3', 'SLUICE_CONFIG_TAB', 'indented with a tab: use spaces']],
    },
    {
      name: 'two documents',
      text: `listeners: {}
pools: {}
---
listeners: {}
`,
      problems: [
        [
          '3:1',
          'SLUICE_CONFIG_DOCUMENTS',
          'a second document begins here; a configuration is one docu',
        ],
      ],
    },
    {
      name: 'an alias of nothing',
      text: withListener('bind: *adress'),
      problems: [['4:11', 'SLUICE_CONFIG_ALIAS', 'no anchor &adress stands before this alias']],
    },
    {
      name: 'an alias misspelt',
      text: `listeners:
  web: { bind: &local "127.0.0.1:80", pool: web }
  api: { bind: *locl, pool: web }
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [
        ['3:16', 'SLUICE_CONFIG_ALIAS', 'no anchor &locl stands before this alias', '*local'],
      ],
    },
    {
      name: 'an alias inside its own anchor',
      text: `listeners: &all
  web: *all
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [['2:8', 'SLUICE_CONFIG_ALIAS', '*all is inside the part that it names']],
    },
    {
      name: 'an unquoted *:80',
      text: withBind('*:80'),
      problems: [
        ['4:11', 'SLUICE_CONFIG_ALIAS', 'a text that begins with * needs quotes', '"*:80"'],
      ],
    },
    {
      name: 'an unquoted [::1]:80',
      text: withBind('[::1]:80'),
      problems: [
        ['4:11', 'SLUICE_CONFIG_SYNTAX', 'a text that begins with [ needs quotes', '"[::1]:80"'],
      ],
    },
    {
      name: 'an unclosed bracket',
      text: 'listeners: { web: { bind: "127.0.0.1:80"\n',
      problems: [
        [
          '2:1',
          'SLUICE_CONFIG_SYNTAX',
          'flow map in block collection must be sufficiently indented',
        ],
      ],
    },
    {
      name: 'an unclosed quote',
      text: `listeners:
  web:
    bind: "127.0.0.1:80
    pool: web
`,
      problems: [['5:1', 'SLUICE_CONFIG_SYNTAX', 'a quote is not closed before this']],
    },
    {
      name: 'a key without a colon',
      text: `listeners:
  web
    bind: 1
`,
      problems: [['2:3', 'SLUICE_CONFIG_SYNTAX', 'implicit keys need to be on a single line']],
    },
    {
      name: 'a bad indentation',
      text: `listeners:
    web:
      pool: web
   api:
      pool: web
`,
      problems: [
        ['4:1', 'SLUICE_CONFIG_SYNTAX', 'all mapping items must start at the same column'],
      ],
    },
    {
      name: 'a duplicate key',
      text: withBind('"127.0.0.1:80"\n    pool: other'),
      problems: [
        ['5:5', 'SLUICE_CONFIG_DUPLICATE_KEY', '"pool" stands in this map already, on line 3'],
      ],
    },
    {
      name: 'a duplicate listener',
      text: `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
  web: { bind: "127.0.0.1:81", pool: web }
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [
        ['3:3', 'SLUICE_CONFIG_DUPLICATE_KEY', '"web" stands in this map already, on line 2'],
      ],
    },
    {
      name: 'a number as a key',
      text: withBind('"127.0.0.1:80"\n    80: 1'),
      problems: [['5:5', 'SLUICE_CONFIG_KEY', 'a key is a text, not 80', '"80"']],
    },
    {
      name: 'a list as a key',
      text: withBind('"127.0.0.1:80"\n    ? [a, b]\n    : 1'),
      problems: [['5:7', 'SLUICE_CONFIG_KEY', 'a key is a text, not a list or map']],
    },
    {
      name: 'an empty key',
      text: withBind('"127.0.0.1:80"\n    : 1'),
      problems: [['5:5', 'SLUICE_CONFIG_KEY', 'a key is a text, not nothing']],
    },
    {
      name: '__proto__ as a key',
      text: withBind('"127.0.0.1:80"\n    __proto__: { polluted: true }'),
      problems: [['5:5', 'SLUICE_CONFIG_KEY', '"__proto__" cannot be a key']],
    },
    {
      name: '__proto__ as a name',
      text: `listeners:
  __proto__: { bind: "127.0.0.1:80", pool: web }
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [
        ['2:3', 'SLUICE_CONFIG_KEY', '"__proto__" cannot be a key'],
        ['2:3', 'SLUICE_CONFIG_MISSING', 'needs at least one listener'],
      ],
    },
    {
      name: 'constructor as a key',
      text: withBind('"127.0.0.1:80"\n    constructor: 1'),
      problems: [
        [
          '5:5',
          'SLUICE_CONFIG_UNKNOWN_KEY',
          'no key "constructor" here; known here: bind, protocol, poo',
        ],
      ],
    },
    {
      name: 'a tag of another language',
      text: withListener('bind: !!js/function "f"'),
      problems: [['4:11', 'SLUICE_CONFIG_TAG', 'no key takes a tagged value ("!!js/function")']],
    },
    {
      name: 'a tag of nobody',
      text: withListener('bind: !address "127.0.0.1:80"'),
      problems: [['4:11', 'SLUICE_CONFIG_TAG', 'no key takes a tagged value ("!address")']],
    },
    {
      name: 'a null byte in a key',
      text: '"a\\0b": 1\n',
      problems: [
        ['1:1', 'SLUICE_CONFIG_MISSING', 'is required here'],
        ['1:1', 'SLUICE_CONFIG_MISSING', 'is required here'],
        [
          '1:1',
          'SLUICE_CONFIG_UNKNOWN_KEY',
          'no key "a\\u0000b" here; known here: listeners, pools, engi',
        ],
      ],
    },
    {
      name: 'a directive of another version',
      text: `%YAML 9.9
---
listeners: {}
`,
      problems: [
        ['3:1', 'SLUICE_CONFIG_MISSING', 'is required here'],
        ['3:12', 'SLUICE_CONFIG_MISSING', 'needs at least one listener'],
      ],
    },
    {
      name: 'brackets nested without end',
      text: `a: ${'['.repeat(100)}\n`,
      problems: [['1:67', 'SLUICE_CONFIG_COMPLEXITY', 'nested too deeply']],
    },
    {
      name: 'maps nested without end',
      text: `a:
 a:
  a:
   a:
    a:
     a:
      a:
       a:
        a:
         a:
          a:
           a:
            a:
             a:
              a:
               a:
                a:
                 a:
                  a:
                   a:
                    a:
                     a:
                      a:
                       a:
                        a:
                         a:
                          a:
                           a:
                            a:
                             a:
                              a:
                               a:
                                a:
                                 a:
                                  a:
                                   a:
                                    a:
                                     a:
                                      a:
                                       a:
                                        a:
                                         a:
                                          a:
                                           a:
                                            a:
                                             a:
                                              a:
                                               a:
                                                a:
                                                 a:
                                                  a:
                                                   a:
                                                    a:
                                                     a:
                                                      a:
                                                       a:
                                                        a:
                                                         a:
                                                          a:
                                                           a:
                                                            a:
                                                             a:
                                                              a:
                                                               a:
                                                                a:
                                                                 a:
                                                                  a:
                                                                   a:
                                                                    a:
                                                                     a:
                                                                      a:
                                                                       a:
                                                                        a:
                                                                         a:
                                                                          a:
                                                                           a:
                                                                            a:
                                                                             a:
                                                                              a:
                                                                               a:
`,
      problems: [['64:65', 'SLUICE_CONFIG_COMPLEXITY', 'nested too deeply']],
    },
    {
      name: 'aliases that multiply (a bomb)',
      text: `a: &a [x, x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]
`,
      problems: [
        [
          '6:20',
          'SLUICE_CONFIG_ALIAS_EXPANSION',
          'aliases multiply this file to more than 500000 parts',
        ],
      ],
    },
    {
      name: 'a merge of a text',
      text: withBind('"127.0.0.1:80"\n    <<: web'),
      problems: [['5:5', 'SLUICE_CONFIG_MERGE', '<< takes an alias of a map, or a list of them']],
    },
    {
      name: 'a NUL byte',
      text: 'listeners:\n  web: "a\0b"\n',
      problems: [['2:10', 'SLUICE_CONFIG_CONTROL_CHARACTER', 'control character 0x00 (NUL)']],
    },
    {
      name: 'an escape character',
      text: 'listeners:\n  web: "\x1b[31m"\n',
      problems: [['2:9', 'SLUICE_CONFIG_CONTROL_CHARACTER', 'control character 0x1b']],
    },
    {
      name: 'an unknown escape in quotes',
      text: withBind('"\\q"'),
      problems: [['4:12', 'SLUICE_CONFIG_SYNTAX', 'invalid escape sequence \\q']],
    },
  ]);
});
