// The files of a run: results as JSON, the report as Markdown, charts as SVG; and the newest table
// in bench/README.md, its short form in README.md.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askedTable } from './asked.mjs';
import { chartPoints, drawChart } from './chart.mjs';
import { document, measuredWhere } from './document.mjs';

const start = '<!-- newest results: written by npm run bench -- --readme -->';
const end = '<!-- end of the newest results -->';

/**
 * 2026-11-20T18:30:00Z of vm: 20261120-1830-vm.
 * @param {import('./document.mjs').Results} results
 */
export function baseName({ date, machine }) {
  const when = date.slice(0, 16).replaceAll(/[-:]/g, '').replace('T', '-');
  return `${when}-${machine.host.replaceAll(/[^\w.-]/g, '_')}`;
}

/**
 * One chart for each group that has ratios.
 * @param {import('./document.mjs').Results} results @param {string} folder
 * @param {(group: string) => string} nameOf a group's file
 */
async function writeCharts(results, folder, nameOf) {
  mkdirSync(folder, { recursive: true });
  const charts = [];
  for (const group of new Set(results.rows.map((row) => row.group))) {
    const rows = results.rows.filter((row) => row.group === group);
    const points = chartPoints(rows, results.contenders);
    if (points.length === 0) continue;
    const file = nameOf(group);
    writeFileSync(join(folder, file), `${await drawChart(group, points)}\n`);
    charts.push({ title: group, file });
  }
  return charts;
}

/**
 * @param {import('./document.mjs').Results} results @param {string} folder
 * @returns {Promise<string>} the path of the Markdown file
 */
export async function writeResults(results, folder) {
  const base = baseName(results);
  const charts = await writeCharts(results, folder, (group) => `${base}-${group}.svg`);
  writeFileSync(join(folder, `${base}.json`), `${JSON.stringify(results, null, 1)}\n`);
  const path = join(folder, `${base}.md`);
  writeFileSync(path, `# Results ${base}\n\n${document(results, charts)}`);
  return path;
}

/**
 * The text with what stands between the marks replaced.
 * @param {string} text
 * @param {string} table
 */
export function withNewestResults(text, table) {
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error('the marks of the newest results are missing');
  return `${text.slice(0, from + start.length)}\n\n${table.trim()}\n\n${text.slice(to)}`;
}

/** @param {string} readme path @param {string} table */
function replaceIn(readme, table) {
  writeFileSync(readme, withNewestResults(readFileSync(readme, 'utf8'), table));
}

/**
 * Puts the table into `folder`/README.md, its charts into `folder`/charts and the short form into
 * the project's README.md.
 * @param {string} folder @param {string} projectReadme
 * @param {import('./document.mjs').Results} results
 */
export async function updateReadmes(folder, projectReadme, results) {
  const drawn = await writeCharts(results, join(folder, 'charts'), (group) => `${group}.svg`);
  const charts = drawn.map(({ title, file }) => ({ title, file: `charts/${file}` }));
  // One level down: the sections of the report become parts of the section that holds them.
  const table = document(results, charts).replaceAll(/^## /gm, '### ');
  replaceIn(join(folder, 'README.md'), table);
  replaceIn(projectReadme, `${askedTable(results)}\n\nMeasured ${measuredWhere(results)}`);
}
