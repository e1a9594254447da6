// The library: a load balancer inside your own Node process, with the same configuration as the
// command line's.
//   import { createLoadBalancer } from 'sluice';
//   const balancer = await createLoadBalancer({ configFile: 'sluice.yaml' });

export {
  type CreateOptions,
  createLoadBalancer,
  type EmbeddedLoadBalancer,
  type EmbeddedQuestion,
} from './app/embedded.js';
export type { ReloadOutcome } from './control/reload-outcome.js';
export { type ErrorCode, errorTable, SluiceError } from './errors.js';
export type { EventFields, EventName } from './log/events.js';
export type { Logger } from './log/logger.js';
export type { ExplainedTarget, Explanation, WorkerChoice } from './model/explanation.js';
export type { Status } from './model/status.js';
