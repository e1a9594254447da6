// A program on a terminal of its own, with somebody who waits for texts and types.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type TerminalStep =
  | { readonly expect: string }
  | { readonly send: string }
  | { readonly resize: readonly [rows: number, columns: number] }
  /** `pid`: of another process than the one on the terminal. */
  | { readonly signal: number; readonly pid?: number };

export interface TerminalRun {
  readonly output: string;
  /** Negative: killed by that signal; null: it did not end. */
  readonly status: number | null;
  /** The step that waited in vain; null: none. */
  readonly missed: number | null;
  /** Whether the terminal was left as shells want it. */
  readonly cooked: boolean;
}

const script = fileURLToPath(new URL('./pseudo-terminal.py', import.meta.url));

export async function runOnTerminal(
  command: readonly string[],
  steps: readonly TerminalStep[],
  options: {
    readonly rows?: number;
    readonly columns?: number;
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<TerminalRun> {
  const { rows = 24, columns = 100, cwd, env } = options;
  const child = spawn('python3', [script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'xterm-256color', NO_COLOR: '', ...env },
    ...(cwd !== undefined && { cwd }),
  });
  child.stdin.end(JSON.stringify({ command, rows, columns, steps }));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await once(child, 'close');
  return JSON.parse(text);
}
