// The state file on a real disk, with a fake clock: when it is written, and what is read back.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { refreshMs, StateFile } from '../../../src/state/state-file.js';
import { type StateSection, stateSection } from '../../../src/state/state-section.js';
import { FakeClock } from '../../support/fake-clock.js';
import { createRecordingLogger } from '../../support/recording-logger.js';

const intervalMs = 1000;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-state-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A section that holds one number; `saves` counts how often it was asked. */
function counting(name = 'number') {
  const held = { value: 0, ageMs: -1, saves: 0 };
  const section: StateSection = stateSection({
    name,
    schema: z.number().int(),
    save: () => {
      held.saves++;
      return held.value;
    },
    restore: (value, { ageMs }) => {
      held.value = value;
      held.ageMs = ageMs;
    },
  });
  return { held, section };
}

function setup(file = join(folder(), 'state.json'), clock = new FakeClock()) {
  const log = createRecordingLogger();
  const { held, section } = counting();
  const state = new StateFile({ file, intervalMs, sections: [section], clock, log });
  const onDisk = (): unknown =>
    existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).sections.number : undefined;
  /** A write is several turns of the event loop; closing waits for it. */
  return { file, clock, log, held, state, onDisk };
}

describe('the state file', () => {
  it('gives a later process what was true, and how long ago that was', async () => {
    const first = setup();
    first.state.begin();
    first.held.value = 7;
    await first.state.close();
    const clock = new FakeClock();
    await clock.advance(90_000);
    const second = setup(first.file, clock);
    await second.state.restore();
    expect(second.held).toMatchObject({ value: 7, ageMs: 90_000 });
    expect(second.log.of('state_restored')).toEqual([
      { file: first.file, sections: ['number'], ageMs: 90_000 },
    ]);
  });

  it('is for its owner alone, also where a crash left a draft that all may read', async () => {
    const { file, state } = setup();
    writeFileSync(`${file}.new`, 'half of an old on');
    chmodSync(`${file}.new`, 0o666);
    state.begin();
    await state.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(`${file}.new`)).toBe(false);
  });

  it('joins changes: the first is written an interval after the last write', async () => {
    const { clock, state, held } = setup();
    state.begin();
    await clock.advance(0);
    expect(held.saves).toBe(1);
    for (let change = 0; change < 50; change++) {
      state.changed();
      await clock.advance(10);
    }
    expect(held.saves).toBe(1);
    await clock.advance(intervalMs - 500);
    expect(clock.nowMs()).toBe(intervalMs);
    await state.close();
    // The one of the changes, and the one of the end.
    expect(held.saves).toBe(3);
  });

  it('is written every minute without a change: its age is the time without us', async () => {
    const { clock, state, held } = setup();
    state.begin();
    await clock.advance(0);
    await clock.advance(3 * refreshMs);
    await state.close();
    expect(held.saves).toBe(5);
  });

  it('leaves neither a timer nor a write behind when it is closed, twice as well', async () => {
    const { clock, state, onDisk, held } = setup();
    state.begin();
    held.value = 3;
    await Promise.all([state.close(), state.close()]);
    expect(onDisk()).toBe(3);
    state.changed();
    expect(clock.pendingTimers).toBe(0);
  });

  it('is not touched by a process that never began', async () => {
    const { file, state } = setup();
    await state.close();
    expect(existsSync(file)).toBe(false);
  });

  it('keeps the old one whole when the new one cannot be written, and says so once', async () => {
    const { file, clock, state, held, log, onDisk } = setup();
    state.begin();
    held.value = 1;
    await clock.advance(0);
    await state.close();
    expect(onDisk()).toBe(1);
    const blocked = setup(file);
    mkdirSync(`${file}.new`);
    blocked.held.value = 2;
    blocked.state.begin();
    await blocked.clock.advance(5 * refreshMs);
    await blocked.state.close();
    expect(blocked.log.of('state_not_written')).toHaveLength(1);
    expect(onDisk()).toBe(1);
    expect(log.of('state_not_written')).toEqual([]);
  });

  it('does not write through a link that somebody put in the place of the draft', async () => {
    const { file, state, log } = setup();
    const precious = join(folder(), 'precious');
    writeFileSync(precious, 'untouched');
    symlinkSync(precious, `${file}.new`);
    state.begin();
    await state.close();
    expect(readFileSync(precious, 'utf8')).toBe('untouched');
    expect(log.of('state_not_written')).toHaveLength(1);
  });

  it('says nothing of a file that is not there yet', async () => {
    const { state, log } = setup();
    await state.restore();
    expect(log.events).toEqual([]);
  });

  it('ignores what is no state file, says why, and starts', async () => {
    const { file, state, log, held } = setup();
    writeFileSync(file, '{"sluice_state": 1, ');
    await state.restore();
    expect(log.of('state_ignored')).toEqual([{ file, reason: 'not JSON' }]);
    expect(held.value).toBe(0);
  });

  it('ignores a folder and a pipe in its place, without waiting for a writer', async () => {
    const asFolder = setup(folder());
    await asFolder.state.restore();
    expect(asFolder.log.of('state_ignored')).toHaveLength(1);
    const pipe = join(folder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const asPipe = setup(pipe);
    await asPipe.state.restore();
    expect(asPipe.log.of('state_ignored')).toEqual([{ file: pipe, reason: 'not a regular file' }]);
  });

  it('ignores the section that is wrong and takes the others', async () => {
    const file = join(folder(), 'state.json');
    const one = counting('one');
    const two = counting('two');
    const sections = [one.section, two.section];
    const log = createRecordingLogger();
    const written = new Date(Date.UTC(2030, 0, 1)).toISOString();
    const saved = { one: 'seven', two: 2, three: 3 };
    writeFileSync(file, JSON.stringify({ sluice_state: 1, written, sections: saved }));
    const clock = new FakeClock();
    await new StateFile({ file, intervalMs, sections, clock, log }).restore();
    expect([one.held.value, two.held.value]).toEqual([0, 2]);
    expect(log.of('state_ignored')).toMatchObject([{ reason: expect.stringContaining('one: ') }]);
    expect(log.of('state_restored')).toMatchObject([{ sections: ['two'] }]);
  });

  it('takes a file from the future for a new one: somebody has set the clock back', async () => {
    const { file, state, held } = setup();
    const written = new Date(Date.UTC(2040, 0, 1)).toISOString();
    writeFileSync(file, JSON.stringify({ sluice_state: 1, written, sections: { number: 4 } }));
    await state.restore();
    expect(held).toMatchObject({ value: 4, ageMs: 0 });
  });
});
