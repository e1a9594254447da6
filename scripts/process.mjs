// Child processes: run to the end with the output kept, and find a program.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root } from './paths.mjs';

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd] the checkout's root when absent
 * @property {Record<string, string | undefined>} [env] added to ours; undefined removes
 * @property {((line: string) => void) | undefined} [onLine] called per line, as it comes
 * @property {boolean} [show] the child writes to our own output; nothing is kept
 */

/**
 * Runs a program to its end. The code is 128 + n when a signal ended it, 127 when it is absent.
 * @param {string} command @param {string[]} args @param {RunOptions} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: options.show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let partialLine = '';
    /** @param {string} text */
    const take = (text) => {
      output += text;
      const lines = (partialLine + text).split('\n');
      partialLine = lines.pop() ?? '';
      for (const line of lines) options.onLine?.(line);
    };
    child.stdout?.setEncoding('utf8').on('data', take);
    child.stderr?.setEncoding('utf8').on('data', take);
    child.on('error', (error) => resolve({ code: 127, output: output + error.message }));
    child.on('close', (code, signal) => {
      const end = signal === null ? output : `${output}\nended by ${signal}`;
      resolve({ code: code ?? 128, output: end });
    });
  });
}

/** The full path of a program, or null. @param {string} name @returns {string | null} */
export function findProgram(name) {
  // Debian's administration programs (nginx, dnsmasq) are not in an ordinary user's PATH.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    const path = join(folder === '' ? '.' : folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder: the next one.
    }
  }
  return null;
}
