// `npm start`: sets up what is missing, then runs the demo until Ctrl-C.
import { spawn } from 'node:child_process';
import { inRoot, root } from './paths.mjs';
import { setUp } from './set-up.mjs';
import { runMain } from './stop.mjs';

/**
 * One Ctrl-C reaches us twice: from the terminal, and from npm, which passes it on. sluice ends at
 * once on a second signal, so a repetition this soon is the same key press.
 */
const samePressMs = 300;

/** @param {string[]} args @returns {Promise<number>} the exit code */
function runSluice(args) {
  return new Promise((resolve, reject) => {
    // Detached: out of the terminal's reach, so that signals come from us alone.
    const child = spawn(process.execPath, [inRoot('dist', 'main.js'), ...args], {
      cwd: root,
      stdio: 'inherit',
      detached: true,
    });
    let lastSignalMs = Number.NEGATIVE_INFINITY;
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
      const nowMs = performance.now();
      if (nowMs - lastSignalMs >= samePressMs) child.kill(signal);
      lastSignalMs = nowMs;
    };
    process.on('SIGINT', () => forward('SIGINT'));
    process.on('SIGTERM', () => forward('SIGTERM'));
    // The terminal is gone. To sluice itself SIGHUP would mean: reload.
    process.on('SIGHUP', () => forward('SIGTERM'));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (signal !== null) process.stderr.write(`sluice was ended by ${signal}\n`);
      resolve(code ?? 1);
    });
  });
}

await runMain(async () => {
  await setUp();
  return runSluice(['demo', ...process.argv.slice(2)]);
});
