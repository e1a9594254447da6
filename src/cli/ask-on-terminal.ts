// ask-on-terminal: questions that a person may walk away from.
import { createInterface, type Interface } from 'node:readline/promises';

/**
 * What `ask` makes of the answers; null: Ctrl-C, or the end of the input. On standard error,
 * because standard output may be the file. Each question of `ask` takes `signal`.
 */
export async function askOnTerminal<T>(
  ask: (terminal: Interface, signal: AbortSignal) => Promise<T>,
): Promise<T | null> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new AbortController();
  terminal.on('close', () => ended.abort());
  terminal.on('SIGINT', () => terminal.close());
  try {
    return await ask(terminal, ended.signal);
  } catch (error) {
    if (!ended.signal.aborted) throw error;
    process.stderr.write('\n');
    return null;
  } finally {
    terminal.close();
  }
}
