// sluice top: a live view. On a terminal it has a screen of its own and gives the old one back
// however it ends; elsewhere it prints frames as plain text.
import { writeSync } from 'node:fs';
import { systemClock } from '../clock.js';
import { SluiceError } from '../errors.js';
import { readAdmin } from './admin-client.js';
import { exitCodes } from './exit-codes.js';
import { paintFor } from './terminal.js';
import { sortKeys, topFrame } from './top-frame.js';
import { addSample, type TopHistory } from './top-history.js';

export interface TopOptions {
  readonly admin: string;
  readonly interval: number;
  readonly count?: number;
  readonly json?: true;
}

export async function top(options: TopOptions): Promise<number> {
  const isScreen = process.stdout.isTTY && process.stdin.isTTY && options.count === undefined;
  if (isScreen && options.json !== true) return await runScreen(options);
  return await printFrames(options);
}

/** Rates need two samples, so that the first frame comes after an interval. */
async function printFrames({ admin, interval, count = 1, json }: TopOptions): Promise<number> {
  const clock = systemClock();
  const news = (): ReturnType<typeof readAdmin> => readAdmin(admin, '/api/v1/status');
  let history = addSample(null, await news(), clock.nowMs());
  for (let frame = 0; frame < count; frame++) {
    await new Promise<void>((wake) => void clock.after(interval * 1000, wake));
    history = addSample(history, await news(), clock.nowMs());
    const { head, series } = history;
    const view = {
      columns: 160,
      rows: series.length + 5,
      sort: 'name',
      offset: 0,
      trouble: '',
    } as const;
    const text =
      json === true
        ? JSON.stringify({ ...head, series })
        : // Without the line about keys, which nobody can press here.
          topFrame(history, view, (_style, line) => line)
            .split('\n')
            .slice(0, -1)
            .join('\n');
    process.stdout.write(`${text}\n`);
  }
  return exitCodes.ok;
}

const enter = '\x1b[?1049h\x1b[?25l\x1b[2J';
const leave = '\x1b[?25h\x1b[?1049l';

async function runScreen({ admin, interval }: TopOptions): Promise<number> {
  const clock = systemClock();
  // Before the screen changes: that nobody is there is better told on the old one.
  let history: TopHistory = addSample(
    null,
    await readAdmin(admin, '/api/v1/status'),
    clock.nowMs(),
  );
  const state = { sort: 0, offset: 0, trouble: '' };
  let wake = (): void => undefined;
  let ended = false;
  const finish = (): void => {
    ended = true;
    wake();
  };
  const draw = (): void => {
    const { columns = 80, rows = 24 } = process.stdout;
    const sort = sortKeys[state.sort % sortKeys.length] ?? 'name';
    const view = { columns, rows, sort, offset: state.offset, trouble: state.trouble };
    const frame = topFrame(history, view, paintFor(process.stdout));
    // Each line clears what is left of the old one, and the last all below it: no flicker.
    process.stdout.write(`\x1b[H${frame.replaceAll('\n', '\x1b[K\r\n')}\x1b[K\x1b[J`);
  };
  const press = (keys: Buffer): void => {
    const text = keys.toString('latin1');
    if (text.includes('q') || text.includes('\x03')) finish();
    else if (text.includes('\x1b[A')) state.offset = Math.max(state.offset - 1, 0);
    else if (text.includes('\x1b[B')) state.offset++;
    else if (text.includes('s') || text.includes('\x1b[C')) state.sort++;
    else if (text.includes('\x1b[D')) state.sort += sortKeys.length - 1;
    const count = history.series.filter(({ kind }) => kind === 'target').length;
    state.offset = Math.min(state.offset, Math.max(count - 1, 0));
    if (!ended) draw();
  };
  const restore = (): void => {
    process.stdin.setRawMode(false);
    writeSync(1, leave);
  };
  process.once('exit', restore);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, finish);
  process.stdout.write(enter);
  process.stdin.setRawMode(true).on('data', press).resume();
  process.stdout.on('resize', draw);
  draw();
  while (!ended) {
    await new Promise<void>((resolve) => {
      const timer = clock.after(interval * 1000, resolve);
      wake = () => {
        timer.cancel();
        resolve();
      };
    });
    if (ended) break;
    try {
      const news = await readAdmin(admin, '/api/v1/status');
      history = addSample(history, news, clock.nowMs());
      state.trouble = '';
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      state.trouble = error.message;
    }
    if (!ended) draw();
  }
  process.stdin.pause();
  process.stdout.off('resize', draw);
  process.off('exit', restore);
  restore();
  return exitCodes.ok;
}
