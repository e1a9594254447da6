// The composition root of a process: configuration, log, load balancer, admin API, reloads, signals
// and the order in which all of that ends. Whoever wants to know who is wired to whom reads this
// and load-balancer.ts.
import type { AdminServer } from '../admin/server.js';
import { systemClock } from '../clock.js';
import { formatProblems, problemStyle } from '../config/problem.js';
import { SluiceError } from '../errors.js';
import type { Config } from '../model/config.js';
import { startAdmin } from './admin.js';
import { type BannerFacts, banner, demoCommands } from './banner.js';
import { hasCommand } from './commands.js';
import { type DemoTargets, demoTargetsOf, startDemoTargets } from './demo-targets.js';
import { loadRunnable } from './load.js';
import { type LoadBalancer, startLoadBalancer } from './load-balancer.js';
import { type LogSwitch, openLogSwitch } from './log-switch.js';
import { Reloader } from './reloader.js';
import { serveUntilStopped } from './shutdown.js';
import { outliveHangups } from './signals.js';
import { version } from './version.js';

export interface AppOptions {
  readonly file: string;
  /** Stand in for the loopback targets of the file. */
  readonly demo: boolean;
}

export type AppOutcome = 'stopped' | 'config_invalid';

/** Everything that has to be closed again, in the order in which it was opened. */
interface Parts {
  readonly log: LogSwitch;
  readonly balancer: LoadBalancer;
  readonly reloader: Reloader;
  readonly admin: AdminServer | null;
}

/**
 * Runs until a signal ends it. Throws SluiceError when it cannot start; what had been started is
 * closed then.
 */
export async function runApp(options: AppOptions): Promise<AppOutcome> {
  const hangups = outliveHangups();
  try {
    return await runUntilStopped(options, hangups.asked);
  } finally {
    hangups.release();
  }
}

async function runUntilStopped(
  { file, demo }: AppOptions,
  reloadAsked: () => boolean,
): Promise<AppOutcome> {
  const startedMs = performance.now();
  const loaded = await loadRunnable(file, systemClock());
  const problems = loaded.ok ? loaded.warnings : [...loaded.errors, ...loaded.warnings];
  process.stderr.write(formatProblems(problems, problemStyle(process.stderr, process.env)));
  if (!loaded.ok) return 'config_invalid';

  const { config } = loaded;
  const log = await openLogSwitch(config.log);
  const removeCrashHandler = logCrashes(log);
  let targets: DemoTargets | null = null;
  try {
    const { workers } = config.engine;
    const nodeVersion = process.version;
    log.event('starting', { version: version(), file, workers, nodeVersion });
    if (demo) targets = await startDemoTargets(demoTargetsOf(config));
    const parts = await start(loaded, file, log);
    await serve(parts, () => {
      announce(parts, { demo, startedMs });
      if (reloadAsked()) parts.reloader.request('signal');
    });
    return 'stopped';
  } catch (error) {
    if (error instanceof SluiceError) {
      log.event('start_failed', { code: error.code, message: error.message });
    }
    throw error;
  } finally {
    await targets?.close();
    removeCrashHandler();
    await log.close();
  }
}

async function start(
  { config, bytes }: { readonly config: Config; readonly bytes: Uint8Array },
  file: string,
  log: LogSwitch,
): Promise<Parts> {
  const options = { clock: systemClock(), log };
  const balancer = await startLoadBalancer(config, options);
  try {
    const reloader = new Reloader({ ...options, file, config, bytes, balancer });
    const admin = await startAdmin(config, balancer, log.feed, reloader);
    return { log, balancer, reloader, admin };
  } catch (error) {
    await balancer.close();
    throw error;
  }
}

function announce(
  { balancer, admin, log }: Parts,
  { demo, startedMs }: { readonly demo: boolean; readonly startedMs: number },
): void {
  const status = balancer.status();
  log.event('ready', {
    listeners: status.listeners.map(({ name, addresses }) => ({ name, addresses })),
    adminAddress: admin?.address ?? '',
    durationMs: performance.now() - startedMs,
  });
  if (!demo && !process.stderr.isTTY) return;
  const facts: BannerFacts = {
    version: version(),
    workers: balancer.workers,
    adminAddress: admin?.address ?? null,
    logOutput: log.output,
  };
  const lines = [...banner(status, facts)];
  if (demo) lines.push('To see it balance, type in another terminal:', ...indent(status));
  lines.push('Ctrl-C drains and stops.');
  process.stderr.write(`${lines.join('\n')}\n`);
}

function indent(status: Parameters<typeof demoCommands>[0]): readonly string[] {
  return demoCommands(status, hasCommand).map((line) => `  ${line}`);
}

/** `onServing` is called when signals are answered and file changes seen. */
async function serve(
  { log, balancer, reloader, admin }: Parts,
  onServing: () => void,
): Promise<void> {
  try {
    await reloader.followFile();
    const stopped = serveUntilStopped({ balancer, log, reloader });
    onServing();
    await stopped;
  } finally {
    await reloader.close();
    await balancer.close();
    await admin?.close();
  }
}

/** An error that nobody expected ends the process; the log says so first. */
function logCrashes(log: LogSwitch): () => void {
  const onCrash = (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    log.event('crashed', { message, stack });
    log.flushNow();
    process.stderr.write(`sluice: ${stack || message}\n`);
    process.exit(1);
  };
  process.on('uncaughtException', onCrash);
  return () => process.off('uncaughtException', onCrash);
}
