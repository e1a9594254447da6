// sluice targets [POOL]: the targets of one pool or of all, as a table.
import { getAdmin, readAdmin } from './admin-client.js';
import { type Fields, fieldsOf, listOf, milliseconds, numberOf, textOf } from './answer-fields.js';
import { exitCodes } from './exit-codes.js';
import { fail } from './fail.js';
import type { ReadOptions } from './status.js';
import { formatTable } from './terminal.js';

export interface TargetsOptions extends ReadOptions {
  readonly health?: string;
  readonly state?: string;
  readonly search?: string;
}

interface Row {
  readonly pool: string;
  readonly target: Fields;
}

export async function listTargets(
  pool: string | undefined,
  options: TargetsOptions,
): Promise<number> {
  const { admin, json } = options;
  const named = pool === undefined ? await poolNames(admin) : [pool];
  const rows: Row[] = [];
  for (const name of named) {
    const page = await targetsOf(name, options);
    if (typeof page === 'string') return fail(page, exitCodes.failed);
    rows.push(...page.map((target) => ({ pool: name, target })));
  }
  if (json === true) {
    const targets = rows.map(({ pool: of, target }) => ({ pool: of, ...target }));
    process.stdout.write(`${JSON.stringify({ targets }, null, 2)}\n`);
    return exitCodes.ok;
  }
  const head = [
    'POOL/TARGET',
    'ADDRESS',
    'HEALTH',
    'STATE',
    'WEIGHT',
    'OPEN',
    'WAITING',
    'P50',
    'P99',
  ];
  const table = formatTable([head, ...rows.map(tableRow)], new Set([4, 5, 6, 7, 8]));
  process.stdout.write(`${table.join('\n')}\n`);
  return exitCodes.ok;
}

async function poolNames(admin: string): Promise<readonly string[]> {
  const { pools } = await readAdmin(admin, '/api/v1/pools');
  return listOf(pools).map(({ name }) => textOf(name));
}

const pageSize = 1000;

/** All pages; a text: why not. */
async function targetsOf(
  pool: string,
  { admin, health, state, search }: TargetsOptions,
): Promise<readonly Fields[] | string> {
  const filter = new URLSearchParams({
    ...(health !== undefined && { health }),
    ...(state !== undefined && { adminState: state }),
    ...(search !== undefined && { search }),
  });
  const found: Fields[] = [];
  for (let offset = 0; ; offset += pageSize) {
    filter.set('offset', String(offset));
    filter.set('limit', String(pageSize));
    const path = `/api/v1/pools/${encodeURIComponent(pool)}/targets?${filter}`;
    const { status, body } = await getAdmin(admin, path);
    if (status !== 200) return `${textOf(body.error)} (${textOf(body.code)})`;
    const page = listOf(body.targets);
    found.push(...page);
    if (page.length === 0 || found.length >= numberOf(body.total)) return found;
  }
}

function tableRow({ pool, target }: Row): string[] {
  const responses = fieldsOf(target.responses);
  return [
    `${pool}/${textOf(target.name)}`,
    textOf(target.address),
    healthText(target),
    stateText(target),
    textOf(target.effectiveWeight),
    String(numberOf(target.active)),
    String(numberOf(target.activeTurns)),
    milliseconds(responses.p50Ms),
    milliseconds(responses.p99Ms),
  ];
}

export function healthText({ health, healthReason, healthDetail }: Fields): string {
  const why = [textOf(healthReason), textOf(healthDetail)].filter((text) => text !== '');
  return why.length === 0 ? textOf(health) : `${textOf(health)} (${why.join(': ')})`;
}

export function stateText({ adminState, ejection, backup }: Fields): string {
  const words = [textOf(adminState)];
  if (ejection !== null && ejection !== undefined) words.push('ejected');
  if (backup === true) words.push('backup');
  return words.join(', ');
}
