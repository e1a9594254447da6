// Reading from disk: whatever stands at the path gets a sentence, and nothing blocks.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfigFile, readConfigFile } from '../../../src/config/read-file.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-read-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function refusal(path: string): Promise<string> {
  const result = await readConfigFile(path);
  if (result.ok) return 'read';
  expect(result.problem).toMatchObject({ file: path, line: 0, column: 0, severity: 'error' });
  return `${result.problem.code}: ${result.problem.message}`;
}

test('a file is read whole', async () => {
  const path = join(folder, 'x.yaml');
  const text = 'a'.repeat(300_000);
  await writeFile(path, text);
  const result = await readConfigFile(path);
  expect(result.ok && Buffer.from(result.bytes).toString()).toBe(text);
});

test('a missing file, and a path through a file, are missing', async () => {
  await writeFile(join(folder, 'file'), '');
  expect(await refusal(join(folder, 'none'))).toBe(
    'SLUICE_CONFIG_FILE_MISSING: there is no such file',
  );
  expect(await refusal(join(folder, 'file', 'x'))).toBe(
    'SLUICE_CONFIG_FILE_MISSING: a part of the path is not a directory',
  );
});

test('a directory, a device, a socket and a pipe that nobody writes to are not files', async () => {
  await mkdir(join(folder, 'directory'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const server = createServer().listen(join(folder, 'socket'));
  await once(server, 'listening');
  const kind = 'SLUICE_CONFIG_FILE_KIND';
  expect(await refusal(join(folder, 'directory'))).toBe(`${kind}: is a directory, not a file`);
  for (const path of [join(folder, 'pipe'), join(folder, 'socket'), '/dev/zero']) {
    expect(await refusal(path)).toBe(`${kind}: is not a regular file`);
  }
  server.close();
});

test('links in a circle cannot be read', async () => {
  await symlink(join(folder, 'b'), join(folder, 'a'));
  await symlink(join(folder, 'a'), join(folder, 'b'));
  expect(await refusal(join(folder, 'a'))).toBe(
    'SLUICE_CONFIG_FILE_UNREADABLE: cannot be read: its symbolic links run in a circle',
  );
});

test('a file without permission cannot be read', async () => {
  const path = join(folder, 'secret');
  await writeFile(path, 'x');
  await chmod(folder, 0o755);
  await chmod(path, 0o000);
  // Root reads everything, so for a moment this process is nobody.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    expect(await refusal(path)).toBe(
      'SLUICE_CONFIG_FILE_UNREADABLE: cannot be read: this user may not read it',
    );
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test('a file of 50 MB is refused without being read', async () => {
  const path = join(folder, 'large');
  await writeFile(path, Buffer.alloc(50 * 1024 * 1024, 'a'));
  const start = performance.now();
  expect(await refusal(path)).toBe(
    'SLUICE_CONFIG_FILE_TOO_LARGE: the file has 52428800 bytes, 4194304 (4 MiB) are possible',
  );
  expect(performance.now() - start).toBeLessThan(1000);
});

test('loading from disk answers as loading bytes does', async () => {
  const path = join(folder, 'x.yaml');
  expect(await loadConfigFile(path)).toMatchObject({
    ok: false,
    errors: [{ code: 'SLUICE_CONFIG_FILE_MISSING' }],
  });
  await writeFile(path, 'listeners: {}\npools: {}\n');
  expect(await loadConfigFile(path)).toMatchObject({
    ok: false,
    errors: [
      { file: path, line: 1, column: 12 },
      { line: 2, column: 8 },
    ],
  });
});
