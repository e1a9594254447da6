// What a test opens and the test's end closes.
import { onTestFinished } from 'vitest';

/** Closed when the test is over, the last first. */
export function track<Resource extends { close(): Promise<void> }>(resource: Resource): Resource {
  onTestFinished(() => resource.close());
  return resource;
}
