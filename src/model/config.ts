// Config: a whole configuration, checked and frozen. Everything below may assume that it is right.
import type { Listener } from './listener.js';
import type { Pool } from './pool.js';

export interface EngineConfig {
  /** Worker threads; `auto` in the file is resolved to the number of usable CPUs. */
  readonly workers: number;
  /** TCP connections per worker; 0 = as many as the descriptor limit allows. */
  readonly maxConnections: number;
  readonly splice: boolean;
  /** The largest single read of a worker; also the size of what it keeps for a slow receiver. */
  readonly bufferBytes: number;
}

/** Who may ask the admin API: `read` sees, `admin` also changes. */
export type AdminRole = 'read' | 'admin';

export interface AdminToken {
  readonly name: string;
  readonly role: AdminRole;
  /** `sha256:` and 64 hexadecimal digits, of the token. */
  readonly hash: string;
}

export interface AdminConfig {
  /** null: no admin server. */
  readonly listen:
    | { readonly host: string; readonly port: number }
    | { readonly path: string }
    | null;
  /** Names under which it may be asked, beside those of loopback. */
  readonly hosts: readonly string[];
  /** Without any, only this machine is answered. */
  readonly tokens: readonly AdminToken[];
}

export interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'auto' | 'json' | 'pretty';
  /** A file's path, `stdout`, `stderr`, or a syslog server's URL. */
  readonly output: string;
  /** Where access records go, in the same words; null: where everything else does. */
  readonly access: string | null;
  /** Of each file; null: files grow. */
  readonly rotate: LogRotation | null;
}

export interface LogRotation {
  /** A file that would grow beyond it is renamed first. */
  readonly sizeBytes: number;
  /** Renamed files that are kept: `log.1` is the newest. */
  readonly keep: number;
}

export interface ShutdownConfig {
  /** How long a stop waits for connections to end by themselves. */
  readonly drainTimeoutMs: number;
}

export interface StateConfig {
  readonly file: string;
  /** A change is on the disk this much later. */
  readonly intervalMs: number;
}

export interface Config {
  readonly listeners: readonly Listener[];
  readonly pools: readonly Pool[];
  readonly engine: EngineConfig;
  readonly admin: AdminConfig;
  readonly log: LogConfig;
  readonly shutdown: ShutdownConfig;
  /** Where health and admin states survive a restart; null: they do not. */
  readonly state: StateConfig | null;
  /** Reload by itself when the file changes. */
  readonly watch: boolean;
}
