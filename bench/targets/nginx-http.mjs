// An HTTP target: nginx with a small fixed answer, and its own count of requests over a unix
// socket, which crosses network namespaces.
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { portOf } from '../contenders/contender.mjs';
import { pathOf } from '../tools.mjs';

/** @param {{ listen: string, folder: string }} options */
function config({ listen, folder }) {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const temporary = kinds.map((kind) => `  ${kind}_temp_path ${folder}/${kind};`);
  return `user root;
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 19900; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  default_type text/plain;
${temporary.join('\n')}
  server {
    listen ${listen} backlog=4096;
    location / { return 200 "${'x'.repeat(128)}"; }
  }
  server {
    listen unix:${folder}/status.sock;
    location / { stub_status; }
  }
}
`;
}

/** Requests that nginx has counted, out of stub_status. @param {string} text */
export function parseRequestCount(text) {
  const [, , requests] = /^\s*(\d+) (\d+) (\d+)\s*$/m.exec(text)?.slice(1) ?? [];
  if (requests === undefined) throw new Error(`not stub_status: ${text}`);
  return Number(requests);
}

/** @param {string} socketPath @returns {Promise<string>} */
function readStatus(socketPath) {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/', agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}

/** @param {import('../run.mjs').Run} run */
export async function startHttpTarget(run) {
  const folder = run.folder();
  const listen = await run.targetListen();
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, config({ listen, folder }));
  const command = [pathOf('nginx'), '-p', folder, '-e', 'stderr', '-c', file];
  const nginx = run.programs.start('target', command);
  await nginx.bound('tcp', portOf(listen));
  let asked = 0;
  return {
    port: portOf(listen),
    /** Requests so far, without our own questions. */
    requests: async () => {
      asked++;
      return parseRequestCount(await readStatus(`${folder}/status.sock`)) - asked;
    },
  };
}
