// Progress of a set-up: one line per step with its time; a spinner only on a terminal.

const frames = ['|', '/', '-', '\\'];
const out = process.stderr;

/** @param {number} sinceMs */
export function seconds(sinceMs) {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}

/** Text that fits on one line of the terminal. @param {string} text */
function oneLine(text) {
  return text.slice(0, Math.max(20, (out.columns ?? 80) - 1));
}

/**
 * Shows that `title` is being worked on until `work` settles. `report` names what it does now.
 * @template T
 * @param {string} title @param {(report: (detail: string) => void) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const startedMs = performance.now();
  let detail = '';
  let frame = 0;
  const draw = () => {
    frame = (frame + 1) % frames.length;
    out.write(`\r\x1b[K${oneLine(`  ${frames[frame]} ${title} ${seconds(startedMs)} ${detail}`)}`);
  };
  const spinner = out.isTTY ? setInterval(draw, 100) : null;
  if (spinner === null) out.write(`  .. ${title}\n`);
  /** @param {string} mark */
  const end = (mark) => {
    if (spinner !== null) {
      clearInterval(spinner);
      out.write('\r\x1b[K');
    }
    out.write(`  ${mark} ${title} (${seconds(startedMs)})\n`);
  };
  try {
    const result = await work((now) => {
      detail = now;
    });
    end('ok');
    return result;
  } catch (error) {
    end('!!');
    throw error;
  }
}
