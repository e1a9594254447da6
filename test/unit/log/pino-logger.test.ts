// The real logger, writing to a file: one JSON line per event, at that event's level.
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { levelOf } from '../../../src/log/events.js';
import { waitingBytesMax } from '../../../src/log/log-output.js';
import { openLogSink } from '../../../src/log/log-sink.js';
import { openPinoLogger } from '../../../src/log/pino-logger.js';
import { temporaryFolder } from '../../support/real-server.js';
import { waitFor } from '../../support/wait-for.js';

/** What the file has when it says nothing of them. */
const plain = { access: null, rotate: null } as const;
const resolved = { host: 'db1', address: '192.0.2.1' };

async function linesOf(file: string): Promise<readonly Record<string, unknown>[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe('openPinoLogger', () => {
  it('writes the event, its fields, a level in words and an ISO time', async () => {
    const output = join(await temporaryFolder(), 'log');
    const logger = await openPinoLogger({ ...plain, level: 'info', format: 'auto', output });
    logger.event('name_resolved', resolved);
    logger.event('stopped', { durationMs: 1.23456789, cut: 0 });
    await logger.close();
    const [first, second] = await linesOf(output);
    expect(first).toMatchObject({ level: 'info', event: 'name_resolved', ...resolved });
    expect(String(first?.time)).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(second).toMatchObject({ durationMs: 1.235 });
  });

  it('leaves out what is below the level', async () => {
    const output = join(await temporaryFolder(), 'log');
    const logger = await openPinoLogger({ ...plain, level: 'error', format: 'json', output });
    logger.event('name_resolved', resolved);
    logger.event('start_failed', { code: 'C', message: 'm' });
    await logger.close();
    expect((await linesOf(output)).map(({ event }) => event)).toEqual(['start_failed']);
  });

  it('goes on in a new file after reopen', async () => {
    const output = join(await temporaryFolder(), 'log');
    const logger = await openPinoLogger({ ...plain, level: 'info', format: 'json', output });
    logger.event('name_resolved', resolved);
    await waitFor('the first line', async () => (await linesOf(output)).length === 1);
    await rename(output, `${output}.1`);
    logger.reopen();
    await waitFor('the new file', async () => {
      logger.event('name_resolved', resolved);
      return (await linesOf(output)).length > 0;
    });
    await logger.close();
  });

  it('rejects when the file cannot be opened', async () => {
    const opened = openPinoLogger({
      ...plain,
      level: 'info',
      format: 'json',
      output: '/nowhere/log',
    });
    await expect(opened).rejects.toMatchObject({
      code: 'SLUICE_LOG_OPEN',
      message: expect.stringMatching(/^log\.output \/nowhere\/log: ENOENT/),
    });
  });
});

describe('access records', () => {
  const record = {
    listener: 'web',
    pool: 'web',
    target: 'a',
    clientIp: '192.0.2.9',
    clientPort: 5,
    connectUs: 1,
    waitedMs: 0,
    replays: 0,
    durationMs: 2,
    toTargetBytes: 3,
    toClientBytes: 4,
    reason: 'client_closed',
  };

  it('go to an output of their own, and nothing else does', async () => {
    const folder = await temporaryFolder();
    const [output, access] = [join(folder, 'log'), join(folder, 'access')];
    const config = { ...plain, level: 'info', format: 'json', output, access } as const;
    const logger = await openPinoLogger(config);
    logger.event('name_resolved', resolved);
    logger.event('connection_closed', record);
    logger.event('session_ended', record);
    await logger.close();
    const events = async (file: string) => (await linesOf(file)).map(({ event }) => event);
    expect(await events(output)).toEqual(['name_resolved']);
    expect(await events(access)).toEqual(['connection_closed', 'session_ended']);
  });

  it('leave no open file behind when their own cannot be opened', async () => {
    const output = join(await temporaryFolder(), 'log');
    const config = { ...plain, level: 'info', format: 'json', output } as const;
    const before = (await readdir('/proc/self/fd')).length;
    const opened = openPinoLogger({ ...config, access: '/nowhere/access' });
    await expect(opened).rejects.toMatchObject({
      code: 'SLUICE_LOG_OPEN',
      message: expect.stringMatching(/^log\.access \/nowhere\/access: ENOENT/),
    });
    await waitFor('the file to be closed', async () => {
      return (await readdir('/proc/self/fd')).length <= before;
    });
  });
});

describe('LogSink', () => {
  it('rotates by size: no line is lost or divided, and only so many files are kept', async () => {
    const folder = await temporaryFolder();
    const output = join(folder, 'log');
    const sink = await openLogSink({
      output,
      rotate: { sizeBytes: 1000, keep: 3 },
      onTrouble: (reason) => expect.fail(reason),
    });
    const lines = Array.from({ length: 50 }, (_, index) => `${index} ${'z'.repeat(90)}\n`);
    for (const [index, line] of lines.entries()) {
      sink.write(line);
      // One by one, as events come; what is written at once may fill more than a file.
      await waitFor('the line', async () =>
        (await readFile(output, 'utf8').catch(() => '')).includes(`${index} z`),
      );
    }
    await sink.close();
    expect((await readdir(folder)).toSorted()).toEqual(['log', 'log.1', 'log.2', 'log.3']);
    const texts = await Promise.all(
      ['log.3', 'log.2', 'log.1', 'log'].map((file) => readFile(join(folder, file), 'utf8')),
    );
    for (const text of texts) expect(text.length).toBeLessThanOrEqual(1000);
    const kept = texts.join('');
    expect(lines.join('').endsWith(kept)).toBe(true);
    expect(kept.length).toBeGreaterThan(3 * 800);
  });

  it('counts what a file held before, and keeps no old one when told so', async () => {
    const folder = await temporaryFolder();
    const output = join(folder, 'log');
    const options = {
      output,
      rotate: { sizeBytes: 100, keep: 0 },
      onTrouble: (reason: string) => expect.fail(reason),
    };
    const line = `${'w'.repeat(70)}\n`;
    for (let start = 0; start < 2; start++) {
      const sink = await openLogSink(options);
      sink.write(line);
      await sink.close();
    }
    expect(await readdir(folder)).toEqual(['log']);
    expect(await readFile(output, 'utf8')).toBe(line);
  });

  it('writes on into the same file, and says so once, when it cannot rotate', async () => {
    const folder = await temporaryFolder();
    const output = join(folder, 'log');
    // What stands in the way of a rename over it: a folder that is not empty.
    await mkdir(join(folder, 'log.1', 'full'), { recursive: true });
    const troubles: string[] = [];
    const sink = await openLogSink({
      output,
      rotate: { sizeBytes: 100, keep: 1 },
      onTrouble: (reason) => troubles.push(reason),
    });
    const lines = [1, 2, 3].map((index) => `${index} ${'v'.repeat(80)}\n`);
    for (const [index, line] of lines.entries()) {
      sink.write(line);
      await waitFor('the line', async () =>
        (await readFile(output, 'utf8')).includes(`${index + 1} v`),
      );
    }
    await sink.close();
    expect(await readFile(output, 'utf8')).toBe(lines.join(''));
    expect(troubles.length).toBeGreaterThan(0);
  });

  it('tells of a full disk once, keeps a bounded rest, and closes all the same', async () => {
    const troubles: string[] = [];
    const sink = await openLogSink({
      output: '/dev/full',
      rotate: null,
      onTrouble: (reason) => troubles.push(reason),
    });
    const line = `${'x'.repeat(64 * 1024)}\n`;
    for (let bytes = 0; bytes < 2 * waitingBytesMax; bytes += line.length) sink.write(line);
    await waitFor('the trouble', async () => troubles.length > 0);
    sink.write('more\n');
    await sink.close();
    expect(troubles).toHaveLength(1);
    expect(troubles[0]).toContain('ENOSPC');
  });

  it('loses nothing and keeps the order of what it is given in one turn', async () => {
    const output = join(await temporaryFolder(), 'log');
    const sink = await openLogSink({
      output,
      rotate: null,
      onTrouble: (reason) => expect.fail(reason),
    });
    const lines = Array.from({ length: 10_000 }, (_, index) => `${index} ${'y'.repeat(100)}\n`);
    for (const line of lines) sink.write(line);
    await sink.close();
    expect(await readFile(output, 'utf8')).toBe(lines.join(''));
  });
});

describe('levelOf', () => {
  it('warns of a target that goes down, not of one that comes back', () => {
    const change = {
      pool: 'p',
      target: 't',
      address: 'a',
      reason: 'r',
      latencyMs: null,
      detail: '',
    };
    expect(levelOf('target_health_changed', { ...change, health: 'unhealthy' })).toBe('warn');
    expect(levelOf('target_health_changed', { ...change, health: 'healthy' })).toBe('info');
  });
});
