// Where things are in a checkout.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {string[]} parts */
export const inRoot = (...parts) => join(root, ...parts);

/** The path of a development dependency's file. @param {string} path */
export const moduleFile = (path) => inRoot('node_modules', path);

export const addonFile = inRoot('build', 'Release', 'sluice.node');
/** Named for node-gyp-build: found only where the C library is glibc. */
export const prebuildFile = inRoot('prebuilds', `linux-${process.arch}`, 'sluice.glibc.node');
