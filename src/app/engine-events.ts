// What the engine reports by itself, given to whom it concerns: controller, health and log. Slots
// become names here.
import type { Controller } from '../control/controller.js';
import type { EngineEvents } from '../engine/engine.js';
import type { Logger } from '../log/logger.js';

export interface EngineEventTargets {
  /** A function, because the engine exists before the controller does. */
  readonly controller: () => Controller;
  /** A failure that speaks against the target. */
  readonly connectFailed: (pool: string, target: string) => void;
}

export function engineEvents(
  log: Logger,
  { controller, connectFailed }: EngineEventTargets,
): EngineEvents {
  return {
    connectFailed(slot, failure, error) {
      const owner = controller().targetAt(slot);
      if (owner === null) return;
      log.event('connect_failed', { ...owner, failure, error });
      // No source port, no descriptor: our own trouble says nothing of the target.
      if (failure === 'local') return;
      controller().connectFailed(slot);
      connectFailed(owner.pool, owner.target);
    },
    targetUnreachable(slot, error) {
      const owner = controller().targetAt(slot);
      if (owner === null) return;
      log.event('target_unreachable', { ...owner, error });
      controller().connectFailed(slot);
      connectFailed(owner.pool, owner.target);
    },
    accessRecord({ kind, listenerSlot, targetSlot, ...record }) {
      const owner = targetSlot === null ? null : controller().targetAt(targetSlot);
      log.event(kind === 'connection' ? 'connection_closed' : 'session_ended', {
        listener: controller().listenerAt(listenerSlot) ?? '',
        pool: owner?.pool ?? '',
        target: owner?.target ?? '',
        ...record,
      });
    },
    listenerBound: (slot, bindIndex, port) => controller().listenerBound(slot, bindIndex, port),
    acceptPaused: (worker) => log.event('accept_paused', { worker }),
  };
}
