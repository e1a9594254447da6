// Signals: what each one means for a running sluice. SIGUSR1 must always be handled, or Node
// would open its debugger; main.ts does so from its first line until this takes over.

export interface SignalActions {
  /** The first SIGTERM or SIGINT: drain within the deadline, then exit 0. */
  drain(): void;
  /** SIGQUIT: drain without a deadline. */
  drainPatiently(): void;
  /** A second SIGTERM or SIGINT while draining. */
  stopNow(): void;
  /** SIGHUP. */
  reload(): void;
  /** SIGUSR1. */
  reopenLogs(): void;
}

/** Installs the handlers; the returned function removes them again. */
export function installSignals(actions: SignalActions): () => void {
  let draining = false;
  const stop = () => {
    if (draining) {
      actions.stopNow();
      return;
    }
    draining = true;
    actions.drain();
  };
  const handlers: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ['SIGTERM', stop],
    ['SIGINT', stop],
    [
      'SIGQUIT',
      () => {
        draining = true;
        actions.drainPatiently();
      },
    ],
    ['SIGHUP', () => actions.reload()],
    ['SIGUSR1', () => actions.reopenLogs()],
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}
