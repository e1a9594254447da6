// HAProxy, as Debian installs it, with one thread; and the same with `option splice-auto`.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathOf } from '../tools.mjs';

/**
 * Limits: 9 700 connections of two descriptors and 200 pipes fit into 20 000 descriptors, which
 * cannot be raised everywhere; its own default of pipes (maxconn / 4) would not.
 * @param {import('./contender.mjs').Job} job @param {boolean} splice
 */
export function haproxyConfig({ listen, targets }, splice) {
  const servers = targets.map((address, index) => `  server t${index} ${address}`);
  return `global
  nbthread 1
  maxconn 9700
  maxpipes 200
defaults
  mode tcp
  maxconn 9700
  timeout connect 5s
  timeout client 1h
  timeout server 1h
${splice ? '  option splice-auto\n' : ''}listen bench
  bind ${listen}
${servers.join('\n')}
`;
}

/** @param {string} name @param {boolean} splice @returns {import('./contender.mjs').Contender} */
const withSplice = (name, splice) => ({
  name,
  kind: 'peer',
  protocols: ['tcp'],
  tools: ['haproxy'],
  // Small messages never make it splice: elsewhere it is the same program again.
  ...(splice ? { groups: ['bulk'] } : {}),
  command: (job) => {
    const file = join(job.folder, 'haproxy.cfg');
    writeFileSync(file, haproxyConfig(job, splice));
    return [pathOf('haproxy'), '-db', '-f', file];
  },
  version: () =>
    /version (\S+)/.exec(execFileSync(pathOf('haproxy'), ['-v']).toString())?.[1] ?? '',
});

export const haproxy = withSplice('haproxy', false);
export const haproxySplice = withSplice('haproxy-splice', true);
