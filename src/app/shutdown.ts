// From the first stop signal to the last connection: listeners go first, connections get their
// time, a second signal ends it at once.
import type { Drain } from '../control/drain.js';
import type { LoadBalancer } from './load-balancer.js';
import type { LogSwitch } from './log-switch.js';
import type { Reloader } from './reloader.js';
import { installSignals } from './signals.js';

export interface ServeOptions {
  readonly balancer: LoadBalancer;
  readonly log: LogSwitch;
  readonly reloader: Reloader;
}

/**
 * Answers signals from the moment of the call. Resolves when a stop was asked for and every
 * connection has ended or was cut.
 */
export async function serveUntilStopped({ balancer, log, reloader }: ServeOptions): Promise<void> {
  let hurried = false;
  let drain: Drain | null = null;

  const drainAll = async (signal: string, timeoutMs: number | null): Promise<void> => {
    const startedMs = performance.now();
    log.event('stopping', { signal, timeoutMs });
    drain = await balancer.drain(timeoutMs ?? Number.POSITIVE_INFINITY);
    if (hurried) drain.hurry();
    const { cut } = await drain.finished;
    log.event('stopped', { durationMs: performance.now() - startedMs, cut });
  };
  let removeSignals: () => void = () => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const stop = (signal: string, timeoutMs: number | null) => {
        drainAll(signal, timeoutMs).then(resolve, reject);
      };
      removeSignals = installSignals({
        drain: (signal) => stop(signal, reloader.config.shutdown.drainTimeoutMs),
        drainPatiently: (signal) => stop(signal, null),
        stopNow: () => {
          hurried = true;
          drain?.hurry();
        },
        reload: () => {
          // Where logs are rotated, this is the signal that most programs know.
          log.reopen();
          reloader.request('signal');
        },
        reopenLogs: () => {
          log.reopen();
          log.event('logs_reopened', { output: log.output });
        },
      });
    });
  } finally {
    removeSignals();
  }
}
