// nginx behind sluice, asked by wrk and by plain HTTP clients.
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { runProgram, startNginx } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, startSluice } from '../support/sluice-process.js';

describe.runIf(requireTools('nginx', 'wrk'))('nginx behind sluice', () => {
  it('answers every request of wrk, with keep-alive and without', async () => {
    const nginx = await startNginx('only');
    const sluice = await startSluice(`${configHead}
listeners: { web: { bind: "127.0.0.1:0", pool: web } }
pools: { web: { targets: ["127.0.0.1:${nginx.port}"] } }`);
    const { port } = await sluice.address('web');
    for (const header of [[], ['-H', 'Connection: close']]) {
      const url = `http://127.0.0.1:${port}/name`;
      const report = await runProgram('wrk', ['-t1', '-c64', '-d2s', ...header, url]);
      expect(report).toMatch(/Requests\/sec:\s+[1-9]/);
      expect(report).not.toMatch(/Socket errors|Non-2xx/);
    }
  });

  it('carries a large file intact to several clients at once', async () => {
    const bytes = randomBytes(48 * 1024 * 1024 + 13);
    const wanted = createHash('sha256').update(bytes).digest('hex');
    const nginx = await startNginx('files', { 'large.bin': bytes });
    const sluice = await startSluice(`${configHead}
listeners: { web: { bind: "127.0.0.1:0", pool: web } }
pools: { web: { targets: ["127.0.0.1:${nginx.port}"] } }`);
    const { port } = await sluice.address('web');
    const download = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/large.bin`);
      return createHash('sha256')
        .update(Buffer.from(await response.arrayBuffer()))
        .digest('hex');
    };
    const sums = await Promise.all(Array.from({ length: 4 }, download));
    expect(sums).toEqual([wanted, wanted, wanted, wanted]);
  });

  it('shares connections by weight', async () => {
    const [heavy, light] = await Promise.all([startNginx('heavy'), startNginx('light')]);
    const sluice = await startSluice(`${configHead}
engine: { workers: 1 }
listeners: { web: { bind: "127.0.0.1:0", pool: web } }
pools:
  web:
    policy: weighted_round_robin
    targets:
      - { address: "127.0.0.1:${heavy.port}", weight: 3 }
      - { address: "127.0.0.1:${light.port}", weight: 1 }`);
    const { port } = await sluice.address('web');
    const answers: string[] = [];
    for (let request = 0; request < 40; request++) {
      const response = await fetch(`http://127.0.0.1:${port}/name`, {
        headers: { connection: 'close' },
      });
      answers.push(await response.text());
    }
    expect(answers.filter((answer) => answer === 'heavy')).toHaveLength(30);
  });
});
