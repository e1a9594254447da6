// ListenerView: one listener: where clients arrive, and how that has been.
import type { ListenerOverview } from '../model/overview.ts';
import { HistoryCharts } from './history-charts.tsx';
import { hashOf } from './place.ts';

export function ListenerView({ listener }: { readonly listener: ListenerOverview }) {
  const { name, protocol, addresses, pool } = listener;
  return (
    <>
      <h1>
        listener <span class="name">{name}</span> <span class="tag">{protocol}</span>
      </h1>
      <p>
        <span class="name">{addresses.join(', ')}</span>
        {' to pool '}
        <a class="name" href={hashOf({ view: 'pool', name: pool })}>
          {pool}
        </a>
      </p>
      <HistoryCharts subject={`listener:${name}`} />
    </>
  );
}
