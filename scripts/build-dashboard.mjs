// Builds the dashboard (src/dashboard) with Vite into .cache/dashboard: a page, and files that are
// named by their contents. set-up.mjs puts it into dist/.
import { build } from 'vite';
import { dashboardFolder, dashboardHash } from './dashboard-files.mjs';
import { markFresh } from './freshness.mjs';
import { inRoot } from './paths.mjs';
import { Stop } from './stop.mjs';

export async function buildDashboard() {
  const hash = dashboardHash();
  try {
    await build({
      configFile: false,
      root: inRoot('src', 'dashboard'),
      base: './',
      logLevel: 'error',
      oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
      build: {
        outDir: dashboardFolder,
        emptyOutDir: true,
        target: 'es2022',
        // The Content-Security-Policy of the page allows no data: address and no inline script.
        assetsInlineLimit: 0,
        modulePreload: false,
        // The licences of what is bundled go with it.
        license: { fileName: 'licenses.md' },
        rolldownOptions: { input: inRoot('src', 'dashboard', 'page.html') },
      },
    });
  } catch (error) {
    throw new Stop('The dashboard does not build: see the messages above.', String(error));
  }
  markFresh('dashboard', hash);
}
