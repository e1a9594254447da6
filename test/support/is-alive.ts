// Does a process run?
import { readFileSync } from 'node:fs';

/** One that is dead may wait for its new parent to take note of it. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
