// Where the built dashboard is, and whether it is the one that the sources say.
import { hashOf } from './freshness.mjs';
import { inRoot } from './paths.mjs';

export const dashboardFolder = inRoot('.cache', 'dashboard');

export function dashboardHash() {
  const packages = ['vite', 'preact', 'uplot', 'eventsource-parser'].map(
    (name) => `node_modules/${name}/package.json`,
  );
  return hashOf(['src/dashboard', 'src/model', 'scripts/build-dashboard.mjs', ...packages]);
}
