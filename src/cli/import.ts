// sluice import FILE: a configuration of HAProxy or nginx as one of sluice, on standard output, and
// what became of its statements, on standard error.
import { type Fate, type ImportFinding, type ImportKind, importFile } from '../app/import.js';
import { exitCodes } from './exit-codes.js';
import { fail } from './fail.js';
import { type OutputOptions, putFile } from './output-file.js';
import { paintFor, visible } from './terminal.js';

export interface ImportOptions extends OutputOptions {
  readonly from?: ImportKind;
  readonly json?: true;
}

export async function importCommand(file: string, options: ImportOptions): Promise<number> {
  const result = await importFile(file, options.from);
  if (!result.ok) return fail(result.message, exitCodes.usage);
  const { kind, yaml, findings } = result;
  const counts = countsOf(findings);
  if (options.json === true) {
    const body = JSON.stringify({ file, kind, counts, findings, yaml }, null, 2);
    process.stdout.write(`${body}\n`);
  } else process.stderr.write(report(file, findings, counts));
  if (yaml === null) {
    const why = 'holds nothing that sluice can balance';
    return fail(`${file} ${why} (read as ${kind}; --from says otherwise)`, exitCodes.failed);
  }
  if (options.json === true && options.output === undefined) return exitCodes.ok;
  const trouble = await putFile(yaml, options);
  return trouble === null ? exitCodes.ok : fail(trouble, exitCodes.usage);
}

type Counts = Readonly<Record<Fate, number>>;

function countsOf(findings: readonly ImportFinding[]): Counts {
  const count = (fate: Fate): number => findings.filter((one) => one.fate === fate).length;
  return { carried: count('carried'), not_needed: count('not_needed'), lost: count('lost') };
}

/** What is lost comes last, where it is seen. */
function report(file: string, findings: readonly ImportFinding[], counts: Counts): string {
  const paint = paintFor(process.stderr);
  const lines: string[] = [];
  for (const fate of ['not_needed', 'lost'] as const) {
    for (const group of groupsOf(findings.filter((finding) => finding.fate === fate))) {
      const [first] = group;
      if (first === undefined) continue;
      const place = paint('bold', `${visible(file)}:${first.line}:${first.column}`);
      const word = fate === 'lost' ? paint('red', 'lost') : paint('dim', 'not needed');
      const more = group.length > 1 ? ` (and ${group.length - 1} more below it)` : '';
      const instead = first.instead === '' ? '' : `; ${first.instead}`;
      const head = `${place}  ${word}  ${visible(first.subject)}${more}`;
      lines.push(`${head}\n    ${visible(first.why + instead)}\n`);
    }
  }
  const { carried, not_needed: notNeeded, lost } = counts;
  lines.push(`${carried} carried over, ${notNeeded} not needed, ${lost} lost\n`);
  return lines.join('');
}

/** Neighbours with the same reason are told once. */
function groupsOf(findings: readonly ImportFinding[]): readonly (readonly ImportFinding[])[] {
  const groups: ImportFinding[][] = [];
  for (const finding of findings) {
    const last = groups.at(-1);
    if (last?.[0]?.why === finding.why && last[0].instead === finding.instead) last.push(finding);
    else groups.push([finding]);
  }
  return groups;
}
