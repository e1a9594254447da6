// The dashboard's files: a map from fixed paths to bytes that were read once, at the first request.
// No part of a request ever reaches the file system.
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Context } from 'hono';
import type { AdminApp } from './api.js';

interface StaticFile {
  readonly type: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly gzipped: Uint8Array<ArrayBuffer>;
  readonly cache: string;
}

export type StaticFiles = ReadonlyMap<string, StaticFile>;

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Everything comes from here, and nothing may put this page into another one. */
const securityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Beside the compiled code, where set-up puts it; a checkout that was not built has none. */
export const dashboardFolder = new URL('../dashboard/', import.meta.url);

/** By path of the request. Empty when there is no such folder. */
export async function readDashboard(folder: URL = dashboardFolder): Promise<StaticFiles> {
  const files = new Map<string, StaticFile>();
  const compress = promisify(gzip);
  const read = async (path: string, served: string, cache: string): Promise<void> => {
    const type = types[path.slice(path.lastIndexOf('.') + 1)];
    if (type === undefined) return;
    const plain = new Uint8Array(await readFile(new URL(path, folder)));
    const gzipped = new Uint8Array(await compress(plain));
    files.set(served, { type, plain, gzipped, cache });
  };
  try {
    await read('page.html', '/', 'no-cache');
    // Named by their contents: what has such a name never changes.
    for (const name of await readdir(new URL('assets/', folder))) {
      await read(`assets/${name}`, `/assets/${name}`, 'public, max-age=31536000, immutable');
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    files.clear();
  }
  return files;
}

/** Browsers say so; curl and scripts take anything, and get text. */
function wantsPage(context: Context): boolean {
  return context.req.header('accept')?.includes('text/html') === true;
}

/** `text`: what `/` says to programs. */
export function addDashboardRoutes(
  app: AdminApp,
  text: () => string,
  read: () => Promise<StaticFiles> = readDashboard,
): void {
  let loading: Promise<StaticFiles> | null = null;
  const files = (): Promise<StaticFiles> => {
    // What failed once, as for want of descriptors, may go well for the next browser.
    loading ??= read().catch((error: unknown) => {
      loading = null;
      throw error;
    });
    return loading;
  };
  const answer = (context: Context, file: StaticFile): Response => {
    const zips = context.req.header('accept-encoding')?.includes('gzip') === true;
    return context.body(zips ? file.gzipped : file.plain, 200, {
      'content-type': file.type,
      'cache-control': file.cache,
      'content-security-policy': securityPolicy,
      'referrer-policy': 'no-referrer',
      vary: 'accept, accept-encoding',
      ...(zips && { 'content-encoding': 'gzip' }),
    });
  };
  app.get('/', async (context) => {
    const page = wantsPage(context) ? (await files()).get('/') : undefined;
    if (page !== undefined) return answer(context, page);
    return context.text(text(), 200, { vary: 'accept' });
  });
  app.get('/assets/:name', async (context) => {
    const file = (await files()).get(context.req.path);
    return file === undefined ? context.notFound() : answer(context, file);
  });
}
