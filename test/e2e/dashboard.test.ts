// The dashboard in real Chromium, served by a real process.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { hashToken } from '../../src/admin/token.js';
import { useBrowser } from '../support/browser.js';
import { type EchoProcess, startEchoProcess } from '../support/echo-process.js';
import { requireTools } from '../support/require-tool.js';
import { type SluiceOptions, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

const bytesMax = 150 * 1024;

it(`the page is at most ${bytesMax} bytes on the wire`, () => {
  const folder = fileURLToPath(new URL('../../dist/dashboard/', import.meta.url));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
    .map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`));
  const bytes = files.reduce((total, file) => total + gzipSync(file).length, 0);
  process.stderr.write(`dashboard: ${files.length} files, ${bytes} bytes gzipped\n`);
  expect(files.length).toBeGreaterThanOrEqual(4);
  expect(bytes).toBeLessThanOrEqual(bytesMax);
});

const admin = 'admin: { listen: "127.0.0.1:0" }';

function configOf(targets: readonly EchoProcess[], head = admin): string {
  const list = targets.map(
    ({ port }, index) => `{ name: t${index}, address: "127.0.0.1:${port}" }`,
  );
  return `${head}
log: { format: json, level: debug }
listeners: { in: { bind: "127.0.0.1:0", pool: web } }
pools:
  web:
    targets: [${list.join(', ')}]
    health: { type: tcp, interval: 100ms, fall: 1 }
`;
}

async function start(count: number, options: SluiceOptions & { readonly head?: string } = {}) {
  const targets = await Promise.all(Array.from({ length: count }, () => startEchoProcess()));
  const config = configOf(targets, options.head);
  const sluice = await startSluice(config, options);
  const url = String((await sluice.event('ready')).adminAddress);
  const adminState = async (name: string) => {
    const all = (await sluice.status()).pools.flatMap((pool) => pool.targets);
    return all.find((target) => target.name === name)?.adminState;
  };
  return { sluice, url, targets, config, adminState };
}

const card = (page: Page, name: string, standing: string) =>
  page.locator(`a.card.${standing}`, { hasText: name });

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** Presses Tab until what has the focus is wanted, as somebody without a mouse does. */
async function tabTo(page: Page, wanted: string): Promise<void> {
  const seen: string[] = [];
  for (let press = 0; press < 60; press++) {
    await page.keyboard.press('Tab');
    const label = await page.evaluate(() => {
      const element = document.activeElement;
      return `${element?.getAttribute('aria-label') ?? element?.textContent ?? ''}`.trim();
    });
    if (label.startsWith(wanted)) return;
    seen.push(label);
  }
  throw new Error(`no way to ${wanted} by Tab, only: ${seen.join(' | ')}`);
}

describe.runIf(requireTools('chromium'))('the dashboard', () => {
  const open = useBrowser();

  it('shows every view without a complaint, and asks nobody but sluice', async () => {
    const { url } = await start(2);
    const { page, complaints, origins } = await open();
    const answer = await page.goto(url);
    expect(answer?.headers()['content-security-policy']).toContain("default-src 'none'");
    await card(page, 't1', 'healthy').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    for (const [place, title] of [
      ['listener/in', 'listener in'],
      ['pool/web', 'pool web'],
      ['target/web/t0', 'target t0'],
      ['events', 'events'],
      ['config', 'config'],
    ] as const) {
      await page.goto(`${url}/#/${place}`);
      await page.getByRole('heading', { level: 1, name: title }).waitFor();
    }
    await page.goto(`${url}/#/target/web/t0`);
    await page.locator('.chart canvas').nth(4).waitFor();
    await page.locator('.timeline rect.healthy').first().waitFor();
    await page.goto(`${url}/#/pool/gone`);
    await page.getByText('There is no pool gone now.').waitFor();
    expect(complaints).toEqual([]);
    expect([...origins]).toEqual([url]);
  });

  it('shows a target that dies, and comes back', async () => {
    const { url, targets } = await start(2);
    const { page } = await open();
    await page.goto(url);
    await card(page, 't1', 'healthy').waitFor();
    // The page itself looks at its clock when it shows it; a test would see it late.
    await page.evaluate(() => {
      const observer = new MutationObserver(() => {
        if (document.querySelector('a.card.unhealthy') === null) return;
        document.body.dataset['seenMs'] ??= String(Date.now());
      });
      observer.observe(document.body, { subtree: true, childList: true, attributes: true });
    });
    // The quickest of some: what a busy machine adds to one of them is not the page's.
    const port = targets[1]?.port ?? 0;
    let quickestMs = Number.POSITIVE_INFINITY;
    let dying = targets[1];
    for (let round = 0; round < 3; round++) {
      const killedMs = Date.now();
      dying?.process.kill('SIGKILL');
      await card(page, 't1', 'unhealthy').waitFor();
      await page.getByText('health unhealthy').nth(round).waitFor();
      const seenMs = Number(await page.locator('body').getAttribute('data-seen-ms'));
      quickestMs = Math.min(quickestMs, seenMs - killedMs);
      dying = await startEchoProcess({ port });
      await card(page, 't1', 'healthy').waitFor();
      await page.evaluate(() => delete document.body.dataset['seenMs']);
    }
    process.stderr.write(`dashboard: a dead target is shown after ${quickestMs} ms\n`);
    expect(quickestMs).toBeLessThan(1000);
  });

  it('drains a target after a question, disables and enables it', async () => {
    const { url, adminState } = await start(2);
    const { page } = await open();
    await page.goto(`${url}/#/pool/web`);
    await button(page, 'Drain web/t0').click();
    const dialog = page.getByRole('dialog', { name: 'Drain web/t0?' });
    await dialog.getByText('It takes no new clients.').waitFor();
    await button(page, 'Cancel').click();
    await dialog.waitFor({ state: 'detached' });
    expect(await adminState('t0')).toBe('enabled');

    await button(page, 'Drain web/t0').click();
    await button(page, 'Drain').click();
    await dialog.waitFor({ state: 'detached' });
    expect(await adminState('t0')).toBe('draining');
    await page.getByRole('row', { name: 't0' }).getByText('draining').waitFor();

    await button(page, 'Disable web/t0').click();
    await button(page, 'Disable').click();
    await page.getByRole('row', { name: 't0' }).getByText('disabled').waitFor();
    expect(await adminState('t0')).toBe('disabled');
    await button(page, 'Enable web/t0').click();
    await button(page, 'Enable').click();
    await page
      .getByRole('row', { name: 't0' })
      .getByText(/ healthy$/)
      .waitFor();
    expect(await adminState('t0')).toBe('enabled');
    expect(await adminState('t1')).toBe('enabled');
  });

  it('changes a weight, and shows that the file says another one', async () => {
    const { sluice, url } = await start(2);
    const { page } = await open();
    await page.goto(`${url}/#/target/web/t0`);
    await button(page, 'Weight web/t0').click();
    const weight = page.getByRole('textbox', { name: 'weight' });
    await weight.fill('many');
    await button(page, 'Change').click();
    await page.getByRole('alert').getByText('A weight is a whole number').waitFor();
    await weight.fill('7');
    await weight.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect((await sluice.status()).pools[0]?.targets.map((one) => one.weight)).toEqual([7, 1]);
    await page.getByRole('link', { name: 'config' }).click();
    const row = page.getByRole('row', { name: 'pools.web.targets[t0].weight' });
    expect(await row.getByRole('cell').allTextContents()).toEqual(['changed', '1', '7']);
  });

  it('shows what is wrong with a file that a reload refused, until it is right', async () => {
    const { sluice, url, config } = await start(1);
    const { page } = await open();
    await page.goto(url);
    await card(page, 't0', 'healthy').waitFor();
    const line = config.split('\n')[6] ?? '';
    const column = line.indexOf('fall: 1') + 1;
    await sluice.writeConfig(config.replace('fall: 1', 'fal: 1'));
    sluice.signal('SIGHUP');
    await page.getByRole('alert').getByRole('link').click();
    const problem = page.getByRole('listitem').filter({ hasText: 'pools.web.health.fal' });
    await problem.getByText(`line 7, column ${column}:`).waitFor();
    await problem.getByText('SLUICE_CONFIG_UNKNOWN_KEY').waitFor();
    expect(await problem.locator('pre').textContent()).toContain('fal: 1');
    // What runs is another text.
    await page.getByRole('listitem').filter({ hasText: 'fall: 1' }).waitFor();

    await sluice.writeConfig(config);
    await button(page, 'Reload').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reload' }).click();
    await page.getByText('The file has errors').waitFor({ state: 'detached' });
    await page.getByText('What runs is what the file said').waitFor();
  });

  it('keeps saying that the file is wrong when something is changed at run time', async () => {
    const { sluice, url, config } = await start(1);
    const { page } = await open();
    await page.goto(url);
    await card(page, 't0', 'healthy').waitFor();
    await sluice.writeConfig(config.replace('fall: 1', 'fal: 1'));
    sluice.signal('SIGHUP');
    const note = page.getByRole('alert').filter({ hasText: 'The file has errors' });
    await note.waitFor();
    const applied = (await page.getByText('reload applied').count()) + 1;
    await page.goto(`${url}/#/target/web/t0`);
    await button(page, 'Weight web/t0').click();
    await page.getByRole('textbox', { name: 'weight' }).fill('7');
    await button(page, 'Change').click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.goto(`${url}/#/overview`);
    await page
      .getByText('reload applied')
      .nth(applied - 1)
      .waitFor();
    await note.waitFor();
    await sluice.writeConfig(config);
    sluice.signal('SIGHUP');
    await note.waitFor({ state: 'detached' });
  });

  it('listens to nothing while nobody sees it, and then catches up', async () => {
    const { url } = await start(2);
    const { page } = await open();
    await page.goto(url);
    await card(page, 't0', 'healthy').waitFor();
    const hide = (hidden: boolean) =>
      page.evaluate((is) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => is });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    const streams: string[] = [];
    page.on('requestfailed', (request) => streams.push(new URL(request.url()).pathname));
    await hide(true);
    await waitFor('the end of its stream', () => streams.includes('/api/v1/events'));
    const headers = { 'content-type': 'application/json' };
    const disable = `${url}/api/v1/pools/web/targets/t1/disable`;
    expect((await fetch(disable, { method: 'POST', headers, body: '{}' })).status).toBe(200);
    await hide(false);
    await page.getByText('admin state disabled').waitFor();
  });

  it('survives a restart of sluice, without being loaded again', async () => {
    const { sluice, url, targets, config } = await start(2);
    const { page } = await open();
    await page.goto(url);
    await card(page, 't0', 'healthy').waitFor();
    await page.evaluate(() => {
      document.body.dataset['loaded'] = 'once';
    });
    sluice.signal('SIGTERM');
    await sluice.exited;
    await page.getByText('sluice does not answer; trying again').waitFor();
    await startSluice(config.replace('127.0.0.1:0', new URL(url).host));
    await page.getByText('live', { exact: true }).waitFor();
    targets[0]?.process.kill('SIGKILL');
    await card(page, 't0', 'unhealthy').waitFor();
    expect(await page.locator('body').getAttribute('data-loaded')).toBe('once');
  });

  it('is used by keys alone: to a pool, into a question, out of it, and through it', async () => {
    const { url, adminState } = await start(1);
    const { page } = await open();
    await page.goto(url);
    await card(page, 't0', 'healthy').waitFor();
    await tabTo(page, 'web round_robin');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'pool web' }).waitFor();
    await tabTo(page, 'Drain web/t0');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    expect(await focused()).toBe('Drain web/t0');
    expect(await adminState('t0')).toBe('enabled');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await tabTo(page, 'Drain');
    await page.keyboard.press('Enter');
    await waitFor('the drain', async () => (await adminState('t0')) === 'draining');
  });

  it('asks for a token where one is wanted, and lets it do what its role may', async () => {
    const roles = ['read', 'admin'] as const;
    const tokens = roles.map((role) => ({ name: role, role, hash: hashToken(`token-of-${role}`) }));
    const head = `admin: { listen: "127.0.0.1:0", tokens: ${JSON.stringify(tokens)} }`;
    const { sluice, url } = await start(1, { head });
    const { page } = await open();
    await page.goto(url);
    await page.getByText('sluice says: a token is needed').waitFor();
    const field = page.getByLabel('A token of the admin API');
    const enter = async (token: string) => {
      await field.fill(token);
      await field.press('Enter');
    };
    await enter('token-of-nobody');
    await page.getByText('sluice says: this token is not known').waitFor();
    await enter('token-of-read');
    await card(page, 't0', 'healthy').waitFor();
    // Kept for this tab.
    await page.reload();
    await card(page, 't0', 'healthy').waitFor();
    await page.goto(`${url}/#/pool/web`);
    await button(page, 'Disable web/t0').click();
    await button(page, 'Disable').click();
    await page.getByRole('alert').getByText('may not change anything').waitFor();
    await button(page, 'Cancel').click();
    await page.getByRole('link', { name: 'config' }).click();
    await page.getByText('the token read may not change anything').waitFor();

    await page.evaluate(() => sessionStorage.clear());
    await page.reload();
    await enter('token-of-admin');
    await page.goto(`${url}/#/pool/web`);
    await button(page, 'Disable web/t0').click();
    await button(page, 'Disable').click();
    await page.getByRole('row', { name: 't0' }).getByText('disabled').waitFor();
    expect(await sluice.event('admin_change', ({ who }) => who === 'admin')).toMatchObject({
      operation: 'disableTarget',
      status: 200,
    });
    // One wrong token was one failure, however often the page has asked since.
    const wrong = sluice.log.filter(({ event }) => event === 'admin_token_refused');
    expect(wrong.length).toBeGreaterThanOrEqual(1);
    expect(wrong.length).toBeLessThanOrEqual(2);
  });

  it('is readable with a thousand targets, and on a phone', async () => {
    const many = Array.from({ length: 1000 }, (_, index) => `"127.0.0.1:${20_000 + index}"`);
    const sluice = await startSluice(`${admin}
log: { format: json }
listeners: { in: { bind: "127.0.0.1:0", pool: web } }
pools: { web: { targets: [${many.join(', ')}], health: none } }
`);
    const url = String((await sluice.event('ready')).adminAddress);
    const { page } = await open({ width: 390, height: 844, colorScheme: 'dark' });
    const startedMs = performance.now();
    await page.goto(url);
    await page.getByRole('link', { name: 'all 1000 targets' }).waitFor();
    const tookMs = Math.round(performance.now() - startedMs);
    process.stderr.write(`dashboard: 1000 targets are shown after ${tookMs} ms\n`);
    expect(await page.locator('.squares .fill').count()).toBe(1000);
    const tooWide = () =>
      page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(await tooWide()).toBe(false);
    await page.getByRole('link', { name: 'all 1000 targets' }).click();
    await page.getByText('1 to 50 of 1000 targets').waitFor();
    expect(await page.locator('tbody tr').count()).toBe(50);
    await page.getByRole('searchbox').fill(':20777');
    await page.getByRole('link', { name: '127.0.0.1:20777' }).waitFor();
    await waitFor('one row', async () => (await page.locator('tbody tr').count()) === 1);
    expect(await tooWide()).toBe(false);
  });

  it('is dark or light as the system is, unless somebody chose', async () => {
    const { url } = await start(1);
    const brightness = (page: Page) =>
      page.evaluate(() => {
        const [, red = 0] =
          /rgb\((\d+)/.exec(getComputedStyle(document.body).backgroundColor) ?? [];
        return Number(red) > 128 ? 'light' : 'dark';
      });
    for (const colorScheme of ['dark', 'light'] as const) {
      const { page } = await open({ colorScheme });
      await page.goto(url);
      const theme = page.getByRole('combobox', { name: 'theme' });
      await theme.waitFor();
      expect(await brightness(page)).toBe(colorScheme);
      const other = colorScheme === 'dark' ? 'light' : 'dark';
      await theme.selectOption(other);
      await waitFor(other, async () => (await brightness(page)) === other);
      await page.reload();
      await theme.waitFor();
      await waitFor(`${other} again`, async () => (await brightness(page)) === other);
    }
  });
});
