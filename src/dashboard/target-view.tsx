// TargetView: one target: what is known of it, what can be done to it, and how it has been.
import type { TargetOverview } from '../model/overview.ts';
import type { TargetStatus } from '../model/status.ts';
import { targetPath } from './api.ts';
import { formatCount, formatMs, formatTime } from './format.ts';
import { HistoryCharts } from './history-charts.tsx';
import { hashOf } from './place.ts';
import { Standing } from './standing.tsx';
import { TargetActions } from './target-actions.tsx';
import { useAnswer } from './use-answer.ts';

const detailEveryMs = 1000;

function factsOf(status: TargetStatus): readonly (readonly [string, string])[] {
  const { drain, ejection, certificateExpires, responses } = status;
  const reason = [status.healthReason, status.healthDetail].filter((text) => text !== '');
  const facts: (readonly [string, string])[] = [
    ['address', status.address],
    ['resolved', status.resolved ?? 'not resolved'],
    ['health', [status.health as string, ...reason].join(': ')],
    ['since', formatTime(status.healthSince ?? undefined)],
    ['last good probe', formatMs(status.probeLatencyMs)],
    ['admin state', status.adminState],
    ['weight', String(status.effectiveWeight)],
    ['priority', status.backup ? 'backup' : String(status.priority ?? 0)],
    ['open', formatCount(status.active)],
    ['waiting for an answer', formatCount(status.activeTurns)],
    ['limit', status.maxConnections === 0 ? 'none' : formatCount(status.maxConnections)],
    ['p50, p95, p99', [responses.p50Ms, responses.p95Ms, responses.p99Ms].map(formatMs).join(', ')],
  ];
  if (status.role !== '') facts.push(['role', status.role]);
  if (ejection !== null) {
    facts.push(['ejected', `${ejection.reason}, until ${formatTime(ejection.until)}`]);
  }
  if (drain !== null) {
    const deadline = drain.deadline === null ? 'no deadline' : formatTime(drain.deadline);
    facts.push(['drain', `${drain.phase} (${deadline}), ${drain.closed} closed`]);
  }
  if (certificateExpires !== null) facts.push(['certificate expires', certificateExpires]);
  return facts;
}

function Facts({ status }: { readonly status: TargetStatus }) {
  return (
    <dl class="facts">
      {factsOf(status).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="name">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export interface TargetViewProps {
  readonly pool: string;
  readonly target: TargetOverview;
  readonly done: () => void;
}

export function TargetView({ pool, target, done }: TargetViewProps) {
  const { name, standing } = target;
  const path = targetPath(pool, name);
  const { value, error } = useAnswer<TargetStatus>(path, detailEveryMs, standing);
  return (
    <>
      <h1>
        target <span class="name">{name}</span> of{' '}
        <a class="name" href={hashOf({ view: 'pool', name: pool })}>
          {pool}
        </a>
      </h1>
      <div class="row">
        <Standing standing={standing} />
        <TargetActions pool={pool} target={target} done={done} />
      </div>
      {value === null ? <p class="dim">{error?.message ?? 'loading'}</p> : <Facts status={value} />}
      <HistoryCharts subject={`target:${pool}/${name}`} again={standing} />
    </>
  );
}
