// sluice itself, from the built dist/, with one worker.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from '../../scripts/paths.mjs';

/**
 * JSON is YAML.
 * @param {import('./contender.mjs').Job} job
 */
export function sluiceConfig({ listen, protocol, targets, workers = 1, bulk = false, policy }) {
  const listener = { bind: listen, pool: 'bench', protocol };
  return JSON.stringify({
    engine: { workers },
    admin: { listen: '127.0.0.1:0' },
    log: { format: 'json' },
    listeners: { bench: bulk ? { ...listener, bulk } : listener },
    pools: {
      bench: { targets, health: { type: 'none' }, ...(policy === undefined ? {} : { policy }) },
    },
  });
}

/** @param {string} folder */
export const sluiceConfigFile = (folder) => join(folder, 'sluice.yaml');

/** @type {import('./contender.mjs').Contender} */
export const sluice = {
  name: 'sluice',
  kind: 'subject',
  protocols: ['tcp', 'udp'],
  tools: [],
  command: (job) => {
    const file = sluiceConfigFile(job.folder);
    writeFileSync(file, sluiceConfig(job));
    return [process.execPath, inRoot('dist', 'main.js'), 'run', file];
  },
  version: () => JSON.parse(readFileSync(inRoot('package.json'), 'utf8')).version,
};
