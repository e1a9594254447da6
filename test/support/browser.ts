// Real Chromium for tests of the dashboard, and what its pages complain of or ask of others.
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { findProgram } from '../../scripts/process.mjs';

export interface OpenPage {
  readonly page: Page;
  /** Errors in its console, and exceptions that nobody caught. */
  readonly complaints: readonly string[];
  /** The origins of all that it asked for. */
  readonly origins: ReadonlySet<string>;
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

/** For a whole file: its pages end with their tests, the browser with the last of them. */
export function useBrowser(): (options?: PageOptions) => Promise<OpenPage> {
  let browser: Browser | null = null;
  beforeAll(async () => {
    // Chromium has no sandbox for root, and needs none here: all that it loads is ours.
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const executablePath = findProgram('chromium') ?? 'chromium';
    browser = await chromium.launch({ executablePath, args });
  });
  afterAll(() => browser?.close());
  return async ({ width = 1280, height = 900, colorScheme = 'light' } = {}) => {
    if (browser === null) throw new Error('no browser');
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const complaints: string[] = [];
    const origins = new Set<string>();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => origins.add(new URL(request.url()).origin));
    return { page, complaints, origins };
  };
}
