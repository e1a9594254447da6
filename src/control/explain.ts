// explain: joins what a worker says it would do (a Forecast, in slots) with what the control plane
// knows of the targets: who was a candidate, and what kept each of the others from being the one.
import { formatAddress } from '../model/address-text.js';
import type { ExplainedTarget, Explanation, WhyNotKind } from '../model/explanation.js';
import type { CandidateNote, Forecast, ForecastClient } from '../model/forecast.js';
import { goodReasons } from '../model/health.js';
import type { Listener } from '../model/listener.js';
import type { Pool } from '../model/pool.js';
import { type ChosenTier, chooseTiers } from './choose-tiers.js';
import { noteTexts, pickedReason, scoreText, unpickedReason } from './explain-text.js';
import type { Plan } from './plan.js';
import type { Beliefs } from './target-beliefs.js';
import { type TargetState, targetStates } from './target-states.js';

export interface ExplainSources {
  readonly forecast: Forecast;
  /** From which the table of the forecast was made. */
  readonly plan: Plan;
  /** The same as it is now: what a probe says may be newer, and mean the same to the table. */
  readonly said: Pick<Beliefs, 'health' | 'roles'>;
  readonly listener: Listener;
  readonly client: ForecastClient;
  readonly worker: number;
  /** Connections and sessions of a target slot now: for targets that the worker did not look at. */
  readonly activeOf: (slot: number) => number;
}

/** A forecast with the names of its slots. */
interface Joined extends ExplainSources {
  readonly pool: Pool;
  readonly states: readonly TargetState[];
  readonly tiers: readonly ChosenTier[];
  readonly candidates: ReadonlySet<number>;
  readonly notes: ReadonlyMap<number, CandidateNote>;
  readonly nameOf: Explained['nameOf'];
}

type WhyNot = NonNullable<ExplainedTarget['whyNot']>;

export interface Explained {
  readonly explanation: Omit<Explanation, 'workers'>;
  /** The target in a slot; null: none, or one that the pool no longer has. */
  readonly nameOf: (slot: number | null) => string | null;
}

export function explain(sources: ExplainSources): Explained {
  const joined = join(sources);
  return { explanation: explanationOf(joined), nameOf: joined.nameOf };
}

function explanationOf(joined: Joined): Explained['explanation'] {
  const { forecast, listener, worker, pool, nameOf } = joined;
  const { outcome, generation, waiting } = forecast;
  const { step, targetSlot } = forecast.sticky;
  return {
    listener: listener.name,
    protocol: listener.protocol,
    pool: pool.name,
    policy: pool.policy.name,
    worker,
    generation,
    outcome,
    target: nameOf(forecast.targetSlot),
    reason: reasonOf(joined),
    sticky: step === 'none' ? null : { step, target: nameOf(targetSlot) },
    panic: joined.tiers[forecast.tier ?? forecast.firstTier]?.panic ?? false,
    scoreIs: scoreText(pool.policy),
    waiting,
    notes: notesOf(joined),
    targets: joined.states.map((state, index) => explainTarget(joined, state, index)),
  };
}

function join(sources: ExplainSources): Joined {
  const { plan, listener, forecast } = sources;
  const pool = plan.config.pools.find(({ name }) => name === listener.pool);
  if (pool === undefined) throw new Error(`no pool ${listener.pool}`);
  const states = targetStates(pool, plan);
  const tiers = chooseTiers(pool, states);
  const names = new Map(states.map(({ record, target }) => [record?.slot, target.name]));
  return {
    ...sources,
    pool,
    states,
    tiers,
    candidates: new Set(tiers.flatMap(({ members }) => members)),
    notes: new Map(forecast.candidates.map((note) => [note.slot, note])),
    nameOf: (slot) => (slot === null ? null : (names.get(slot) ?? null)),
  };
}

function reasonOf(joined: Joined): string {
  const { forecast, pool, worker, listener, nameOf, tiers, notes } = joined;
  const { outcome, sticky, tier } = forecast;
  const target = nameOf(forecast.targetSlot) ?? 'a target that the configuration no longer has';
  const stickyTarget = nameOf(sticky.targetSlot);
  if (outcome === 'session') return `${target}: the client has a session there.`;
  if (outcome === 'picked') {
    const usable = [...notes.values()].filter((note) => {
      return note.tier === tier && note.standing === 'usable';
    });
    const { policy } = pool;
    const label = tier === null || tiers.length < 2 ? null : tierText(tiers[tier]);
    const words = { target, policy, worker, stickyTarget, tier: label };
    return pickedReason({ ...words, step: sticky.step, usable: usable.length });
  }
  return unpickedReason({
    outcome,
    protocol: listener.protocol,
    pool,
    candidates: joined.candidates.size,
    waiting: forecast.waiting,
    step: sticky.step,
    stickyTarget,
    listenerActive: forecast.listenerActive,
    listenerMax: listener.maxConnections,
  });
}

