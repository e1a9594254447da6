// What `sluice init` asks the configuration's own rules: is this an address, is this file right?
import { parseBind } from '../config/bind-address.js';
import { anyInterface } from '../config/ip.js';
import { loadConfig } from '../config/load.js';
import type { ConfigProblem } from '../config/problem.js';
import { parseTargetAddress } from '../config/target-address.js';

/** null: it is one. */
export function bindProblem(text: string): string | null {
  const result = parseBind(text, anyInterface);
  return result.ok ? null : result.problem.message;
}

/** null: it is one. */
export function targetProblem(text: string): string | null {
  const result = parseTargetAddress(text, anyInterface);
  return result.ok ? null : result.problem.message;
}

export function textProblems(text: string): readonly ConfigProblem[] {
  const result = loadConfig(Buffer.from(text), 'the new file');
  return result.ok ? [] : result.errors;
}
