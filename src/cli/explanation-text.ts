// An explanation on a terminal: the choice, then the targets with what kept each of the others from
// being the one, then what the answer rests on.
import type { ExplainedTarget, Explanation } from '../app/read-explanation.js';
import { formatTable, type Paint, visible } from './terminal.js';

/** More rows help nobody on a screen; --json has all of them. */
export const rowsMax = 100;

export function explanationText(explanation: Explanation, paint: Paint): string {
  const { listener, pool, policy, reason, target, scoreIs, notes } = explanation;
  const choice = paint(target === null ? 'red' : 'green', visible(reason));
  const head = `${visible(listener)} -> ${visible(pool)} (${policy}) -> ${choice}`;
  const after = [
    ...(scoreIs === null ? [] : [`score: ${scoreIs}; smaller is better.`]),
    ...(explanation.panic ? ['Too few targets are available: health is not heeded (panic).'] : []),
    ...notes,
    ...workersText(explanation),
  ].map(visible);
  return `${[head, '', ...rows(explanation, paint), '', ...after].join('\n').trimEnd()}\n`;
}

function rows({ targets }: Explanation, paint: Paint): readonly string[] {
  const first = targets.slice(0, rowsMax);
  const late = targets.slice(rowsMax).filter(({ picked }) => picked);
  const shown = [...first, ...late];
  const ranked = new Set(targets.map(({ priority }) => priority)).size > 1;
  const scored = targets.some(({ score }) => score !== null);
  const columns = ['TARGET', 'STATE', 'OPEN', 'WEIGHT'];
  if (ranked) columns.push('PRIORITY');
  if (scored) columns.push('SCORE');
  const numbers = new Set(['OPEN', 'WEIGHT', 'SCORE'].map((name) => columns.indexOf(name)));
  const cells = shown.map((target) => cellsOf(target, { ranked, scored }));
  const [head = '', ...lines] = formatTable([[...columns, 'WHY NOT'], ...cells], numbers);
  const left = targets.length - shown.length;
  return [
    head,
    ...lines.map((line, index) => painted(line, shown[index], paint)),
    ...(left > 0 ? [`... and ${left} more: --json has all of them`] : []),
  ];
}

function cellsOf(
  target: ExplainedTarget,
  { ranked, scored }: { readonly ranked: boolean; readonly scored: boolean },
): readonly string[] {
  const { name, active, maxConnections, weight, priority, score, whyNot } = target;
  return [
    name,
    stateOf(target),
    maxConnections === 0 ? `${active}` : `${active}/${maxConnections}`,
    numberText(weight),
    ...(ranked ? [priority === null ? 'backup' : `${priority}`] : []),
    ...(scored ? [score === null ? '' : numberText(score)] : []),
    whyNot?.text ?? '',
  ];
}

function painted(line: string, target: ExplainedTarget | undefined, paint: Paint): string {
  if (target?.picked) return paint('green', line);
  return target?.candidate === false ? paint('dim', line) : line;
}

function stateOf({ picked, candidate }: ExplainedTarget): string {
  if (picked) return 'picked';
  return candidate ? 'candidate' : 'out';
}

/** Four digits tell scores apart. */
function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

function workersText({ workers }: Explanation): readonly string[] {
  const [first, ...others] = workers;
  if (first === undefined || others.length === 0) return [];
  const choice = ({ target, outcome }: typeof first) => target ?? `none (${outcome})`;
  const same = others.every((one) => choice(one) === choice(first));
  if (same) return [`All ${workers.length} workers would do the same.`];
  const each = workers.map((one) => `${one.worker}: ${choice(one)}`).join(', ');
  return [`By worker: ${each}. Which one a client comes to is for the kernel to decide.`];
}
