// PoolView: one pool: its charts, and a table of its targets to search, sort and change.
import { useState } from 'preact/hooks';
import type { PoolOverview, TargetOverview } from '../model/overview.ts';
import type { TargetStanding } from '../model/placement.ts';
import { bytesPerSecond } from './bytes-per-second.ts';
import { formatByteRate, formatCount, formatMs, formatRate } from './format.ts';
import { HistoryCharts } from './history-charts.tsx';
import { Pager, pageOf } from './pager.tsx';
import { hashOf } from './place.ts';
import { countStandings, Standing, StandingBar, standingOrder } from './standing.tsx';
import { TargetActions } from './target-actions.tsx';

const rowsPerPage = 50;

const numberColumns = [
  ['weight', 'weight', ({ weight }: TargetOverview) => weight, formatCount],
  ['open', 'open', ({ active }: TargetOverview) => active, formatCount],
  ['new', 'new', ({ openedPerSecond }: TargetOverview) => openedPerSecond, formatRate],
  ['bytes', 'bytes', bytesPerSecond, formatByteRate],
  ['p95', 'p95', ({ p95Ms }: TargetOverview) => p95Ms, formatMs],
  ['errors', 'errors', ({ errorsPerSecond }: TargetOverview) => errorsPerSecond, formatRate],
] as const;

export interface TargetChoice {
  readonly search: string;
  readonly standing: TargetStanding | '';
  /** `file`: as they are configured. `worst`: the gravest first. Else a column, largest first. */
  readonly sort: string;
}

/** Those that fit, in the wanted order. Pure. */
export function chooseTargets(
  targets: readonly TargetOverview[],
  { search, standing, sort }: TargetChoice,
): readonly TargetOverview[] {
  const wanted = search.toLowerCase();
  const fitting = targets.filter(
    (target) =>
      (standing === '' || target.standing === standing) &&
      (target.name.toLowerCase().includes(wanted) || target.address.toLowerCase().includes(wanted)),
  );
  if (sort === 'file') return fitting;
  if (sort === 'name') return fitting.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (sort === 'worst') {
    const grave = ({ standing: is }: TargetOverview) => standingOrder.indexOf(is);
    return fitting.toSorted((a, b) => grave(b) - grave(a));
  }
  const column = numberColumns.find(([key]) => key === sort);
  if (column === undefined) return fitting;
  const [, , read] = column;
  return fitting.toSorted((a, b) => (read(b) ?? -1) - (read(a) ?? -1));
}

const sorts = [
  ['file', 'as configured'],
  ['worst', 'worst first'],
  ['name', 'by name'],
  ...numberColumns.map(([key, name]) => [key, `most ${name}`] as const),
] as const;

function Choice({
  targets,
  choice,
  choose,
}: {
  readonly targets: readonly TargetOverview[];
  readonly choice: TargetChoice;
  readonly choose: (choice: TargetChoice) => void;
}) {
  return (
    <div class="row">
      <input
        type="search"
        aria-label="search targets by name or address"
        placeholder="name or address"
        value={choice.search}
        onInput={({ currentTarget }) => choose({ ...choice, search: currentTarget.value })}
      />
      <select
        aria-label="show"
        value={choice.standing}
        onChange={({ currentTarget: { value } }) =>
          choose({ ...choice, standing: standingOrder.find((one) => one === value) ?? '' })
        }
      >
        <option value="">all ({targets.length})</option>
        {countStandings(targets).map(([standing, count]) => (
          <option key={standing} value={standing}>
            {standing} ({count})
          </option>
        ))}
      </select>
      <select
        aria-label="order"
        value={choice.sort}
        onChange={({ currentTarget }) => choose({ ...choice, sort: currentTarget.value })}
      >
        {sorts.map(([key, name]) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

function Row({
  pool,
  target,
  done,
}: {
  readonly pool: string;
  readonly target: TargetOverview;
  readonly done: () => void;
}) {
  const { name, address, standing } = target;
  return (
    <tr>
      <th scope="row">
        <a class="name" href={hashOf({ view: 'target', pool, name })}>
          {name}
        </a>
        {address !== name && <span class="dim name"> {address}</span>}
      </th>
      <td data-label="health">
        <Standing standing={standing} />
      </td>
      {numberColumns.map(([key, label, read, format]) => (
        <td key={key} data-label={label} class="number">
          {format(read(target))}
        </td>
      ))}
      <td>
        <TargetActions pool={pool} target={target} done={done} />
      </td>
    </tr>
  );
}

export function PoolView({
  pool,
  done,
}: {
  readonly pool: PoolOverview;
  readonly done: () => void;
}) {
  const [choice, choose] = useState<TargetChoice>({ search: '', standing: '', sort: 'file' });
  const [page, setPage] = useState(0);
  const shown = pageOf(chooseTargets(pool.targets, choice), page, rowsPerPage);
  return (
    <>
      <h1>
        pool <span class="name">{pool.name}</span> <span class="tag">{pool.policy}</span>
      </h1>
      <StandingBar targets={pool.targets} />
      <HistoryCharts subject={`pool:${pool.name}`} />
      <section aria-label="targets">
        <h2>targets</h2>
        <Choice targets={pool.targets} choice={choice} choose={choose} />
        <table class="stack">
          <thead>
            <tr>
              <th scope="col">target</th>
              <th scope="col">health</th>
              {numberColumns.map(([key, label]) => (
                <th key={key} scope="col" class="number">
                  {label}
                </th>
              ))}
              <th scope="col">
                <span class="hidden">actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.items.map((target) => (
              <Row key={target.name} pool={pool.name} target={target} done={done} />
            ))}
          </tbody>
        </table>
        {shown.total === 0 && <p class="dim">No target fits.</p>}
        <Pager {...shown} what="targets" go={setPage} />
      </section>
    </>
  );
}
