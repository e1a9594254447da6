// Reloader: reads the configuration file again when a signal or the file watch says so, and hands
// it on. One reload at a time; triggers that come meanwhile become one more. A bad file changes
// nothing.
import type { Clock } from '../clock.js';
import { restartChanges } from '../config/diff.js';
import { type ConfigWatch, watchConfig } from '../config/watch.js';
import { SluiceError } from '../errors.js';
import type { Config } from '../model/config.js';
import { loadRunnable } from './load.js';
import type { LoadBalancer } from './load-balancer.js';
import type { LogSwitch } from './log-switch.js';

export interface ReloaderOptions {
  readonly file: string;
  readonly config: Config;
  readonly balancer: LoadBalancer;
  readonly log: LogSwitch;
  readonly clock: Clock;
}

export type ReloadTrigger = 'signal' | 'watch';

export class Reloader {
  readonly #options: ReloaderOptions;
  #config: Config;
  #watch: ConfigWatch | null = null;
  #running: Promise<void> | null = null;
  #again: ReloadTrigger | null = null;
  #closed = false;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  get config(): Config {
    return this.#config;
  }

  /** Follows `watch:` of the configuration that is in force. */
  async followFile(): Promise<void> {
    const { file, clock, log } = this.#options;
    if (!this.#config.watch || this.#closed) {
      this.#watch?.close();
      this.#watch = null;
      return;
    }
    this.#watch ??= await watchConfig({
      file,
      clock,
      onChange: () => this.request('watch'),
      onTrouble: (error) => log.event('file_watch_failed', { file, reason: String(error) }),
    });
  }

  request(trigger: ReloadTrigger): void {
    if (this.#closed) return;
    if (this.#running !== null) {
      this.#again = trigger;
      return;
    }
    this.#running = this.#reload(trigger).finally(() => {
      this.#running = null;
      const again = this.#again;
      this.#again = null;
      if (again !== null) this.request(again);
    });
  }

  /** Waits for a reload that is under way; none begins after this. */
  async close(): Promise<void> {
    this.#closed = true;
    // Before the watch, which a reload under way may still open.
    await this.#running;
    this.#watch?.close();
    this.#watch = null;
  }

  async #reload(trigger: ReloadTrigger): Promise<void> {
    const { file, log, balancer, clock } = this.#options;
    log.event('reload_started', { trigger });
    const loaded = await loadRunnable(file, clock);
    for (const { line, path, message, code } of loaded.warnings) {
      log.event('config_warning', { line, path, message, code });
    }
    if (!loaded.ok) {
      for (const { line, column, path, message, code } of loaded.errors) {
        log.event('config_problem', { line, column, path, message, code });
      }
      const count = loaded.errors.length;
      const message = `${file} has ${count} error${count === 1 ? '' : 's'}; nothing has changed`;
      log.event('reload_refused', { reason: 'config_invalid', message });
      return;
    }
    const outcome = await balancer.reload(loaded.config);
    if (!outcome.applied) return;
    const before = this.#config;
    this.#config = loaded.config;
    for (const { path } of restartChanges(before, loaded.config)) {
      log.event('setting_needs_restart', { setting: path });
    }
    await this.#changeLog(before);
    await this.followFile();
  }

  async #changeLog(before: Config): Promise<void> {
    const { log } = this.#options;
    if (JSON.stringify(before.log) === JSON.stringify(this.#config.log)) return;
    try {
      await log.change(this.#config.log);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      // The rest of the new configuration is in force; the log goes on where it was.
      log.event('setting_needs_restart', { setting: `log: ${error.message}` });
    }
  }
}
