// Tells when the configuration file has changed, however it was changed: written in place,
// replaced by rename (editors), or reached through symbolic links one of which is swapped
// (Kubernetes mounts a ConfigMap so). Looks at the directories, because a watch on the file itself
// would stay with the old one; and looks again now and then, because network and overlay file
// systems and single-file bind mounts report nothing.
import { type FSWatcher, watch } from 'node:fs';
import { readlink, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Clock, Timer } from '../clock.js';

export interface WatchOptions {
  readonly file: string;
  readonly clock: Clock;
  /** Called after each change, when the file is there and quiet; never after close(). */
  readonly onChange: () => void;
  /** The system's notifications failed (limit on inotify watches); looking now and then goes on. */
  readonly onTrouble?: (error: unknown) => void;
  /** Quiet time that a change must have before it counts: writers write in several steps. */
  readonly quietMs?: number;
  readonly pollMs?: number;
}

export interface ConfigWatch {
  close(): void;
}

/** Resolves when changes from now on will be seen. */
export async function watchConfig(options: WatchOptions): Promise<ConfigWatch> {
  const watcher = new ConfigWatcher(options);
  await watcher.start();
  return watcher;
}

const linksMax = 40;

/** Every path on the way from `file` to what it finally names. */
async function chainOf(file: string): Promise<readonly string[]> {
  const chain = [resolve(file)];
  for (let links = 0; links < linksMax; links++) {
    const last = chain[chain.length - 1] ?? '';
    const next = await firstLink(last);
    if (next === null) return chain;
    chain.push(next);
  }
  return chain;
}

/** `path` with its first symbolic link followed (that may be a directory), or null. */
async function firstLink(path: string): Promise<string | null> {
  const parts = path.split('/').slice(1);
  for (let count = 1; count <= parts.length; count++) {
    const prefix = `/${parts.slice(0, count).join('/')}`;
    const target = await readlink(prefix).catch(() => null);
    if (target === null) continue;
    return resolve(dirname(prefix), target, ...parts.slice(count));
  }
  return null;
}

/** Changes whenever the file does; null while there is none. */
async function signatureOf(file: string): Promise<string | null> {
  const stats = await stat(file, { bigint: true }).catch(() => null);
  if (stats === null) return null;
  return `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}

async function identityOf(directory: string): Promise<string | null> {
  const stats = await stat(directory).catch(() => null);
  return stats === null ? null : `${stats.dev} ${stats.ino}`;
}

interface DirectoryWatch {
  readonly identity: string;
  readonly watcher: FSWatcher;
}

class ConfigWatcher implements ConfigWatch {
  private readonly options: WatchOptions;
  private readonly quietMs: number;
  private readonly pollMs: number;
  private readonly watchers = new Map<string, DirectoryWatch>();
  private reported: string | null = null;
  private candidate: string | null = null;
  private timer: Timer | undefined;
  /** Set while a look is under way, and whether something happened meanwhile. */
  private looking = false;
  private stirred = false;
  private closed = false;

  constructor(options: WatchOptions) {
    this.options = options;
    this.quietMs = options.quietMs ?? 100;
    this.pollMs = options.pollMs ?? 5000;
  }

  async start(): Promise<void> {
    await this.watchDirectories();
    this.reported = await signatureOf(this.options.file);
    this.candidate = this.reported;
    this.schedule(this.pollMs);
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
    for (const { watcher } of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  private schedule(delayMs: number): void {
    this.timer?.cancel();
    if (this.closed) return;
    this.timer = this.options.clock.after(delayMs, () => {
      this.look().catch((error: unknown) => this.options.onTrouble?.(error));
    });
  }

  /** A change counts when two looks in a row, quietMs apart, see the same new file. */
  private async look(): Promise<void> {
    this.looking = true;
    this.stirred = false;
    const signature = await signatureOf(this.options.file);
    await this.watchDirectories();
    this.looking = false;
    if (this.closed) return;
    const isNew = signature !== null && signature !== this.reported;
    const settled = isNew && signature === this.candidate && !this.stirred;
    this.candidate = signature;
    this.schedule((isNew && !settled) || this.stirred ? this.quietMs : this.pollMs);
    if (!settled) return;
    this.reported = signature;
    this.options.onChange();
  }

  private stir(): void {
    this.stirred = true;
    if (!this.looking) this.schedule(this.quietMs);
  }

  private async watchDirectories(): Promise<void> {
    const chain = await chainOf(this.options.file);
    const wanted = new Map<string, string>();
    for (const path of chain) {
      const identity = await identityOf(dirname(path));
      if (identity !== null) wanted.set(dirname(path), identity);
    }
    if (this.closed) return;
    for (const [directory, { identity, watcher }] of this.watchers) {
      // A directory that was replaced has another inode; the watch stays with the old one.
      if (wanted.get(directory) === identity) continue;
      watcher.close();
      this.watchers.delete(directory);
    }
    for (const [directory, identity] of wanted) {
      if (!this.watchers.has(directory)) this.watchDirectory(directory, identity);
    }
  }

  private watchDirectory(directory: string, identity: string): void {
    const drop = (error: unknown) => {
      this.watchers.get(directory)?.watcher.close();
      this.watchers.delete(directory);
      this.options.onTrouble?.(error);
    };
    try {
      const watcher = watch(directory, { persistent: false }, () => this.stir());
      watcher.on('error', drop);
      this.watchers.set(directory, { identity, watcher });
    } catch (error) {
      drop(error);
    }
  }
}
