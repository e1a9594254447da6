// Rules about the sections of a health check: keys of one that exclude or need each other.
import type { Facts, PoolDraft } from './facts.js';
import type { Path } from './problem.js';

export type HealthMap = Exclude<NonNullable<PoolDraft['health']>, string>;

const code = 'SLUICE_CONFIG_HEALTH';

export function checkSections(facts: Facts, health: HealthMap, path: Path): void {
  checkSteps(facts, health.send_expect, [...path, 'send_expect', 'steps']);
  checkUdp(facts, health.udp, [...path, 'udp']);
  checkHttp(facts, health.http, [...path, 'http']);
  checkExec(facts, health.exec, [...path, 'exec', 'command']);
  checkTls(facts, health.tls, [...path, 'tls']);
}

/** Keys that stand there, rightly or wrongly. */
function present(map: object, keys: readonly string[]): readonly string[] {
  return keys.filter((key) => Object.hasOwn(map, key));
}

const sends = ['send', 'send_hex'];
const expects = ['expect', 'expect_hex', 'expect_regex'];

function checkSteps(facts: Facts, section: HealthMap['send_expect'], path: Path): void {
  for (const [index, step] of (section?.steps ?? []).entries()) {
    if (step === undefined) continue;
    const keys = present(step, [...sends, ...expects]);
    if (keys.length === 1) continue;
    const message =
      keys.length === 0
        ? `a step has one of ${[...sends, ...expects].join(', ')}`
        : `a step has one key, this one has ${keys.join(' and ')}: make two steps of it`;
    facts.report({ code, path: [...path, index], message });
  }
}

function checkUdp(facts: Facts, section: HealthMap['udp'], path: Path): void {
  if (section === undefined) return;
  const sent = present(section, sends);
  if (sent.length === 0) {
    const message = 'needs send or send_hex: an empty datagram is not sent';
    facts.report({ code: 'SLUICE_CONFIG_MISSING', path, message });
  }
  for (const keys of [sent, present(section, expects)]) {
    const [first, second] = keys;
    if (first === undefined || second === undefined) continue;
    const message = `${first} stands here already: there is one of the two`;
    facts.report({ code, path: [...path, second], aim: 'key', message });
  }
}

function checkHttp(facts: Facts, section: HealthMap['http'], path: Path): void {
  if (section?.method !== 'HEAD') return;
  for (const key of ['body', 'body_regex'] as const) {
    if (section[key] === undefined) continue;
    const message = 'an answer to HEAD has no body';
    facts.report({ code, path: [...path, key], aim: 'key', message });
  }
}

function checkExec(facts: Facts, section: HealthMap['exec'], path: Path): void {
  const program = section?.command?.[0];
  if (program === undefined || /^\/[^/]/.test(program)) return;
  const message = 'the program is an absolute path: nothing is searched for, and there is no shell';
  facts.report({ code, path: [...path, 0], message });
}

/** A certificate that is not verified has no use for a list of those who vouch for it. */
function checkTls(facts: Facts, section: HealthMap['tls'], path: Path): void {
  if (section?.verify !== false || section.ca === undefined) return;
  const message = 'verify is false: nothing is compared with these certificates';
  const severity = 'warning';
  const place = { path: [...path, 'ca'], aim: 'key' } as const;
  facts.report({ severity, code: 'SLUICE_CONFIG_NO_EFFECT', ...place, message });
}
