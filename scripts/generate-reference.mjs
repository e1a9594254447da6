// Writes what is derived from the code, as compiled to dist/: schema/sluice.schema.json from the
// schema of the configuration, docs/errors.md from the table of error codes. Tests fail while
// either is stale. Usage: npm run build && node scripts/generate-reference.mjs
import { writeFileSync } from 'node:fs';
import { publishedJsonSchema } from '../dist/config/json-schema.js';
import { errorTable } from '../dist/errors.js';

/** @param {string} path @param {string} text */
function write(path, text) {
  writeFileSync(new URL(`../${path}`, import.meta.url), text);
}

/** What the first two parts of a code speak of. */
const sections = new Map([
  ['SLUICE_CONFIG', 'Configuration files'],
  ['SLUICE_CHECK', 'What this machine allows'],
  ['SLUICE_ADDON', 'The native addon'],
  ['SLUICE_ENGINE', 'The engine'],
  ['SLUICE_TABLE', 'Tables'],
  ['SLUICE_START', 'Starting'],
  ['SLUICE_LIBRARY', 'sluice as a library'],
  ['SLUICE_EXPLAIN', 'Explain'],
  ['SLUICE_LOG', 'The log'],
  ['SLUICE_ADMIN', 'The admin API'],
  ['SLUICE_DEMO', 'The demo targets'],
]);

const lines = [
  '# Error codes',
  '',
  'Every code that sluice prints, what it means and what to do. A code never changes its meaning.',
  'This page is made from `src/errors.ts` by `scripts/generate-reference.mjs`.',
];
let section = '';
for (const [code, { title, fix }] of Object.entries(errorTable)) {
  const prefix = code.split('_').slice(0, 2).join('_');
  if (prefix !== section) {
    section = prefix;
    lines.push('', `## ${sections.get(prefix) ?? `${prefix}_...`}`);
  }
  lines.push('', `### ${code}`, '', title, '', `**To fix it:** ${fix}`);
}

write('schema/sluice.schema.json', `${JSON.stringify(publishedJsonSchema(), null, 2)}\n`);
write('docs/errors.md', `${lines.join('\n')}\n`);
