// The files of the dashboard, as the admin API serves them: fixed paths, strict headers.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, it, onTestFinished } from 'vitest';
import { createApiApp } from '../../../src/admin/api.js';
import { addDashboardRoutes, readDashboard } from '../../../src/admin/dashboard-routes.js';
import { accessByTokens, fakeAdmin } from '../../support/fake-admin-source.js';

const script = 'console.log("a page")\n'.repeat(100);

/** A folder as set-up leaves it, with a file beside it that nobody may have. */
async function builtFolder(): Promise<URL> {
  const outside = await mkdtemp(join(tmpdir(), 'sluice-dashboard-'));
  onTestFinished(() => rm(outside, { recursive: true }));
  const folder = join(outside, 'dashboard');
  await mkdir(join(folder, 'assets'), { recursive: true });
  await writeFile(join(outside, 'secret.js'), 'secret');
  await writeFile(join(folder, 'page.html'), '<!doctype html><title>page</title>');
  await writeFile(join(folder, 'licenses.md'), 'licences');
  await writeFile(join(folder, 'assets', 'page-1.js'), script);
  await writeFile(join(folder, 'assets', 'page-2.css'), 'p {}');
  await writeFile(join(folder, 'assets', 'icon-3.svg'), '<svg/>');
  await writeFile(join(folder, 'assets', 'page-1.js.map'), '{}');
  return pathToFileURL(`${folder}/`);
}

async function dashboard(folder?: URL) {
  const from = folder ?? (await builtFolder());
  const app = createApiApp();
  let reads = 0;
  addDashboardRoutes(
    app,
    () => 'what programs can ask\n',
    () => {
      reads++;
      return readDashboard(from);
    },
  );
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    app.request(path, { method, headers });
  return { get, reads: () => reads };
}

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

it('a browser gets the page, and a program the list of what it can ask', async () => {
  const { get } = await dashboard();
  const page = await get('/', browser);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('cache-control')).toBe('no-cache');
  expect(await page.text()).toContain('<title>page</title>');
  const text = await get('/', { accept: '*/*' });
  expect(text.headers.get('content-type')).toMatch(/^text\/plain/);
  expect(await text.text()).toBe('what programs can ask\n');
  for (const { headers } of [page, text]) expect(headers.get('vary')).toContain('accept');
});

it('no part of the page comes from elsewhere, is inline, or is framed by another one', async () => {
  const { get } = await dashboard();
  for (const path of ['/', '/assets/page-1.js']) {
    const policy = (await get(path, browser)).headers.get('content-security-policy') ?? '';
    const parts = Object.fromEntries(
      policy.split('; ').map((part): [string, string] => {
        const [name = '', ...values] = part.split(' ');
        return [name, values.join(' ')];
      }),
    );
    expect(parts).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'img-src': "'self'",
      'connect-src': "'self'",
      'frame-ancestors': "'none'",
      'base-uri': "'none'",
      'form-action': "'none'",
    });
  }
});

it.each([
  ['page-1.js', 'text/javascript; charset=utf-8'],
  ['page-2.css', 'text/css; charset=utf-8'],
  ['icon-3.svg', 'image/svg+xml'],
])('%s is served as %s, for ever: its name has a hash of its contents', async (name, type) => {
  const { get } = await dashboard();
  const { status, headers } = await get(`/assets/${name}`);
  expect(status).toBe(200);
  expect(headers.get('content-type')).toBe(type);
  expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
});

it('what takes gzip gets gzip, of the same bytes', async () => {
  const { get } = await dashboard();
  const plain = await get('/assets/page-1.js');
  expect(plain.headers.get('content-encoding')).toBeNull();
  expect(await plain.text()).toBe(script);
  const zipped = await get('/assets/page-1.js', { 'accept-encoding': 'br, gzip' });
  expect(zipped.headers.get('content-encoding')).toBe('gzip');
  expect(gunzipSync(await zipped.arrayBuffer()).toString()).toBe(script);
});

it('HEAD has the headers of GET and no body', async () => {
  const { get } = await dashboard();
  const head = await get('/assets/page-1.js', {}, 'HEAD');
  expect(head.status).toBe(200);
  expect(head.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(head.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await head.text()).toBe('');
});

it.each([
  '/assets/absent.js',
  '/assets/',
  '/assets/page-1.js.map',
  '/assets/../page.html',
  '/assets/../../secret.js',
  '/assets/%2e%2e/%2e%2e/secret.js',
  '/assets/..%2F..%2Fsecret.js',
  '/assets/..%5Csecret.js',
  '/assets/%00page-1.js',
  '/page.html',
  '/licenses.md',
])('there is nothing at %s', async (path) => {
  const { get } = await dashboard();
  const { status } = await get(path, browser);
  expect(status).toBe(404);
});

it('files are read once, whoever asks how often', async () => {
  const { get, reads } = await dashboard();
  await Promise.all([get('/', browser), get('/assets/page-1.js'), get('/assets/page-2.css')]);
  await get('/', browser);
  expect(reads()).toBe(1);
});

it('a read that fails is tried again for the next browser', async () => {
  const from = await builtFolder();
  const app = createApiApp();
  let reads = 0;
  addDashboardRoutes(
    app,
    () => '',
    async () => {
      reads++;
      if (reads === 1) throw new Error('EMFILE');
      return await readDashboard(from);
    },
  );
  const get = async () => await app.request('/', { headers: { accept: 'text/html' } });
  await expect(get()).rejects.toThrow('EMFILE');
  expect((await get()).status).toBe(200);
});

it('a program that was not built has no page, and tells browsers what it tells all', async () => {
  const { get } = await dashboard(new URL('./none/', import.meta.url));
  expect(await (await get('/', browser)).text()).toBe('what programs can ask\n');
  expect((await get('/assets/page-1.js')).status).toBe(404);
});

it('the page is for everybody who reaches it, also where the API wants a token', async () => {
  const { app, get } = fakeAdmin({ access: () => accessByTokens }, 'network');
  const { status, headers } = await app.request('/', { headers: browser });
  expect(status).toBe(200);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect((await get('/api/v1/overview')).status).toBe(401);
});
