// A Logger that remembers: tests of what was said, not of how it is written.
import type { EventName } from '../../src/log/events.js';
import type { Logger } from '../../src/log/logger.js';

export interface RecordingLogger extends Logger {
  readonly events: readonly { readonly name: EventName; readonly fields: object }[];
  /** The fields of every event of this name, oldest first. */
  of(name: EventName): readonly object[];
}

export function createRecordingLogger(): RecordingLogger {
  const events: { name: EventName; fields: object }[] = [];
  return {
    events,
    event: (name, fields) => void events.push({ name, fields }),
    of: (name) => events.filter((event) => event.name === name).map(({ fields }) => fields),
  };
}
