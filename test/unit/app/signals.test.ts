// Which signal does what. The handlers are called as the process would call them.
import { describe, expect, it, onTestFinished } from 'vitest';
import { installSignals } from '../../../src/app/signals.js';

function install(): string[] {
  const calls: string[] = [];
  const remove = installSignals({
    drain: (signal) => calls.push(`drain ${signal}`),
    drainPatiently: (signal) => calls.push(`patient ${signal}`),
    stopNow: () => calls.push('now'),
    reload: () => calls.push('reload'),
    reopenLogs: () => calls.push('reopen'),
  });
  onTestFinished(remove);
  return calls;
}

const raise = (signal: NodeJS.Signals) => process.emit(signal, signal);

describe('installSignals', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('drains at the first %s, stops at the second', (name) => {
    const calls = install();
    raise(name);
    raise(name);
    expect(calls).toEqual([`drain ${name}`, 'now']);
  });

  it('lets a second signal of another kind hurry a patient drain', () => {
    const calls = install();
    raise('SIGQUIT');
    raise('SIGTERM');
    expect(calls).toEqual(['patient SIGQUIT', 'now']);
  });

  it('reloads at SIGHUP and reopens logs at SIGUSR1, as often as asked', () => {
    const calls = install();
    for (const name of ['SIGHUP', 'SIGUSR1', 'SIGHUP'] as const) raise(name);
    expect(calls).toEqual(['reload', 'reopen', 'reload']);
  });

  it('leaves no handler behind', () => {
    const before = process.listenerCount('SIGHUP');
    const remove = installSignals({
      drain: () => undefined,
      drainPatiently: () => undefined,
      stopNow: () => undefined,
      reload: () => undefined,
      reopenLogs: () => undefined,
    });
    expect(process.listenerCount('SIGHUP')).toBe(before + 1);
    remove();
    expect(process.listenerCount('SIGHUP')).toBe(before);
  });
});
