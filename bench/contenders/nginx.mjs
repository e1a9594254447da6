// nginx stream with one worker process.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathOf } from '../tools.mjs';

/** @param {import('./contender.mjs').Job} job */
export function nginxStreamConfig({ listen, protocol, targets, folder }) {
  const [target] = targets;
  return `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
user root;
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 19900; }
stream {
  server {
    listen ${listen}${protocol === 'udp' ? ' udp' : ' backlog=4096'};
    proxy_pass ${target};
    proxy_timeout 1h;
  }
}
`;
}

/** What `nginx -v` says; it says it on standard error. */
export function nginxVersion() {
  return /nginx\/(\S+)/.exec(spawnSync(pathOf('nginx'), ['-v']).stderr.toString())?.[1] ?? '';
}

/** @type {import('./contender.mjs').Contender} */
export const nginx = {
  name: 'nginx',
  kind: 'peer',
  protocols: ['tcp', 'udp'],
  tools: ['nginx', 'nginx-stream'],
  command: (job) => {
    const file = join(job.folder, 'nginx.conf');
    writeFileSync(file, nginxStreamConfig(job));
    return [pathOf('nginx'), '-p', job.folder, '-e', 'stderr', '-c', file];
  },
  version: nginxVersion,
};
