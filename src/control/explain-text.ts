// explain-text: what an explanation says in sentences. Numbers and names come in, nothing is
// decided here but the words.
import type { ForecastClient, ForecastOutcome, StickyStep } from '../model/forecast.js';
import type { Protocol } from '../model/listener.js';
import type { Policy, PolicyName } from '../model/policy.js';
import type { Pool } from '../model/pool.js';

/** What the number is by which a policy judges; null: it judges by none. */
export function scoreText({ name, load, boundedLoad }: Policy): string | null {
  const open = load === 'turns' ? 'waiting' : 'open';
  switch (name) {
    case 'least_connections':
      return `(${open} + 1) / weight`;
    case 'power_of_two':
      return `${open} / weight, of the two drawn`;
    case 'least_response_time':
      return `response time in µs x (${open} + 1) / weight`;
    case 'least_bandwidth':
      return 'expected bytes per second / weight';
    case 'hot_cold':
      return `response time in µs, or ${open} / weight of an overloaded one, of those drawn`;
    case 'source_hash':
    case 'ring_hash':
    case 'maglev':
      return boundedLoad > 0 ? `${open} / what bounded_load allows it` : null;
    default:
      return null;
  }
}

/** Words about a policy; one without any is told in general terms. */
type Words = Readonly<Partial<Record<PolicyName, (worker: number) => string>>>;

/** Why the policy took the one that it took. */
const takes: Words = {
  round_robin: (worker) => `it is next in the rotation of worker ${worker}`,
  weighted_round_robin: (worker) => `it is next in the weighted rotation of worker ${worker}`,
  least_connections: () => 'it has the least load for its weight',
  least_response_time: () => 'an answer is expected there first',
  least_bandwidth: () => 'it moves the fewest bytes for its weight',
  random: (worker) => `worker ${worker} draws it next`,
  power_of_two: (worker) => `it is the less loaded of two that worker ${worker} draws next`,
  hot_cold: (worker) => `it is the best of those that worker ${worker} draws next`,
  first: () => 'it is the first in the order of the file that can take it',
  source_hash: () => "the client's address leads there",
  ring_hash: () => "the client's key leads there",
  maglev: () => "the client's key leads there",
};

function takesText(name: PolicyName, worker: number): string {
  return takes[name]?.(worker) ?? `${name} picks it`;
}

/** How long a pick of the policy stays the next one. */
const lasts: Words = {
  round_robin: rotation,
  weighted_round_robin: rotation,
  random: draw,
  power_of_two: draw,
  hot_cold: draw,
  least_connections: counted,
  least_response_time: () =>
    'This holds for a moment: response times and connections change with every client.',
  least_bandwidth: () =>
    'This holds for a moment: traffic is measured anew every second, and every client counts.',
  first: () => 'This holds on every worker until that target is full or another one is not.',
  source_hash: keyed,
  ring_hash: keyed,
  maglev: keyed,
};

function lastsText(name: PolicyName, worker: number): string {
  return lasts[name]?.(worker) ?? `This holds for the next client of worker ${worker}.`;
}

function rotation(worker: number): string {
  return `This holds for the next client of worker ${worker}: each has a rotation of its own.`;
}

function draw(worker: number): string {
  return (
    `This holds for the next client of worker ${worker}: each worker draws by itself, ` +
    'and every pick moves its draws.'
  );
}

function counted(worker: number): string {
  return (
    'This holds until a connection opens or ends; equals take turns, ' +
    `and the turn is worker ${worker}'s.`
  );
}

function keyed(): string {
  return 'This holds on every worker, until targets come, go or fill up.';
}

export interface PickedWords {
  readonly target: string;
  readonly policy: Policy;
  readonly worker: number;
  readonly step: StickyStep;
  readonly stickyTarget: string | null;
  /** How many could have been picked in its tier. */
  readonly usable: number;
  /** Such as `the backups`; null: the pool has one tier. */
  readonly tier: string | null;
}

export function pickedReason(words: PickedWords): string {
  const { target, policy, worker, step, usable, tier } = words;
  if (step === 'hit') return `${target}: the client's sticky entry leads there.`;
  const before = stickyMove(step, words.stickyTarget);
  const where = tier === null ? '' : ` of ${tier}`;
  const why =
    usable === 1
      ? `it is the only one${where} that can take the client`
      : `${takesText(policy.name, worker)}${tier === null ? '' : `, among ${usable}${where}`}`;
  return `${target}: ${before}${why}.`;
}

