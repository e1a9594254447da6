// Prometheus beside sluice: a real server takes the metrics and evaluates the alert rules that are
// shipped, and nothing shipped asks for a metric that is not there.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { targetMetrics } from '../../src/metrics/state-metrics.js';
import { startTcpEcho } from '../support/echo-target.js';
import {
  freePort,
  runProgram,
  startProgram,
  temporaryFolder,
  untilListening,
} from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, startSluice } from '../support/sluice-process.js';
import { track } from '../support/track.js';
import { waitFor } from '../support/wait-for.js';

const shipped = (path: string): string =>
  fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url));

/** One of everything that brings metrics of its own. */
const config = (port: number): string => `${configHead}
listeners:
  web: { bind: "127.0.0.1:0", pool: web }
  dns: { bind: "127.0.0.1:0", protocol: udp, pool: dns }
  orders: { bind: "127.0.0.1:0", pool: orders }
pools:
  web: { targets: ["127.0.0.1:${port}"], sticky: { by: source, capacity: 1000 } }
  dns: { targets: ["127.0.0.1:${port}"], health: { type: none } }
  orders: { targets: ["127.0.0.1:${port}"], role: primary, health: { type: redis } }`;

async function scrape(address: string): Promise<string> {
  return await (await fetch(`${address}/metrics`)).text();
}

interface Rules {
  readonly data: {
    readonly groups: readonly {
      readonly rules: readonly { name: string; health: string; lastError?: string }[];
    }[];
  };
}

describe.runIf(requireTools('prometheus', 'promtool'))('prometheus', () => {
  it('scrapes sluice as OpenMetrics, and evaluates every shipped rule', async () => {
    const target = track(await startTcpEcho());
    const sluice = await startSluice(config(target.port));
    const admin = String((await sluice.event('ready')).adminAddress);
    const folder = await temporaryFolder();
    const [port, file] = [await freePort(), join(folder, 'prometheus.yml')];
    await writeFile(
      file,
      `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ["${shipped('prometheus/sluice-alerts.yml')}"]
scrape_configs: [{ job_name: sluice, static_configs: [{ targets: ["${new URL(admin).host}"] }] }]`,
    );
    const program = startProgram('prometheus', [
      ...[`--config.file=${file}`, `--storage.tsdb.path=${folder}/data`],
      ...[`--web.listen-address=127.0.0.1:${port}`, '--log.level=error'],
    ]);
    await untilListening(port, program);
    const ask = async (path: string): Promise<unknown> =>
      (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json();
    const value = async (query: string) => {
      const answer = (await ask(`query?query=${encodeURIComponent(query)}`)) as {
        data?: { result?: { value: [number, string] }[] };
      };
      return answer.data?.result?.[0]?.value[1];
    };
    // Its discovery tells its scraper of targets every 5 s only.
    const patient = { timeoutMs: 30_000 };
    await waitFor('a scrape', async () => (await value('up{job="sluice"}')) === '1', patient);
    expect(await value('sluice_target_eligible{pool="web"}')).toBe('1');
    // That it is known as a counter shows that the newer format was asked for and understood.
    expect(await ask('metadata?metric=sluice_listener_closed')).toMatchObject({
      data: { sluice_listener_closed: [{ type: 'counter' }] },
    });
    const rules = async () =>
      ((await ask('rules')) as Rules).data.groups.flatMap((group) => group.rules);
    const evaluated = async () => (await rules()).every(({ health }) => health !== 'unknown');
    await waitFor('all rules', evaluated, patient);
    expect((await rules()).filter(({ health }) => health !== 'ok')).toEqual([]);
    expect((await rules()).length).toBeGreaterThan(10);
  });

  it('finds nothing to say against the text format', async () => {
    const target = track(await startTcpEcho());
    const sluice = await startSluice(config(target.port));
    const text = await scrape(String((await sluice.event('ready')).adminAddress));
    expect(text).toContain('sluice_target_response_seconds_bucket');
    expect(await runProgram('promtool', ['check', 'metrics'], { input: text })).toBe('');
  });

  it('sees the shipped rules fire when they should, and not otherwise', async () => {
    const test = shipped('prometheus/sluice-alerts.test.yml');
    expect(await runProgram('promtool', ['test', 'rules', test])).toContain('SUCCESS');
    const rules = await readFile(shipped('prometheus/sluice-alerts.yml'), 'utf8');
    const tested = await readFile(test, 'utf8');
    const names = [...rules.matchAll(/alert: (\w+)/g)].map(([, name = '']) => name);
    expect(names.filter((name) => !tested.includes(`alertname: ${name}\n`))).toEqual([]);
  });

  it.each(['prometheus/sluice-alerts.yml', 'grafana/sluice.json'])(
    'is asked by %s for metrics that sluice has',
    async (path) => {
      const target = track(await startTcpEcho());
      const sluice = await startSluice(config(target.port));
      const text = await scrape(String((await sluice.event('ready')).adminAddress));
      const shown = [...text.matchAll(/^(\w+)[{ ]/gm)].map(([, name = '']) => name);
      // Some come only when there is something to say, such as a certificate's end.
      const known = new Set([...shown, ...targetMetrics.map(({ name }) => name)]);
      const asked = (await readFile(shipped(path), 'utf8')).match(/sluice_[a-z_]+/g) ?? [];
      expect(asked.length).toBeGreaterThan(20);
      expect([...new Set(asked)].filter((name) => !known.has(name))).toEqual([]);
    },
  );
});
