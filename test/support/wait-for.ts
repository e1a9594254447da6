// Waits for a condition, never for a time: a test that sleeps hides a race.

export interface WaitOptions {
  /** After this the wait fails, with `what` in the message. */
  readonly timeoutMs?: number;
}

const pollMs = 2;

/** Polls until `probe` answers something other than false, null or undefined, and returns that. */
export async function waitFor<T>(
  what: string,
  probe: () => T | false | null | undefined | Promise<T | false | null | undefined>,
  { timeoutMs = 5000 }: WaitOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== false && value !== null && value !== undefined) return value;
    if (performance.now() >= deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
