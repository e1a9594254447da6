// Sets up whatever is missing or stale, in order: machine, dependencies, addon, TypeScript.
// `npm run build` runs it alone; `npm start` and `npm test` run it first.
import { chmodSync, cpSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { addonIsFresh, buildAddon } from './build-native.mjs';
import { dashboardFolder, dashboardHash } from './dashboard-files.mjs';
import { dependenciesAreFresh, installDependencies } from './dependencies.mjs';
import { hashOf, isFresh, markFresh } from './freshness.mjs';
import { generatePolicies } from './generate-policies.mjs';
import { inRoot, moduleFile } from './paths.mjs';
import { requireCompiler, requirePlatform } from './prerequisites.mjs';
import { run } from './process.mjs';
import { step } from './progress.mjs';
import { runMain, Stop } from './stop.mjs';

const entry = inRoot('dist', 'main.js');

function typescriptHash() {
  const paths = ['src', 'tsconfig.json', 'node_modules/typescript/package.json'];
  return hashOf(paths, [dashboardHash()]);
}

/** Vite is loaded only when there is something to build. */
async function buildDashboardIfStale() {
  if (existsSync(dashboardFolder) && isFresh('dashboard', dashboardHash())) return;
  const { buildDashboard } = await import('./build-dashboard.mjs');
  await buildDashboard();
}

/**
 * dist/ is made anew, so that a removed source leaves nothing behind, and put in place in one go,
 * so that what runs from the old one meanwhile finds either all of it or all of the new one.
 */
async function buildTypescript() {
  const hash = typescriptHash();
  const fresh = inRoot('.cache', 'dist');
  rmSync(fresh, { recursive: true, force: true });
  const args = [moduleFile('typescript/bin/tsc'), '--outDir', fresh];
  const { code, output } = await run(process.execPath, args);
  if (code !== 0) throw new Stop('TypeScript does not compile: see the messages above.', output);
  await buildDashboardIfStale();
  cpSync(dashboardFolder, join(fresh, 'dashboard'), { recursive: true });
  // The entry is a command too (package.json bin).
  chmodSync(join(fresh, 'main.js'), 0o755);
  rmSync(inRoot('dist'), { recursive: true, force: true });
  renameSync(fresh, inRoot('dist'));
  markFresh('typescript', hash);
}

/** @param {boolean} [dependenciesOnly] for what reads sources and runs none of our own code */
export async function setUp(dependenciesOnly = false) {
  requirePlatform();
  if (!dependenciesAreFresh()) await step('dependencies (npm ci)', installDependencies);
  if (dependenciesOnly) return;
  generatePolicies();
  if (!(await addonIsFresh())) {
    requireCompiler();
    await step('data plane (C++ addon; a minute or two, once)', buildAddon);
  }
  if (!existsSync(entry) || !isFresh('typescript', typescriptHash())) {
    await step('control plane and dashboard (TypeScript)', buildTypescript);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(async () => {
    await setUp();
    return 0;
  });
}
