// An nginx configuration to a draft: what stands in `stream` becomes listeners and pools. A file of
// servers alone, as `stream` includes them, is read as if it stood there.
import { formatDuration } from '../config/units.js';
import { argument, type Directive, nameOf, oneLine } from './directive.js';
import { createNames, type Draft, type DraftPool, emptyDraft, setIn } from './draft.js';
import { closeLedger, type Ledger } from './ledger.js';
import { readBlocks } from './nginx-blocks.js';
import { type NginxContext, nginxFate } from './nginx-fates.js';
import { readUpstream } from './nginx-pool.js';
import { readServer, type StreamFacts } from './nginx-server.js';
import { nginxMs } from './nginx-units.js';
import { readVariables } from './nginx-variables.js';

export function importNginx(text: string, file: string, ledger: Ledger): Draft {
  const { directives, faults } = readBlocks(text);
  const draft = emptyDraft();
  for (const { subject, why, ...place } of faults) ledger.unreadable(place, subject, why);
  const streams = directives.filter((one) => nameOf(one) === 'stream' && one.block !== null);
  for (const stream of streams) {
    ledger.carried(stream.words, 'listeners and pools');
    readStream(stream.block ?? [], file, draft, ledger);
  }
  const isFragment = streams.length === 0 && directives.some(isStreamServer);
  if (isFragment) readStream(directives, file, draft, ledger);
  else for (const directive of directives) readMain(directive, draft, ledger);
  closeLedger(ledger, directives, () => ({
    needed: true,
    why: 'sluice import does not know this',
  }));
  return draft;
}

/** A server of HTTP passes on inside a location. */
function isStreamServer(directive: Directive): boolean {
  const names = (directive.block ?? []).map(nameOf);
  return nameOf(directive) === 'server' && names.includes('listen') && names.includes('proxy_pass');
}

function readMain(directive: Directive, draft: Draft, ledger: Ledger): void {
  const { words } = directive;
  const name = nameOf(directive);
  if (name === 'stream') return;
  if (name === 'http' || name === 'mail' || name === 'rtmp') {
    ledger.lost(words, `sluice does not speak ${name}`, 'keep nginx for it, or write it as stream');
    loseInside(directive, ledger);
  } else if (name === 'events') {
    ledger.notNeeded(words, 'tunes nginx itself');
    for (const inner of directive.block ?? []) tell(inner, 'events', ledger);
  } else if (name === 'worker_processes') {
    const number = Number(argument(directive, 0));
    if (argument(directive, 0) === 'auto') ledger.notNeeded(words, 'is so by default');
    else if (Number.isInteger(number) && number > 0) {
      setIn(draft.top, 'engine', 'workers', Math.min(number, 64));
      ledger.carried(words, 'engine.workers');
    }
  } else if (name === 'worker_shutdown_timeout' && nginxMs(argument(directive, 0)) !== null) {
    const ms = nginxMs(argument(directive, 0)) ?? 0;
    setIn(draft.top, 'shutdown', 'drain_timeout', formatDuration(ms));
    ledger.carried(words, 'shutdown.drain_timeout');
  } else tell(directive, 'main', ledger);
}

function loseInside(directive: Directive, ledger: Ledger): void {
  for (const inner of directive.block ?? []) {
    ledger.lost(inner.words, 'its block is not carried over', 'see the block');
    loseInside(inner, ledger);
  }
}

/** false: nothing is known of it. */
function tell(directive: Directive, context: NginxContext, ledger: Ledger): void {
  if (ledger.has(directive.words[0])) return;
  const fate = nginxFate(context, nameOf(directive));
  if (fate === undefined) return;
  if (fate.fate === 'lost') ledger.lost(directive.words, fate.why, fate.instead);
  else ledger.notNeeded(directive.words, fate.why);
}

const blocks = new Set(['server', 'upstream', 'map', 'split_clients', 'geo', 'match']);

function readStream(
  directives: readonly Directive[],
  file: string,
  draft: Draft,
  ledger: Ledger,
): void {
  const named = (name: string): readonly Directive[] =>
    directives.filter((one) => nameOf(one) === name);
  const names = createNames();
  const pools = new Map<string, DraftPool>();
  for (const upstream of named('upstream')) {
    const pool = readUpstream(upstream, names(argument(upstream, 0)), file, ledger);
    if (!pools.has(argument(upstream, 0))) pools.set(argument(upstream, 0), pool);
    draft.pools.push(pool);
  }
  const variables = readVariables(directives, ledger);
  const matches = new Map(named('match').map((match) => [argument(match, 0), match]));
  const poolOf = (pass: Directive): DraftPool | null => {
    const text = variables.resolve(pass);
    if (text === null) return null;
    const known = pools.get(text);
    if (known !== undefined) {
      ledger.carried(pass.words, 'listeners.*.pool');
      return known;
    }
    const pool = onlyTarget(pass, text, names, file);
    ledger.carried(pass.words, 'pools');
    pools.set(text, pool);
    draft.pools.push(pool);
    return pool;
  };
  const inherited = directives.filter((one) => !blocks.has(nameOf(one)));
  const listenerNames = createNames();
  const facts: StreamFacts = { file, ledger, inherited, matches, names: listenerNames, poolOf };
  for (const server of named('server')) {
    draft.listeners.push(...readServer(server, facts));
    for (const inner of server.block ?? []) tell(inner, 'stream', ledger);
  }
  variables.close();
  for (const match of matches.values()) {
    if (!ledger.has(match.words[0])) unusedMatch(match, ledger);
  }
  tellInherited(inherited, ledger);
}

/** Without a server that uses it, nothing is known of what it would do. */
function tellInherited(inherited: readonly Directive[], ledger: Ledger): void {
  for (const directive of inherited) {
    tell(directive, 'stream', ledger);
    if (ledger.has(directive.words[0])) continue;
    const overridden = /^(proxy_|access_log|tcp_nodelay|health_check)/.test(nameOf(directive));
    if (overridden) ledger.notNeeded(directive.words, 'no server that is carried over uses this');
  }
}

function unusedMatch(match: Directive, ledger: Ledger): void {
  for (const { words } of [match, ...(match.block ?? [])]) {
    ledger.notNeeded(words, 'no health_check uses it');
  }
}

/** `proxy_pass 10.0.0.1:80` without an upstream. */
function onlyTarget(
  pass: Directive,
  address: string,
  names: (wanted: string) => string,
  file: string,
): DraftPool {
  const [place] = pass.words;
  const wanted = `to-${address.replaceAll(/[^A-Za-z0-9.]+/g, '-')}`;
  return {
    name: names(wanted),
    place,
    notes: [oneLine(`${file}:${place.line} proxy_pass ${address}`, 120)],
    fields: new Map<string, unknown>([
      ['policy', 'round_robin'],
      ['health', 'none'],
    ]),
    targets: [{ place, fields: new Map([['address', address]]) }],
  };
}
