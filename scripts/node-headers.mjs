// Where node-gyp finds headers without a download: next to the running node, else in the package
// node-api-headers, which is all that an addon written against Node-API needs.
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inRoot, moduleFile } from './paths.mjs';
import { Stop } from './stop.mjs';

/** The part of Node's own common.gypi that decides how an addon is compiled. */
const commonGypi = `{
  'target_defaults': {
    'default_configuration': 'Release',
    'configurations': { 'Release': { 'cflags': ['-O3', '-fno-omit-frame-pointer'] } },
    'cflags': ['-pthread'],
    'ldflags': ['-pthread'],
    'target_conditions': [['_type!="executable"', { 'cflags': ['-fPIC'] }]],
  },
}
`;

/** What Node's config.gypi would say, as far as node-gyp asks. */
const configGypi = `${JSON.stringify({
  target_defaults: { default_configuration: 'Release' },
  variables: { standalone_static_library: 1 },
})}\n`;

/** A folder with include/node as node-gyp expects it, made from node-api-headers. */
function headersFromPackage() {
  const source = moduleFile('node-api-headers/include');
  if (!existsSync(source)) {
    throw new Stop('The package node-api-headers is missing: run npm ci.');
  }
  const folder = inRoot('.cache', 'node-api-headers');
  const include = join(folder, 'include', 'node');
  mkdirSync(include, { recursive: true });
  cpSync(source, include, { recursive: true });
  writeFileSync(join(include, 'common.gypi'), commonGypi);
  writeFileSync(join(include, 'config.gypi'), configGypi);
  return folder;
}

/**
 * The folder to give to node-gyp as --nodedir.
 * @param {string} [nodePath] the node that is built for
 */
export function nodeHeaders(nodePath = process.execPath) {
  const prefix = dirname(dirname(nodePath));
  const complete = ['node_api.h', 'common.gypi', 'config.gypi'].every((name) =>
    existsSync(join(prefix, 'include', 'node', name)),
  );
  return complete ? prefix : headersFromPackage();
}
