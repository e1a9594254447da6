// What is stale: an output is fresh when its stamp equals the hash of everything it was made from.
// Contents, not times: a checkout, a clone or a copy changes times but nothing else.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inRoot } from './paths.mjs';

/**
 * Every file under `path` (a file or a folder, relative to the root), in a fixed order.
 * @param {string} path @returns {string[]}
 */
function filesUnder(path) {
  const status = statSync(inRoot(path), { throwIfNoEntry: false });
  if (status === undefined) return [];
  if (!status.isDirectory()) return [path];
  return readdirSync(inRoot(path))
    .sort()
    .flatMap((name) => filesUnder(join(path, name)));
}

/**
 * @param {string[]} paths files and folders relative to the root
 * @param {string[]} [facts] versions and options that also decide the output
 */
export function hashOf(paths, facts = []) {
  const hash = createHash('sha256');
  for (const fact of facts) hash.update(`${fact}\0`);
  for (const file of paths.flatMap(filesUnder)) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(inRoot(file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** @param {string} name */
const stampFile = (name) => inRoot('.cache', 'stamps', name);

/** @param {string} name @param {string} hash */
export function isFresh(name, hash) {
  return existsSync(stampFile(name)) && readFileSync(stampFile(name), 'utf8') === hash;
}

/** @param {string} name @param {string} hash */
export function markFresh(name, hash) {
  mkdirSync(dirname(stampFile(name)), { recursive: true });
  writeFileSync(stampFile(name), hash);
}
