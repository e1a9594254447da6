// Flow: from listeners through pools to targets, at a glance: one lane for each pool.
import { useState } from 'preact/hooks';
import type {
  ListenerOverview,
  Overview,
  PoolOverview,
  TargetOverview,
} from '../model/overview.ts';
import { bytesPerSecond } from './bytes-per-second.ts';
import { formatByteRate, formatCount, formatMs, formatRate } from './format.ts';
import { Pager, pageOf } from './pager.tsx';
import { hashOf } from './place.ts';
import { Sign, StandingBar, standingOrder } from './standing.tsx';

/** Beyond this a pool shows a square for each target, and the worst as cards. */
const cardsMax = 12;
const worstMax = 4;
const squaresMax = 2000;
const lanesPerPage = 25;

function ListenerCard({ listener }: { readonly listener: ListenerOverview }) {
  const { name, protocol, addresses, active, openedPerSecond } = listener;
  return (
    <a class="card" href={hashOf({ view: 'listener', name })}>
      <span class="card-head">
        <b class="name">{name}</b> <span class="tag">{protocol}</span>
      </span>
      <span class="dim name">{addresses.join(', ')}</span>
      <span class="numbers">
        <span>{formatCount(active)} open</span>
        <span>{formatRate(openedPerSecond)}</span>
        <span>{formatByteRate(bytesPerSecond(listener))}</span>
      </span>
    </a>
  );
}

function PoolCard({ pool }: { readonly pool: PoolOverview }) {
  const eligible = pool.targets.filter((target) => target.eligible).length;
  const none = eligible === 0 ? ' alarm' : '';
  return (
    <a class={`card${none}`} href={hashOf({ view: 'pool', name: pool.name })}>
      <span class="card-head">
        <b class="name">{pool.name}</b> <span class="tag">{pool.policy}</span>
      </span>
      <StandingBar targets={pool.targets} />
      <span class="numbers">
        <span>{formatCount(pool.active)} open</span>
        <span>{formatRate(pool.openedPerSecond)}</span>
        <span>p95 {formatMs(pool.p95Ms)}</span>
        {(pool.errorsPerSecond ?? 0) > 0 && (
          <span class="error">{formatRate(pool.errorsPerSecond)} errors</span>
        )}
      </span>
    </a>
  );
}

function TargetCard({ pool, target }: { readonly pool: string; readonly target: TargetOverview }) {
  const { name, standing, active, openedPerSecond, p95Ms } = target;
  return (
    <a class={`card small ${standing}`} href={hashOf({ view: 'target', pool, name })}>
      <span class="card-head">
        <Sign standing={standing} /> <b class="name">{name}</b>
      </span>
      <span class="numbers">
        <span>{formatCount(active)} open</span>
        <span>{formatRate(openedPerSecond)}</span>
        <span>{formatMs(p95Ms)}</span>
      </span>
    </a>
  );
}

/** The gravest first. Pure. */
export function worstOf(
  targets: readonly TargetOverview[],
  count: number,
): readonly TargetOverview[] {
  return targets
    .filter(({ standing }) => standing !== 'healthy')
    .toSorted((a, b) => standingOrder.indexOf(b.standing) - standingOrder.indexOf(a.standing))
    .slice(0, count);
}

/** One small square per target; the same is in the table of the pool, for keyboards too. */
function Squares({ targets }: { readonly targets: readonly TargetOverview[] }) {
  return (
    <span class="squares" aria-hidden="true">
      {targets.slice(0, squaresMax).map(({ name, standing }) => (
        <span key={name} class={`fill ${standing}`} title={`${name}: ${standing}`} />
      ))}
    </span>
  );
}

function Targets({ pool }: { readonly pool: PoolOverview }) {
  const { name, targets } = pool;
  if (targets.length <= cardsMax) {
    return (
      <div class="cards">
        {targets.map((target) => (
          <TargetCard key={target.name} pool={name} target={target} />
        ))}
      </div>
    );
  }
  const squares = targets.length > squaresMax ? ` (squares: the first ${squaresMax})` : '';
  return (
    <div>
      <Squares targets={targets} />
      <div class="cards">
        {worstOf(targets, worstMax).map((target) => (
          <TargetCard key={target.name} pool={name} target={target} />
        ))}
      </div>
      <a href={hashOf({ view: 'pool', name })}>
        all {targets.length} targets{squares}
      </a>
    </div>
  );
}

export function Flow({ overview }: { readonly overview: Overview }) {
  const [page, setPage] = useState(0);
  const { pools, listeners } = overview;
  const shown = pageOf(pools, page, lanesPerPage);
  return (
    <section aria-labelledby="flow">
      <div class="lane lane-head dim" aria-hidden="true">
        <span>listeners</span>
        <span>pools</span>
        <span>targets</span>
      </div>
      <h2 id="flow" class="hidden">
        Listeners, pools and targets
      </h2>
      {shown.items.map((pool) => (
        <article key={pool.name} class="lane" aria-label={`pool ${pool.name}`}>
          <div class="cards one">
            {listeners
              .filter((listener) => listener.pool === pool.name)
              .map((listener) => (
                <ListenerCard key={listener.name} listener={listener} />
              ))}
          </div>
          <div class="cards one to">
            <PoolCard pool={pool} />
          </div>
          <div class="to">
            <Targets pool={pool} />
          </div>
        </article>
      ))}
      <Pager {...shown} what="pools" go={setPage} />
    </section>
  );
}
