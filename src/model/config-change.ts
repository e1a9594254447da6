// What becomes of a change of the configuration at run time, asked for by the admin API.

/** What is left out stays as it is, or as the defaults have it. */
export interface TargetSettings {
  readonly weight?: number;
  /** 0 = no limit. */
  readonly maxConnections?: number;
}

export type ConfigEdit = { readonly pool: string } & (
  | {
      readonly kind: 'add';
      readonly name?: string;
      readonly address: string;
      readonly settings: TargetSettings;
    }
  | { readonly kind: 'set'; readonly target: string; readonly settings: TargetSettings }
  | { readonly kind: 'remove'; readonly target: string }
);

/** One thing that is wrong with the configuration that the change would make. */
export interface ChangeProblem {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
  readonly code: string;
}

export type ChangeOutcome =
  | { readonly kind: 'applied'; readonly generation: number; readonly persisted: boolean }
  /** The configuration is another one by now. */
  | { readonly kind: 'stale' }
  /** Pool or target are not in the text. */
  | { readonly kind: 'unknown' }
  /** What it would make is refused. */
  | {
      readonly kind: 'invalid';
      readonly message: string;
      readonly problems: readonly ChangeProblem[];
    }
  /** The file cannot be written, or is another one by now; nothing has changed. */
  | { readonly kind: 'unwritable'; readonly message: string };

/** Where the running configuration is not what the file says. */
export interface Drift {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly path: string;
  readonly file: string;
  readonly running: string;
}

/** A file that a reload read and did not take; the configuration before it goes on. */
export interface RefusedFile {
  readonly time: Date;
  readonly message: string;
  readonly problems: readonly (ChangeProblem & {
    /** The line of the file; empty when the problem is of no line. */
    readonly source: string;
  })[];
}

export interface ChangeRules {
  /** Of the configuration that is meant to be changed; null: whichever. */
  readonly revision: string | null;
  /** Write it to the file. */
  readonly persist: boolean;
}
