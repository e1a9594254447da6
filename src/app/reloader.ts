// Reloader: everything that replaces the configuration while sluice runs. It reads the file again
// when a signal, the file watch or the admin API says so, makes changes at run time, and knows
// where what runs is not what the file says. One after the other; triggers that come meanwhile
// become one more reload. What is wrong changes nothing.
import { createHash } from 'node:crypto';
import type { Clock } from '../clock.js';
import { diffConfigs, restartChanges } from '../config/diff.js';
import { editConfig } from '../config/edit.js';
import type { LoadedConfig } from '../config/load.js';
import type { ConfigProblem } from '../config/problem.js';
import { readConfigFile } from '../config/read-file.js';
import { type ConfigWatch, watchConfig } from '../config/watch.js';
import { type PreparedFile, prepareFile } from '../config/write-file.js';
import { JobQueue } from '../control/job-queue.js';
import { SluiceError } from '../errors.js';
import type { EventFields } from '../log/events.js';
import type { Config } from '../model/config.js';
import type {
  ChangeOutcome,
  ChangeProblem,
  ChangeRules,
  ConfigEdit,
  Drift,
  RefusedFile,
} from '../model/config-change.js';
import { loadRunnable, loadRunnableBytes } from './load.js';
import type { LoadBalancer } from './load-balancer.js';
import type { LogSwitch } from './log-switch.js';

export interface ReloaderOptions {
  readonly file: string;
  readonly config: Config;
  /** That it was made from. */
  readonly bytes: Uint8Array;
  readonly balancer: LoadBalancer;
  readonly log: LogSwitch;
  readonly clock: Clock;
}

interface Loaded {
  readonly config: Config;
  readonly text: string;
}

type ReplaceOutcome = Extract<ChangeOutcome, { kind: 'applied' | 'invalid' }>;

export type ReloadTrigger = 'signal' | 'watch';

export class Reloader {
  readonly #options: ReloaderOptions;
  #watch: ConfigWatch | null = null;
  /** What is in force, and what the file said when it was last read. */
  #running: Loaded;
  #ofFile: Loaded;
  #refused: RefusedFile | null = null;
  #waiting = false;
  readonly #jobs = new JobQueue();
  #closed = false;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    const text = Buffer.from(options.bytes).toString();
    this.#running = { config: options.config, text };
    this.#ofFile = this.#running;
  }

  get config(): Config {
    return this.#running.config;
  }

  /** Follows `watch:` of the configuration that is in force. */
  async followFile(): Promise<void> {
    const { file, clock, log } = this.#options;
    if (!this.config.watch || this.#closed) {
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
    if (this.#closed || this.#waiting) return;
    this.#waiting = true;
    void this.#jobs.run(async () => {
      this.#waiting = false;
      if (!this.#closed) await this.#reload(trigger);
    });
  }

  /** As request(), and says what came of it. Changes at run time are gone: the file wins. */
  reload(): Promise<ChangeOutcome> {
    return this.#jobs.run(() => this.#reload('call'));
  }

  /** Changes at run time, one after the other: by the rules of the file, and on its way. */
  change(edit: ConfigEdit, { revision, persist }: ChangeRules): Promise<ChangeOutcome> {
    return this.#jobs.run(async () => {
      if (revision !== null && revision !== this.revision) return { kind: 'stale' };
      const edited = editConfig(this.#running.text, edit);
      if (!edited.ok && edited.why === 'alias') {
        const message = 'these targets are written by reference: change the file and reload';
        return { kind: 'invalid', message, problems: [] };
      }
      if (!edited.ok) return { kind: 'unknown' };
      const { file, clock } = this.#options;
      const loaded = await loadRunnableBytes(Buffer.from(edited.text), file, clock);
      if (!loaded.ok) return invalid(loaded.errors);
      if (!persist) return await this.#replace(loaded, edited.text);
      return await this.#replaceAndKeep(loaded, edited.text);
    });
  }

  /** Of the running configuration: another one whenever that is. */
  get revision(): string {
    return createHash('sha256').update(this.#running.text).digest('hex').slice(0, 16);
  }

  get text(): string {
    return this.#running.text;
  }

  drift(): readonly Drift[] {
    return diffConfigs(this.#ofFile.config, this.#running.config).map(
      ({ kind, path, before, after }) => ({ kind, path, file: before, running: after }),
    );
  }

  /** The file as the last reload found it, if that was no use. */
  get refused(): RefusedFile | null {
    return this.#refused;
  }

  /** Waits for a reload that is under way; none begins after this. */
  async close(): Promise<void> {
    this.#closed = true;
    // Before the watch, which a reload under way may still open.
    await this.#jobs.idle();
    this.#watch?.close();
    this.#watch = null;
  }

  async #reload(trigger: EventFields['reload_started']['trigger']): Promise<ChangeOutcome> {
    const { file, log, clock } = this.#options;
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
      const problems = loaded.errors.map((error) => ({
        ...problemOf(error),
        source: error.sourceLine,
      }));
      this.#refused = { time: clock.wallTime(), message, problems };
      return invalid(loaded.errors);
    }
    const outcome = await this.#replace(loaded, Buffer.from(loaded.bytes).toString());
    if (outcome.kind !== 'applied') {
      const { message } = outcome;
      this.#refused = { time: clock.wallTime(), message, problems: [] };
      return outcome;
    }
    this.#refused = null;
    this.#ofFile = this.#running;
    return { ...outcome, persisted: true };
  }

  async #replace({ config }: LoadedConfig, text: string): Promise<ReplaceOutcome> {
    const { log, balancer } = this.#options;
    const outcome = await balancer.reload(config);
    if (!outcome.applied) return { kind: 'invalid', message: outcome.message, problems: [] };
    const before = this.config;
    this.#running = { config, text };
    for (const { path } of restartChanges(before, config)) {
      log.event('setting_needs_restart', { setting: path });
    }
    await this.#changeLog(before);
    await this.followFile();
    return { kind: 'applied', generation: outcome.generation, persisted: false };
  }

  /** All that differs from the file is kept, not this change alone. */
  async #replaceAndKeep(loaded: LoadedConfig, text: string): Promise<ChangeOutcome> {
    const { file } = this.#options;
    const now = await readConfigFile(file);
    if (!now.ok || Buffer.from(now.bytes).toString() !== this.#ofFile.text) {
      return { kind: 'unwritable', message: `${file} has been changed: reload it first` };
    }
    let prepared: PreparedFile;
    try {
      prepared = await prepareFile(file, text);
    } catch (error) {
      return { kind: 'unwritable', message: `${file} cannot be written: ${String(error)}` };
    }
    const outcome = await this.#replace(loaded, text);
    if (outcome.kind !== 'applied') {
      await prepared.discard();
      return outcome;
    }
    await prepared.commit();
    this.#ofFile = this.#running;
    return { ...outcome, persisted: true };
  }

  async #changeLog(before: Config): Promise<void> {
    const { log } = this.#options;
    if (JSON.stringify(before.log) === JSON.stringify(this.config.log)) return;
    try {
      await log.change(this.config.log);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      // The rest of the new configuration is in force; the log goes on where it was.
      log.event('setting_needs_restart', { setting: `log: ${error.message}` });
    }
  }
}

function problemOf({ line, column, path, message, code }: ConfigProblem): ChangeProblem {
  return { line, column, path, message, code };
}

function invalid(errors: readonly ConfigProblem[]): ChangeOutcome {
  const problems = errors.map(problemOf);
  const [first] = problems;
  const message = first === undefined ? '' : `${first.path}: ${first.message}`;
  return { kind: 'invalid', message, problems };
}
