// `npm run screenshots`: pictures of the dashboard for the docs, of a sluice with targets and
// clients that this process is. It takes two minutes, because the charts show as many.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inRoot } from './paths.mjs';
import { findProgram } from './process.mjs';
import { setUp } from './set-up.mjs';
import { runMain, Stop } from './stop.mjs';

const folder = inRoot('docs', 'images');
/** The charts are as long. */
const runMs = 120_000;

/** @param {number} slowMs how long an answer takes, about */
async function startTarget(slowMs) {
  const server = createServer((_, response) => {
    const waitMs = slowMs * (0.6 + Math.random());
    setTimeout(() => response.end('x'.repeat(2000 + Math.random() * 20_000)), waitMs);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { port: address.port, close: () => server.close().closeAllConnections() };
}

/** @param {number[]} ports */
function configOf(ports) {
  const shop = ports.slice(0, 3).map((port, index) => [`shop-${index + 1}`, port]);
  const jobs = ports.slice(3).map((port, index) => [`worker-${index + 1}`, port]);
  /** @param {(string | number)[][]} list */
  const targets = (list) =>
    list.map(([name, port]) => `{ name: ${name}, address: "127.0.0.1:${port}" }`).join(', ');
  return `admin: { listen: "127.0.0.1:0" }
log: { format: json }
listeners:
  shop: { bind: "127.0.0.1:0", pool: shop }
  shop-internal: { bind: "127.0.0.1:0", pool: shop }
  jobs: { bind: "127.0.0.1:0", pool: jobs }
pools:
  shop:
    policy: least_connections
    targets: [${targets(shop)}]
    health: { type: tcp, interval: 1s }
  jobs:
    policy: maglev
    targets: [${targets(jobs)}]
    health: { type: tcp, interval: 1s }
`;
}

/** @param {string} config where it stands */
async function startSluice(config) {
  const child = spawn(process.execPath, [inRoot('dist', 'main.js'), 'run', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const event = line.startsWith('{') ? JSON.parse(line) : {};
    if (event.event === 'ready') {
      child.stdout.resume();
      return { child, ready: event };
    }
  }
  throw new Stop('sluice has not become ready.');
}

/**
 * Clients that come and go in waves.
 * @param {string[]} addresses @param {() => boolean} isOver
 */
function startClients(addresses, isOver) {
  const agent = new Agent({ keepAlive: true, maxSockets: 12 });
  const startedMs = performance.now();
  const turn = () => {
    if (isOver()) return agent.destroy();
    const count = 3 + Math.round(2.5 * Math.sin((performance.now() - startedMs) / 9000));
    for (let each = 0; each < count; each++) {
      const address = addresses[Math.floor(Math.random() ** 2 * addresses.length)];
      const kept = Math.random() < 0.6 ? agent : false;
      // A target that is stopped for the picture takes its clients with it.
      get(`http://${address}/`, { agent: kept }, (response) => response.resume()).on(
        'error',
        () => undefined,
      );
    }
    setTimeout(turn, 40);
  };
  turn();
}

/** @param {string} url */
async function takePictures(url) {
  const { chromium } = await import('playwright-core');
  const executablePath = findProgram('chromium');
  if (executablePath === null) throw new Stop('No chromium: sudo apt-get install -y chromium');
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath, args });
  /** @type {[string, string, 'light' | 'dark', number, number][]} */
  const pictures = [
    ['dashboard-overview', 'overview', 'light', 1280, 900],
    ['dashboard-target', 'target/shop/shop-2', 'dark', 1280, 760],
    ['dashboard-phone', 'overview', 'dark', 390, 844],
  ];
  mkdirSync(folder, { recursive: true });
  for (const [name, place, colorScheme, width, height] of pictures) {
    const page = await browser.newPage({ colorScheme, viewport: { width, height } });
    await page.goto(`${url}/#/${place}`);
    await page.locator('.chart canvas').first().waitFor();
    await page.getByText('loading', { exact: true }).first().waitFor({ state: 'detached' });
    await page.screenshot({ path: join(folder, `${name}.png`) });
    await page.close();
  }
  await browser.close();
}

/** @param {string} url @param {'drain' | 'enable'} verb */
const wish = (url, verb) =>
  fetch(`${url}/api/v1/pools/shop/targets/shop-2/${verb}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function screenshots() {
  await setUp();
  const slow = [9, 12, 15, ...Array.from({ length: 40 }, () => 30)];
  const targets = await Promise.all(slow.map(startTarget));
  const own = mkdtempSync(join(tmpdir(), 'sluice-screenshots-'));
  const config = join(own, 'sluice.yaml');
  writeFileSync(config, configOf(targets.map(({ port }) => port)));
  const { child, ready } = await startSluice(config);
  let isOver = false;
  try {
    const addresses = ready.listeners.flatMap((/** @type {any} */ one) => one.addresses);
    startClients(addresses, () => isOver);
    await pause(runMs / 2);
    // Something to see in the timeline, and one that stays away.
    await wish(ready.adminAddress, 'drain');
    targets[20]?.close();
    await pause(runMs / 6);
    await wish(ready.adminAddress, 'enable');
    await pause(runMs / 3);
    await takePictures(ready.adminAddress);
  } finally {
    isOver = true;
    child.kill('SIGKILL');
    for (const target of targets) target.close();
    rmSync(own, { recursive: true });
  }
  return 0;
}

await runMain(screenshots);
