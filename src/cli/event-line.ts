// An event of a running sluice as a line for people: when, how bad, what, and its fields. Pure.
import { type Fields, textOf } from './answer-fields.js';
import { type Paint, visible } from './terminal.js';

/** Those of events, from the least to the worst. */
export const eventLevels = ['info', 'warn', 'error'] as const;

const levelWidth = 5;
const styles = { warn: 'yellow', error: 'red' } as const;

/** Fields are `name=value`; a value that could be taken for more is in JSON's quotes. */
export function eventLine(event: Fields, paint: Paint): string {
  const { time, level, event: name, ...fields } = event;
  const word = visible(textOf(level)).padEnd(levelWidth);
  const style = Object.entries(styles).find(([one]) => one === level)?.[1];
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== null && value !== '')
    .map(([key, value]) => ` ${visible(key)}=${valueText(value)}`);
  const shown = style === undefined ? word : paint(style, word);
  const head = `${visible(textOf(time))}  ${shown}  ${paint('bold', visible(textOf(name)))}`;
  return `${head} ${pairs.join('')}`.trimEnd();
}

function valueText(value: unknown): string {
  const plain = typeof value === 'string' && /^[^\s="]+$/.test(value);
  return visible(plain ? value : (JSON.stringify(value) ?? ''));
}
