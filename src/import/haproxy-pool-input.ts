// What a pool is made of: the section of HAProxy, and its servers with their options.
import type { Directive } from './directive.js';
import type { Section, Setting } from './haproxy-sections.js';
import type { ServerOptions } from './haproxy-server.js';
import type { Ledger } from './ledger.js';

export interface Server {
  readonly directive: Directive;
  readonly name: string;
  readonly address: string;
  readonly options: ServerOptions;
}

export interface PoolInput {
  readonly name: string;
  readonly section: Section;
  readonly settings: readonly Setting[];
  /** Other sections by name, for stick tables. */
  readonly settingsOf: (name: string) => readonly Setting[];
  /** Of the listeners that lead here; null where they have several. */
  readonly port: number | null;
  readonly spreadPercent: number;
  readonly file: string;
  readonly ledger: Ledger;
}