function notesOf({ forecast, listener, pool, client, worker, notes }: Joined) {
  const usable = [...notes.values()].filter(({ standing }) => standing === 'usable');
  const [bind] = listener.binds;
  return noteTexts({
    outcome: forecast.outcome,
    protocol: listener.protocol,
    policy: pool.policy,
    client,
    worker,
    step: forecast.sticky.step,
    chose: usable.length > 1,
    sessionsUnseen: forecast.sessionsUnseen,
    destination: bind === undefined ? 'its address' : formatAddress(bind),
  });
}

function explainTarget(joined: Joined, state: TargetState, index: number): ExplainedTarget {
  const { forecast, candidates, notes, activeOf } = joined;
  const { target, record, weight } = state;
  const note = record === null ? undefined : notes.get(record.slot);
  const picked = record !== null && record.slot === forecast.targetSlot;
  const candidate = candidates.has(index);
  const whyNot = candidate ? whyNotPicked(joined, state, note) : whyNoCandidate(joined, state);
  return {
    name: target.name,
    address: formatAddress(record?.address ?? target.address),
    candidate,
    picked,
    priority: target.backup ? null : target.priority,
    weight,
    active: note?.active ?? (record === null ? 0 : activeOf(record.slot)),
    maxConnections: record?.maxConnections ?? target.maxConnections,
    score: note?.score ?? null,
    whyNot: picked ? null : whyNot,
  };
}

function because(kind: WhyNotKind, text: string): WhyNot {
  return { kind, text };
}

/** In the order in which an operator would mend it: his own wishes first. */
function whyNoCandidate({ plan, pool, said }: Joined, state: TargetState): WhyNot {
  const { key, adminState, health, ejection, weight, record } = state;
  if (record === null || key === null) return because('unresolved', 'its name is not resolved');
  const words = plan.agents.get(key);
  const byAgent = words !== undefined && words.adminState === adminState ? ', says its agent' : '';
  if (adminState !== 'enabled') return because(adminState, `${adminState}${byAgent}`);
  if (weight === 0) return because('weight_zero', 'its weight is 0');
  if (ejection !== null) {
    const until = ejection.until.toISOString();
    return because('ejected', `ejected until ${until}: ${ejection.reason}`);
  }
  if (health === 'unhealthy') {
    if (words?.up === false) return because('unhealthy', 'unhealthy: its agent says so');
    return because('unhealthy', `unhealthy${probeText(said, key)}`);
  }
  if (!state.inRole) {
    const role = said.roles.roles.get(key);
    const what = role === pool.role ? `not the ${role} that is held to be it` : (role ?? 'unknown');
    return because('wrong_role', `the pool is for a ${pool.role}; this one is ${what}`);
  }
  return because('changing', 'its state has just changed; the workers do not know yet');
}

function probeText({ health }: Joined['said'], key: string): string {
  const record = health.get(key);
  if (record === undefined) return ': no probe has been good yet';
  if (goodReasons.has(record.reason)) return '';
  return `: ${record.reason}${record.detail === '' ? '' : `, ${record.detail}`}`;
}

function whyNotPicked(
  joined: Joined,
  { record }: TargetState,
  note: CandidateNote | undefined,
): WhyNot {
  const { forecast, nameOf, tiers } = joined;
  const { step } = forecast.sticky;
  const entry = nameOf(forecast.sticky.targetSlot) ?? 'another target';
  if (forecast.outcome === 'session')
    return because('session', 'the client has a session elsewhere');
  const refused = step === 'refused_down' || step === 'refused_full';
  const isEntry = record !== null && record.slot === forecast.sticky.targetSlot;
  if (note?.standing === 'full' || note?.standing === 'tried' || (refused && isEntry)) {
    const max = record?.maxConnections ?? 0;
    return because('full', `at its limit: ${note?.active ?? max} of ${max}`);
  }
  if (refused) return because('sticky', `the client belongs to ${entry}`);
  if (note?.standing === 'not_asked') {
    const first = forecast.tier ?? forecast.firstTier;
    const shared = first === forecast.firstTier && first > 0 && note.tier < first;
    const share = shared ? `, by their share of ${(tiers[first]?.share ?? 0) / 100} %` : '';
    return because('later_tier', `${tierText(tiers[first])} are asked first${share}`);
  }
  if (forecast.targetSlot === null) return because('no_pick', 'no target is picked now');
  if (step === 'hit') return because('sticky', `the client's sticky entry leads to ${entry}`);
  const picked = nameOf(forecast.targetSlot) ?? 'another target';
  return because('policy', `${joined.pool.policy.name} takes ${picked}`);
}

function tierText(tier: ChosenTier | undefined): string {
  if (tier === undefined || tier.priority === null) return 'the backups';
  return `those of priority ${tier.priority}`;
}
