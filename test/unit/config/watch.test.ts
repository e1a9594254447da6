// Watching a real file in every way that it can change. Time is the test's own, so that the quiet
// time is exact; what the system reports arrives when it does, and is waited for.
import { link, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ConfigWatch, watchConfig } from '../../../src/config/watch.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { waitFor } from '../../support/wait-for.js';

let folder = '';
let file = '';
let clock: FakeClock;
let watch: ConfigWatch | undefined;
let changes = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-watch-'));
  file = join(folder, 'sluice.yaml');
  await writeFile(file, 'one');
  clock = new FakeClock();
  changes = 0;
});

afterEach(async () => {
  watch?.close();
  watch = undefined;
  await rm(folder, { recursive: true });
});

async function start(path = file, pollMs = 1e9): Promise<void> {
  const onChange = () => {
    changes++;
  };
  watch = await watchConfig({ file: path, clock, onChange, quietMs: 100, pollMs });
}

/** Lets notifications and file system calls arrive, and time pass, until `count` were reported. */
async function expectChanges(count: number): Promise<void> {
  await waitFor(`${count} changes`, async () => {
    await clock.advance(100);
    return changes >= count;
  });
  await quiet();
  expect(changes).toBe(count);
}

/** Long enough for anything that is under way to come to its end. */
async function quiet(): Promise<void> {
  for (let round = 0; round < 20; round++) {
    await clock.advance(100);
    for (let turns = 0; turns < 20; turns++) await settle();
  }
}

describe('a change is reported once', () => {
  test('when the file is written in place', async () => {
    await start();
    await writeFile(file, 'two');
    await expectChanges(1);
    await writeFile(file, 'three');
    await expectChanges(2);
  });

  test('when an editor replaces the file by rename', async () => {
    await start();
    await writeFile(join(folder, '.sluice.yaml.swp'), 'two');
    await rename(join(folder, '.sluice.yaml.swp'), file);
    await expectChanges(1);
    // The file has another inode now: changes to it must still be seen.
    await writeFile(file, 'three');
    await expectChanges(2);
  });

  test('when the file goes away and comes back', async () => {
    await start();
    await rm(file);
    await quiet();
    expect(changes).toBe(0);
    await writeFile(file, 'two');
    await expectChanges(1);
  });

  test('when the link above it is swapped, as Kubernetes does with a ConfigMap', async () => {
    const mount = join(folder, 'mount');
    for (const version of ['..v1', '..v2', '..v3']) {
      await mkdir(join(mount, version), { recursive: true });
      await writeFile(join(mount, version, 'sluice.yaml'), version);
    }
    await symlink('..v1', join(mount, '..data'));
    await symlink('..data/sluice.yaml', join(mount, 'sluice.yaml'));
    await start(join(mount, 'sluice.yaml'));
    let reported = 0;
    for (const version of ['..v2', '..v3']) {
      await symlink(version, join(mount, '..data_tmp'));
      await rename(join(mount, '..data_tmp'), join(mount, '..data'));
      await expectChanges(++reported);
    }
  });

  test('when the file behind a link in another directory is written', async () => {
    const away = join(folder, 'away');
    await mkdir(away);
    await writeFile(join(away, 'real.yaml'), 'one');
    await symlink(join(away, 'real.yaml'), join(folder, 'link.yaml'));
    await start(join(folder, 'link.yaml'));
    await writeFile(join(away, 'real.yaml'), 'two');
    await expectChanges(1);
  });

  test('when its directory has been replaced by another', async () => {
    const home = join(folder, 'home');
    await mkdir(home);
    await writeFile(join(home, 'sluice.yaml'), 'one');
    await start(join(home, 'sluice.yaml'));
    await rename(home, join(folder, 'old'));
    await mkdir(home);
    await writeFile(join(home, 'sluice.yaml'), 'two');
    await expectChanges(1);
    await writeFile(join(home, 'sluice.yaml'), 'three');
    await expectChanges(2);
  });

  test('when the system reports nothing, at the next look', async () => {
    // A write through another name of the file is reported only in that name's directory.
    const away = join(folder, 'away');
    await mkdir(away);
    await link(file, join(away, 'hard'));
    await start(file, 5000);
    await writeFile(join(away, 'hard'), 'two');
    await quiet();
    expect(changes).toBe(0);
    await waitFor('the change', async () => {
      await clock.advance(5000);
      return changes === 1;
    });
  });
});

describe('nothing is reported', () => {
  test('while the file keeps changing', async () => {
    await start();
    for (let step = 0; step < 5; step++) {
      await writeFile(file, `step ${step}`);
      await clock.advance(50);
      for (let turns = 0; turns < 5; turns++) await settle();
      expect(changes).toBe(0);
    }
    await expectChanges(1);
  });

  test('when another file in the directory changes', async () => {
    await start();
    await writeFile(join(folder, 'other.yaml'), 'x');
    await quiet();
    expect(changes).toBe(0);
  });

  test('after close, and no timer is left behind', async () => {
    await start();
    await writeFile(file, 'two');
    watch?.close();
    await quiet();
    expect(changes).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

test('a watch on a file that does not exist yet reports when it comes', async () => {
  await start(join(folder, 'later.yaml'));
  await writeFile(join(folder, 'later.yaml'), 'one');
  await expectChanges(1);
});
