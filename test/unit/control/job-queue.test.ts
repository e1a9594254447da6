// Jobs in the order in which they came, and no error that is lost.
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { JobQueue } from '../../../src/control/job-queue.js';

describe('JobQueue', () => {
  it('begins a job when the one before it has ended, also in an error', async () => {
    const queue = new JobQueue();
    const steps: string[] = [];
    const job = (name: string, fails: boolean) => async () => {
      steps.push(`${name} begins`);
      await Promise.resolve();
      steps.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
    const first = queue.run(job('a', true));
    const second = queue.run(job('b', false));
    await expect(first).rejects.toThrow('a');
    expect(await second).toBe('b');
    expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('is idle when all jobs that have come are done, whatever became of them', async () => {
    const queue = new JobQueue();
    let done = 0;
    const counting = async () => {
      await Promise.resolve();
      done++;
    };
    const all = [queue.run(counting), queue.run(counting)];
    await queue.idle();
    expect(done).toBe(2);
    await Promise.all(all);
  });

  it('does not swallow an error that nobody waits for: it ends a process', async () => {
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    onTestFinished(() => {
      for (const listener of others) process.on('unhandledRejection', listener);
    });
    const unhandled = once(process, 'unhandledRejection');
    void new JobQueue().run(() => Promise.reject(new Error('a mistake of ours')));
    const [error] = await unhandled;
    expect(error).toMatchObject({ message: 'a mistake of ours' });
  });
});
