// Logger: what every room may say, and only in the words of events.ts.
import type { EventFields, EventName } from './events.js';

export interface Logger {
  event<N extends EventName>(name: N, fields: EventFields[N]): void;
}
