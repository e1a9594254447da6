// The commands that need a terminal, on one: init asks, top draws and gives the screen back, bash
// completes.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { runOnTerminal } from '../support/pseudo-terminal.js';
import { requireTools } from '../support/require-tool.js';
import {
  configHead,
  mainPath,
  type SluiceProcess,
  startSluice,
} from '../support/sluice-process.js';

const sluice = (...args: string[]) => [process.execPath, mainPath, ...args];

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-terminal-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

async function running(): Promise<{ readonly admin: string; readonly process: SluiceProcess }> {
  const process = await startSluice(`${configHead}listeners:
  web: { bind: "127.0.0.1:0", pool: web }
pools:
  web:
    health: none
    targets:
      - "127.0.0.1:9"
      - { address: "127.0.0.1:10", name: second }
`);
  return { admin: String((await process.event('ready')).adminAddress), process };
}

describe.runIf(requireTools('python3'))('sluice init', () => {
  it('asks again until an answer is right, and writes a file that is valid', async () => {
    const cwd = folder();
    const run = await runOnTerminal(
      sluice('init'),
      [
        { expect: 'What is balanced?' },
        { send: 'nonsense\r' },
        { expect: 'one of tcp, http, redis' },
        { expect: 'What is balanced?' },
        { send: 'redis\r' },
        { expect: '[*:6379] ' },
        { send: '127.0.0.1:6400\r' },
        { expect: '[10.0.0.1:6379 10.0.0.2:6379] ' },
        { send: 'db1\r' },
        { expect: 'has no port' },
        { expect: '[10.0.0.1:6379 10.0.0.2:6379] ' },
        { send: 'db1:6379, db2:6379\r' },
        { expect: '[redis] ' },
        { send: '\r' },
        { expect: '[sluice.yaml] ' },
        { send: 'new.yaml\r' },
        { expect: 'new.yaml is written.' },
      ],
      { cwd },
    );
    expect(run).toMatchObject({ missed: null, status: 0, cooked: true });
    const text = readFileSync(join(cwd, 'new.yaml'), 'utf8');
    expect(loadConfig(Buffer.from(text), 'new.yaml')).toMatchObject({ ok: true, warnings: [] });
    expect(text).toContain('bind: "127.0.0.1:6400"\n');
    expect(text).toContain('- "db2:6379"\n');
  });

  it('writes nothing when the questions are ended', async () => {
    const cwd = folder();
    const steps = [{ expect: 'What is balanced?' }, { send: '\x03' }];
    const run = await runOnTerminal(sluice('init', '-o', 'x.yaml'), steps, { cwd });
    expect(run).toMatchObject({ missed: null, status: 1, cooked: true });
    expect(run.output).toContain('nothing was written');
  });
});

describe.runIf(requireTools('python3'))('sluice top', () => {
  const screen = '\x1b[?1049h';
  const restored = '\x1b[?25h\x1b[?1049l';

  it('draws, sorts, follows the size, and gives the screen back at q', async () => {
    const { admin } = await running();
    const run = await runOnTerminal(sluice('top', '--admin', admin, '--interval', '0.2'), [
      { expect: screen },
      { expect: 'TARGET (by name)' },
      { expect: 'web/127.0.0.1:9' },
      { send: 's' },
      { expect: 'TARGET (by connections)' },
      { send: '\x1b[D' },
      { expect: 'TARGET (by name)' },
      { resize: [10, 150] },
      { expect: 'ADDRESS' },
      { send: 'q' },
    ]);
    expect(run).toMatchObject({ missed: null, status: 0, cooked: true });
    expect(run.output.endsWith(restored)).toBe(true);
  });

  it.each([
    ['Ctrl-C', { send: '\x03' }],
    ['SIGTERM', { signal: 15 }],
    ['SIGHUP', { signal: 1 }],
  ])('gives the screen back at %s', async (_, step) => {
    const { admin } = await running();
    const steps = [{ expect: screen }, { expect: 'q quit' }, step];
    const run = await runOnTerminal(sluice('top', '--admin', admin), steps);
    expect(run).toMatchObject({ missed: null, status: 0, cooked: true });
    expect(run.output.endsWith(restored)).toBe(true);
  });

  it('says that sluice is gone, and goes on', async () => {
    const { admin, process } = await running();
    const run = await runOnTerminal(sluice('top', '--admin', admin, '--interval', '0.2'), [
      { expect: 'ready  generation' },
      { signal: 15, pid: process.pid },
      { expect: 'the admin API at' },
      { send: 'q' },
    ]);
    expect(run).toMatchObject({ missed: null, status: 0, cooked: true });
  });

  it('leaves the old screen alone when there is no sluice', async () => {
    const run = await runOnTerminal(sluice('top', '--admin', '127.0.0.1:1'), []);
    expect(run).toMatchObject({ status: 1, cooked: true });
    expect(run.output).not.toContain(screen);
    expect(run.output).toContain('SLUICE_ADMIN_UNREACHABLE');
  });
});

describe.runIf(requireTools('python3'))('bash', () => {
  it('completes commands, options, their values, targets with colons, and files', async () => {
    const { admin } = await running();
    const cwd = folder();
    writeFileSync(join(cwd, 'sluice'), `#!/bin/sh\nexec ${process.execPath} ${mainPath} "$@"\n`);
    chmodSync(join(cwd, 'sluice'), 0o755);
    writeFileSync(join(cwd, 'unusual-name.yaml'), '');
    const env = {
      SLUICE_ADMIN: admin,
      PATH: `${cwd}:${process.env.PATH}`,
      PS1: '> ',
      HISTFILE: '',
    };
    const plain = 'bind "set enable-bracketed-paste off"';
    const setUp = `${plain}; eval "$(sluice completion bash)"`;
    const run = await runOnTerminal(
      ['bash', '--norc', '--noprofile', '-i'],
      [
        {
          send: `${setUp}; echo re""ady\n`,
        },
        { expect: 'ready\r\n' },
        { send: 'sluice dra\t' },
        { expect: 'sluice drain ' },
        { send: 'web/127\t' },
        { expect: 'web/127.0.0.1:9 ' },
        { send: '--dea\t' },
        { expect: '--deadline ' },
        { send: '\x15sluice targets --health unh\t' },
        { expect: '--health unhealthy ' },
        { send: '\x15sluice check unus\t' },
        { expect: 'check unusual-name.yaml ' },
        { send: '\x15exit\n' },
      ],
      { cwd, env },
    );
    expect(run.missed, run.output).toBe(null);
  });
});
