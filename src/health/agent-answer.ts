// AgentAnswer: one line of words, in HAProxy's language of agent checks ("agent-check" in its
// configuration manual) and with its meanings.
import { type AgentWords, nothingSaid } from '../model/agent.js';

export interface AgentAnswer {
  readonly words: AgentWords;
  /** Words that are none; the others count all the same, as in HAProxy. */
  readonly unknown: readonly string[];
}

/** A factor of the weight beyond this is taken for a slip of the agent. */
const percentMax = 1000;
const weightMax = 65_535;
const connectionsMax = 1_000_000_000;

const fixedWords: Readonly<Record<string, Partial<AgentWords>>> = {
  up: { up: true },
  down: { up: false },
  fail: { up: false },
  failed: { up: false },
  stopped: { up: false },
  ready: { adminState: 'enabled' },
  drain: { adminState: 'draining' },
  maint: { adminState: 'disabled' },
};

/** Words are parted by spaces, tabs and commas; what follows a # is for people. Never throws. */
export function readAgentAnswer(line: string): AgentAnswer {
  let words = nothingSaid;
  const unknown: string[] = [];
  const text = line.split('#', 1)[0] ?? '';
  for (const word of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const meaning = meaningOf(word.toLowerCase());
    if (meaning === null) unknown.push(word);
    else words = { ...words, ...meaning };
  }
  return { words, unknown };
}

function meaningOf(word: string): Partial<AgentWords> | null {
  if (Object.hasOwn(fixedWords, word)) return fixedWords[word] ?? null;
  const percent = numberIn(/^(\d{1,6})%$/, word, percentMax);
  if (percent !== null) return { weight: { kind: 'share', value: percent / 100 } };
  const weight = numberIn(/^weight:(\d{1,6})$/, word, weightMax);
  if (weight !== null) return { weight: { kind: 'weight', value: weight } };
  const maxConnections = numberIn(/^maxconn:(\d{1,10})$/, word, connectionsMax);
  return maxConnections === null ? null : { maxConnections };
}

function numberIn(pattern: RegExp, word: string, max: number): number | null {
  const digits = pattern.exec(word)?.[1];
  if (digits === undefined) return null;
  const value = Number(digits);
  return value <= max ? value : null;
}