function stickyMove(step: StickyStep, target: string | null): string {
  const entry = `its sticky entry leads to ${target ?? 'a target'}`;
  if (step === 'moved_gone') return 'the pool no longer has the target of its sticky entry; ';
  if (step === 'moved_down') return `${entry}, which takes no clients now; `;
  if (step === 'moved_full') return `${entry}, which is full; `;
  return '';
}

export interface UnpickedWords {
  readonly outcome: Exclude<ForecastOutcome, 'picked' | 'session'>;
  readonly protocol: Protocol;
  readonly pool: Pool | null;
  readonly candidates: number;
  readonly waiting: number;
  readonly step: StickyStep;
  readonly stickyTarget: string | null;
  readonly listenerActive: number;
  readonly listenerMax: number;
}

/** Why no target is picked, and what becomes of the client. */
export function unpickedReason(words: UnpickedWords): string {
  const { outcome, protocol, pool, waiting } = words;
  switch (outcome) {
    case 'queued':
      return `none now: ${nobody(words)}; the client waits for a place, behind ${waiting} others.`;
    case 'parked':
      return `none now: ${nobody(words)}; the client waits for a target, behind ${waiting} others.`;
    case 'queue_full':
      return `none: ${waiting} wait for a place, of ${pool?.queue.max ?? 0}; it is refused.`;
    case 'park_full':
      return `none: ${waiting} wait for a target, of ${pool?.park.max ?? 0}; it is refused.`;
    case 'no_target':
      return `none: ${nobody(words)}; ${protocol === 'tcp' ? 'it is refused' : 'it is dropped'}.`;
    case 'listener_full': {
      const full = `the listener is at its limit, ${words.listenerActive} of ${words.listenerMax}`;
      return `none now: ${full}; ${protocol === 'tcp' ? 'the client waits' : 'it is dropped'}.`;
    }
    case 'worker_full':
      return 'none: the worker is at engine.max_connections; the client is refused.';
    case 'accept_paused':
      return 'none now: no descriptors are left, and the listener accepts nobody for a while.';
    case 'unknown_listener':
      return 'none: the listener is closed.';
  }
}

function nobody({ step, stickyTarget, candidates, waiting, outcome }: UnpickedWords): string {
  const entry = `its sticky entry leads to ${stickyTarget ?? 'a target'}`;
  if (step === 'refused_down') return `${entry}, which is down, and sticky.when_down is refuse`;
  if (step === 'refused_full') return `${entry}, which is full, and sticky.when_down is refuse`;
  if (candidates === 0) return 'no target of the pool can take clients';
  const behind = waiting > 0 && (outcome === 'queued' || outcome === 'parked');
  return behind ? 'others of the pool wait already' : 'every target is at its max_connections';
}

export interface NoteFacts {
  readonly outcome: ForecastOutcome;
  readonly protocol: Protocol;
  readonly policy: Policy;
  readonly client: ForecastClient;
  readonly worker: number;
  readonly step: StickyStep;
  /** The policy had a choice. */
  readonly chose: boolean;
  readonly sessionsUnseen: boolean;
  /** The listener's first address. */
  readonly destination: string;
}

/** What was taken for granted, then for how long the answer holds. */
export function noteTexts(facts: NoteFacts): readonly string[] {
  const { outcome, protocol, policy, client, worker, step } = facts;
  const notes: string[] = [];
  if (client.port === 0 && client.ip !== null) {
    if (policy.key === 'source_port') {
      notes.push("The pool's key counts the client's port, and none was given: port 0 was taken.");
    }
    if (protocol === 'udp') {
      notes.push(
        'Without a port no session was looked for: a client that has one keeps its target.',
      );
    }
  }
  if (policy.key === 'destination') {
    notes.push(`The client was taken to come to ${facts.destination}.`);
  }
  if (facts.sessionsUnseen) {
    notes.push('The worker has too many sessions to look for one of this client.');
  }
  if (outcome !== 'picked') return notes;
  if (step === 'hit') notes.push('This holds on every worker, until the entry expires.');
  else if (facts.chose) {
    notes.push(lastsText(policy.name, worker));
    if (step === 'miss') notes.push('Once the client has come, its sticky entry decides.');
  }
  return notes;
}
