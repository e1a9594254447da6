// What may stand at the cursor.
import { describe, expect, it } from 'vitest';
import { complete } from '../../../src/cli/complete.js';
import { createProgram } from '../../../src/cli/program.js';

const asked: (string | undefined)[] = [];
const running = {
  pools: (admin: string | undefined) => {
    asked.push(admin);
    return Promise.resolve(['web', 'redis']);
  },
  targets: () => Promise.resolve(['web/a', 'web/b', 'redis/unix:/run/x.sock']),
};

async function at(...words: string[]): Promise<readonly string[] | 'files'> {
  const { words: found, files } = await complete(createProgram(), words, running);
  return files ? 'files' : found.map(({ word }) => word);
}

describe('completion', () => {
  it('knows every command that help shows, and not the one for itself', async () => {
    const all = await at('');
    const help = createProgram().helpInformation();
    for (const name of all) expect(help).toContain(`  ${name}`);
    expect(all).toContain('import');
    expect(all).not.toContain('complete-words');
    expect(await at('im')).toEqual(['import']);
  });

  it('knows options, and the values of those that have choices', async () => {
    expect(await at('drain', '--')).toEqual(
      expect.arrayContaining(['--deadline', '--close-over', '--wait', '--admin', '--help']),
    );
    expect(await at('targets', '--state', '')).toEqual(['enabled', 'draining', 'disabled']);
    expect(await at('--ver')).toEqual(['--version']);
    expect(await at('drain', '--deadline', '')).toEqual([]);
  });

  it('knows the commands of a command, and targets for an option that takes one', async () => {
    expect(await at('connections', '')).toEqual(['close']);
    expect(await at('connections', 'close', '--')).toEqual(
      expect.arrayContaining(['--target', '--listener', '--yes', '--json', '--admin', '--help']),
    );
    expect(await at('connections', 'close', '--target', 'web/')).toEqual(['web/a', 'web/b']);
    expect(await at('connections', 'close', '')).toEqual([]);
  });

  it('leaves files to the shell', async () => {
    for (const words of [
      ['check', ''],
      ['diff', 'old.yaml', ''],
      ['import', '-o', ''],
    ]) {
      expect(await at(...words)).toBe('files');
    }
    expect(await at('diff', 'a', 'b', '')).toEqual([]);
  });

  it('asks the sluice of --admin for pools and targets', async () => {
    expect(await at('drain', 'redis/')).toEqual(['redis/unix:/run/x.sock']);
    expect(await at('targets', '--admin', 'unix:/x', 'w')).toEqual(['web']);
    expect(await at('targets', '--admin=unix:/y', 'w')).toEqual(['web']);
    expect(asked).toEqual(['unix:/x', 'unix:/y']);
  });

  it('has nothing for a command that is not there', async () => {
    expect(await at('nonsense', '')).not.toContain('web');
    expect(await at('completion', 'b')).toEqual(['bash']);
  });
});
