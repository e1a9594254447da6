// Signals: what each one means for a running sluice. SIGUSR1 must always be handled, or Node
// would open its debugger; main.ts does so from its first line until this takes over.

export interface SignalActions {
  /** The first SIGTERM or SIGINT: drain within the deadline, then exit 0. */
  drain(signal: NodeJS.Signals): void;
  /** SIGQUIT: drain without a deadline. */
  drainPatiently(signal: NodeJS.Signals): void;
  /** A second stop signal while draining. */
  stopNow(): void;
  /** SIGHUP. */
  reload(): void;
  /** SIGUSR1. */
  reopenLogs(): void;
}

/**
 * A SIGHUP before anything can be reloaded, or after: it must not end the process, which is what it
 * does to one that has no handler. `asked` tells whether there was one.
 */
export function outliveHangups(): { asked(): boolean; release(): void } {
  let asked = false;
  const note = () => {
    asked = true;
  };
  process.on('SIGHUP', note);
  return { asked: () => asked, release: () => process.off('SIGHUP', note) };
}

/** Installs the handlers; the returned function removes them again. */
export function installSignals(actions: SignalActions): () => void {
  let stopping = false;
  const onceThenNow = (begin: (signal: NodeJS.Signals) => void) => (signal: NodeJS.Signals) => {
    if (stopping) {
      actions.stopNow();
      return;
    }
    stopping = true;
    begin(signal);
  };
  const handlers: readonly (readonly [NodeJS.Signals, (signal: NodeJS.Signals) => void])[] = [
    ['SIGTERM', onceThenNow((signal) => actions.drain(signal))],
    ['SIGINT', onceThenNow((signal) => actions.drain(signal))],
    ['SIGQUIT', onceThenNow((signal) => actions.drainPatiently(signal))],
    ['SIGHUP', () => actions.reload()],
    ['SIGUSR1', () => actions.reopenLogs()],
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}
