// An HAProxy configuration to a draft: sections of mode tcp become listeners and pools.
import { createNames, type Draft, emptyDraft } from './draft.js';
import { onePort } from './haproxy-bind.js';
import { sectionFate } from './haproxy-fates.js';
import { readGlobal } from './haproxy-global.js';
import { buildListener, type Front, isMisplaced, readFront } from './haproxy-listener.js';
import { otherSetting, type PoolPlan, readPool } from './haproxy-pool.js';
import { readSections, type Section, type Setting, settingsOf } from './haproxy-sections.js';
import type { Environment } from './haproxy-words.js';
import { closeLedger, type Ledger } from './ledger.js';

const proxyKinds = new Set(['frontend', 'backend', 'listen']);

interface Proxy {
  readonly section: Section;
  readonly settings: readonly Setting[];
}

export function importHaproxy(
  text: string,
  file: string,
  environment: Environment,
  ledger: Ledger,
): Draft {
  const { sections, directives, stray, faults } = readSections(text, environment);
  const draft = emptyDraft();
  for (const { subject, why, ...place } of faults) ledger.unreadable(place, subject, why);
  for (const directive of stray) {
    ledger.lost(directive.words, 'it stands in no section', 'move it below its section');
  }
  const { spreadPercent } = readGlobal(sections, draft, ledger);
  const proxies = sections
    .filter(({ kind }) => proxyKinds.has(kind))
    .map((section): Proxy => ({ section, settings: settingsOf(section) }));
  const carried = proxies.filter((proxy) => isCarried(proxy, ledger));
  const fronts = carried
    .filter(({ section }) => section.kind !== 'backend')
    .map(({ section, settings }) => readFront(section, settings, ledger));
  const names = createNames();
  const plans = new Map<string, PoolPlan>();
  for (const { section, settings } of carried) {
    const serves = fronts.some(
      (front) => front.section === section && front.serves === section.name,
    );
    if (section.kind !== 'backend' && !serves) continue;
    const users = fronts.filter(({ serves: pool }) => pool === section.name);
    const settingsByName = (name: string): readonly Setting[] => {
      return proxies.find((proxy) => proxy.section.name === name)?.settings ?? [];
    };
    const plan = readPool({
      name: names(section.name),
      section,
      settings,
      settingsOf: settingsByName,
      port: onePort(users.flatMap(({ binds }) => binds)),
      spreadPercent,
      file,
      ledger,
    });
    plans.set(section.name, plan);
    draft.pools.push(plan.pool);
  }
  buildListeners(fronts, plans, file, draft, ledger);
  for (const proxy of carried) finish(proxy, ledger);
  tellSections(sections, new Set(carried.flatMap(({ section }) => chainOf(section))), ledger);
  closeLedger(ledger, directives, ({ words }) => {
    const within = sections.findLast(({ head }) => head.words[0].line <= words[0].line);
    return within?.kind === 'defaults'
      ? { needed: false, why: 'no section that is carried over uses this' }
      : { needed: true, why: 'sluice import does not know this' };
  });
  return draft;
}

/** false: it is told why not. */
function isCarried({ section, settings }: Proxy, ledger: Ledger): boolean {
  const mode = settings.findLast(({ key }) => key === 'mode');
  const text = mode?.values[0]?.text ?? 'tcp';
  const skip = (why: string, instead: string): false => {
    ledger.lost(section.head.words, why, instead);
    for (const { words } of section.lines) {
      ledger.lost(words, 'its section is not carried over', 'see the section');
    }
    return false;
  };
  if (text !== 'tcp') {
    return skip(
      `the section has mode ${text}, and sluice works below it`,
      'write `mode tcp` there to see what balancing its connections would be like',
    );
  }
  if (settings.some(({ key, inherited }) => key === 'disabled' && !inherited)) {
    for (const words of [section.head.words, ...section.lines.map((line) => line.words)]) {
      ledger.notNeeded(words, 'the section is disabled');
    }
    return false;
  }
  ledger.carried(section.head.words, section.kind === 'backend' ? 'pools' : 'listeners');
  if (mode !== undefined) ledger.notNeeded(mode.directive.words, 'tcp is what sluice does');
  return true;
}

function buildListeners(
  fronts: readonly Front[],
  plans: ReadonlyMap<string, PoolPlan>,
  file: string,
  draft: Draft,
  ledger: Ledger,
): void {
  const names = createNames();
  for (const front of fronts) {
    const plan = front.serves === null ? undefined : plans.get(front.serves);
    if (plan === undefined || front.binds.length === 0) {
      // A listen that only serves others, or only counts, is no listener.
      const why =
        front.binds.length === 0
          ? 'it has no address that sluice can bind'
          : 'no section that is carried over serves it';
      ledger.lost(front.section.head.words, why, 'write the listener by hand');
      continue;
    }
    const name = names(front.section.name);
    const { pool, times } = plan;
    draft.listeners.push(buildListener({ front, name, pool: pool.name, times, file, ledger }));
  }
}

function finish({ section, settings }: Proxy, ledger: Ledger): void {
  for (const setting of settings) {
    const { words } = setting.directive;
    if (ledger.has(words[0])) continue;
    const misplaced = isMisplaced(section.kind, setting.key);
    // What is inherited may count in another section.
    if (misplaced && setting.inherited) continue;
    if (misplaced) ledger.notNeeded(words, `has no effect in a ${section.kind}`);
    else otherSetting(setting, ledger);
  }
}

function chainOf({ defaults }: Section): readonly Section[] {
  return defaults === null ? [] : [defaults, ...chainOf(defaults)];
}

function tellSections(
  sections: readonly Section[],
  used: ReadonlySet<Section>,
  ledger: Ledger,
): void {
  for (const section of sections) {
    const { kind, head, lines } = section;
    if (kind === 'defaults') {
      if (used.has(section)) ledger.carried(head.words, 'the sections that it holds for');
      else ledger.notNeeded(head.words, 'no section that is carried over uses it');
      continue;
    }
    const fate = sectionFate(kind);
    if (fate === undefined) continue;
    if (fate.fate === 'lost') ledger.lost(head.words, fate.why, fate.instead);
    else ledger.notNeeded(head.words, fate.why);
    for (const { words } of lines) {
      if (fate.fate === 'lost')
        ledger.lost(words, 'its section is not carried over', 'see the section');
      else ledger.notNeeded(words, 'its section is not needed');
    }
  }
}
