// The real logger, writing to a file: one JSON line per event, at that event's level.
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { levelOf } from '../../../src/log/events.js';
import { openLogSink, waitingBytesMax } from '../../../src/log/log-sink.js';
import { openPinoLogger } from '../../../src/log/pino-logger.js';
import { temporaryFolder } from '../../support/real-server.js';
import { waitFor } from '../../support/wait-for.js';

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
    const logger = await openPinoLogger({ level: 'info', format: 'auto', output });
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
    const logger = await openPinoLogger({ level: 'error', format: 'json', output });
    logger.event('name_resolved', resolved);
    logger.event('start_failed', { code: 'C', message: 'm' });
    await logger.close();
    expect((await linesOf(output)).map(({ event }) => event)).toEqual(['start_failed']);
  });

  it('goes on in a new file after reopen', async () => {
    const output = join(await temporaryFolder(), 'log');
    const logger = await openPinoLogger({ level: 'info', format: 'json', output });
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
    const opened = openPinoLogger({ level: 'info', format: 'json', output: '/nowhere/log' });
    await expect(opened).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('LogSink', () => {
  it('tells of a full disk once, keeps a bounded rest, and closes all the same', async () => {
    const troubles: string[] = [];
    const sink = await openLogSink({
      output: '/dev/full',
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
    const sink = await openLogSink({ output, onTrouble: (reason) => expect.fail(reason) });
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
