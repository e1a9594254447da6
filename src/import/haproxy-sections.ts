// The sections of an HAProxy configuration, and which `defaults` count in which of them: those it
// names with `from`, otherwise the last ones above it.
import { argument, type Directive, nameOf, type Word } from './directive.js';
import { type Environment, readHaproxyLines, type UnreadableLine } from './haproxy-words.js';

export interface Section {
  readonly kind: string;
  readonly name: string;
  readonly head: Directive;
  readonly lines: readonly Directive[];
  /** null: none count here. */
  readonly defaults: Section | null;
}

export interface HaproxyFile {
  readonly sections: readonly Section[];
  /** Every statement, also those of no section. */
  readonly directives: readonly Directive[];
  readonly stray: readonly Directive[];
  readonly faults: readonly UnreadableLine[];
}

const kinds = new Set([
  ...['global', 'defaults', 'frontend', 'backend', 'listen', 'peers', 'resolvers', 'userlist'],
  ...['mailers', 'cache', 'program', 'ring', 'log-forward', 'http-errors', 'fcgi-app'],
  ...['crt-store', 'log-profile', 'traces', 'acme', 'healthcheck', 'crt-list', 'namespace_list'],
]);

/** Kinds that inherit from `defaults`. */
const proxies = new Set(['defaults', 'frontend', 'backend', 'listen']);

export function readSections(text: string, environment: Environment): HaproxyFile {
  const set = new Map<string, string>();
  const faults: UnreadableLine[] = [];
  const directives: Directive[] = [];
  const stray: Directive[] = [];
  const sections: Section[] = [];
  let lines: Directive[] | null = null;
  let latest: Section | null = null;
  const take = ({ words }: { readonly words: readonly [Word, ...Word[]] }): void => {
    const directive: Directive = { words, block: null };
    directives.push(directive);
    const kind = nameOf(directive);
    if (!kinds.has(kind)) {
      if (kind === 'setenv' || kind === 'presetenv') {
        const name = argument(directive, 0);
        const known = set.get(name) ?? environment(name);
        if (kind === 'setenv' || known === undefined) set.set(name, argument(directive, 1));
      }
      (lines ?? stray).push(directive);
      return;
    }
    lines = [];
    const section = { kind, head: directive, lines, ...inheritance(directive, sections, latest) };
    if (kind === 'defaults') latest = section;
    sections.push(section);
  };
  const fail = (fault: UnreadableLine): void => void faults.push(fault);
  readHaproxyLines(text, (name) => set.get(name) ?? environment(name), take, fail);
  return { sections, directives, stray, faults };
}

/** `frontend web from shared`, `defaults from shared`. */
function inheritance(
  head: Directive,
  sections: readonly Section[],
  latest: Section | null,
): { readonly name: string; readonly defaults: Section | null } {
  const kind = nameOf(head);
  const texts = head.words.slice(1).map(({ text }) => text);
  const from = texts.indexOf('from');
  const name = from === 0 ? '' : (texts[0] ?? '');
  if (!proxies.has(kind)) return { name, defaults: null };
  if (from >= 0) {
    const wanted = texts[from + 1] ?? '';
    const found = sections.findLast((one) => one.kind === 'defaults' && one.name === wanted);
    return { name, defaults: found ?? null };
  }
  return { name, defaults: kind === 'defaults' ? null : latest };
}

/** Keywords of which each line adds one; of all others the last one counts. */
const repeated = new Set([
  ...['bind', 'server', 'server-template', 'default-server', 'acl', 'use_backend', 'use-server'],
  ...['tcp-request', 'tcp-response', 'http-request', 'http-response', 'http-after-response'],
  ...['tcp-check', 'http-check', 'stick', 'log', 'capture', 'filter', 'errorfile', 'stats'],
  ...['block', 'redirect', 'declare', 'email-alert', 'errorloc', 'http-error', 'ignore-persist'],
  ...['force-persist', 'monitor', 'persist', 'errorfiles', 'external-check', 'rate-limit'],
]);

/** Words that belong to the keyword: `timeout client`, `option tcplog`. */
const twoWords = new Set(['timeout', 'option', 'stats', 'http-check', 'tcp-check', 'stick']);

export interface Setting {
  /** As `timeout client`, `option tcplog`, `balance`. */
  readonly key: string;
  readonly directive: Directive;
  /** With the keyword taken off. */
  readonly values: readonly Word[];
  /** `no option x`, `default option x`. */
  readonly off: boolean;
  readonly inherited: boolean;
}

/** What holds in a section: inherited first, and without what is set again further down. */
export function settingsOf(section: Section): readonly Setting[] {
  const all = chainOf(section);
  const lastOf = new Map(all.map((setting) => [setting.key, setting]));
  return all.filter((setting) => isRepeated(setting) || lastOf.get(setting.key) === setting);
}

function chainOf(section: Section): readonly Setting[] {
  const settings: Setting[] = [];
  const seen = new Set<Section>();
  let inherited = false;
  for (let at: Section | null = section; at !== null && !seen.has(at); at = at.defaults) {
    seen.add(at);
    const own = at.lines.map((directive) => settingOf(directive, inherited));
    settings.unshift(...own);
    inherited = true;
  }
  return settings;
}

function isRepeated({ directive }: Setting): boolean {
  return repeated.has(nameOf(directive));
}

function settingOf(directive: Directive, inherited: boolean): Setting {
  const [first, second] = directive.words;
  const off = first.text === 'no' || first.text === 'default';
  const words = off && second !== undefined ? directive.words.slice(1) : directive.words;
  const count = twoWords.has(words[0]?.text ?? '') && words.length > 1 ? 2 : 1;
  const key = words
    .slice(0, count)
    .map(({ text }) => text)
    .join(' ');
  return { key, directive, values: words.slice(count), off, inherited };
}
