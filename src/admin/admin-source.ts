// AdminSource: what the admin API may ask of the rest of sluice. The composition root fills it.
import type { Clock } from '../clock.js';
import type { Logger } from '../log/logger.js';
import type { BuildInfo, CounterCatalog } from '../metrics/collect.js';
import type { HistoryKeeper } from '../metrics/history-keeper.js';
import type { CloseWish } from '../model/close-wish.js';
import type { AdminConfig } from '../model/config.js';
import type {
  ChangeOutcome,
  ChangeRules,
  ConfigEdit,
  Drift,
  RefusedFile,
} from '../model/config-change.js';
import type { DrainOutcome, DrainRules } from '../model/drain.js';
import type { Explanation } from '../model/explanation.js';
import type { Status, StatusScope } from '../model/status.js';
import type { AdminState } from '../model/target.js';
import type { EventStreams } from './event-streams.js';

/** Whether new clients should be sent here, and what is missing if not. */
export interface Readiness {
  readonly ready: boolean;
  readonly missing: readonly string[];
}

/** What an operator may do to targets. */
export interface TargetControl {
  /** Resolves when every worker knows; false: there is no such target. */
  setAdminState(pool: string, target: string, state: AdminState): Promise<boolean>;
  /**
   * The target takes no new clients. Resolves when every worker knows, null: there is no such
   * target. What `rules` leaves open is as the pool has it.
   */
  drain(
    pool: string,
    target: string,
    rules: Partial<DrainRules>,
  ): Promise<{ readonly finished: Promise<DrainOutcome> } | null>;
}

/** Closes what is open, now; whoever it was may come again. */
export interface ConnectionControl {
  /** How many were open when the workers were told; null: no such listener or target. */
  close(wish: CloseWish): number | null;
}

/** The configuration, where it comes from a file. */
export interface ConfigControl {
  /** Of the running one: another one whenever that is. */
  readonly revision: string;
  /** The running one, as a file would have it. */
  readonly text: string;
  drift(): readonly Drift[];
  /** The file as the last reload found it, if that was no use. */
  readonly refused: RefusedFile | null;
  /** Reads the file again. */
  reload(): Promise<ChangeOutcome>;
  change(edit: ConfigEdit, rules: ChangeRules): Promise<ChangeOutcome>;
}

export interface ExplainWish {
  readonly listener: string;
  /** An address, or one with its port. */
  readonly client: string;
  /** null: every one. */
  readonly worker: number | null;
}

export type ExplainAnswer =
  | { readonly ok: true; readonly explanation: Explanation }
  | {
      readonly ok: false;
      /** Which part of the wish is at fault. */
      readonly what: 'listener' | 'client' | 'worker';
      readonly message: string;
    };

export interface AdminSource {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Logger;
  /** Who may ask, by the configuration in force. */
  readonly access: () => Pick<AdminConfig, 'tokens' | 'hosts'>;
  readonly build: BuildInfo;
  readonly counters: CounterCatalog;
  readonly history: Pick<HistoryKeeper, 'read' | 'overview'>;
  readonly events: Pick<EventStreams, 'open' | 'kept'>;
  /** `scope`: all of it when absent. */
  status(scope?: StatusScope): Status;
  readiness(): Readiness;
  /** What a client would get now, and why. Throws SluiceError when a worker does not answer. */
  explain(wish: ExplainWish): Promise<ExplainAnswer>;
  readonly targets: TargetControl;
  readonly connections: ConnectionControl;
  /** null: a program that embeds sluice configures it. */
  readonly changes: ConfigControl | null;
}
