// Page: the frame around all views, and which of them is shown.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Overview } from '../model/overview.ts';
import { ConfigView } from './config-view.tsx';
import { EventList, EventsView } from './events-view.tsx';
import { Flow } from './flow.tsx';
import { connectionText, Header } from './header.tsx';
import { HistoryCharts } from './history-charts.tsx';
import { ListenerView } from './listener-view.tsx';
import { Live, type LiveState, nothingYet } from './live.ts';
import { hashOf, type Place, placeOf } from './place.ts';
import { PoolView } from './pool-view.tsx';
import { Summary } from './summary.tsx';
import { TargetView } from './target-view.tsx';
import { TokenPrompt } from './token-prompt.tsx';

const newestEvents = 8;
/** After which the configuration, or what is known of its file, may be another one. */
const reloadEvents: ReadonlySet<string> = new Set(['ready', 'reload_applied', 'reload_refused']);

function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const follow = (): void => setPlace(placeOf(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return place;
}

function useLive(): { readonly state: LiveState; readonly live: Live | null } {
  const [state, setState] = useState<LiveState>(nothingYet);
  const [live, setLive] = useState<Live | null>(null);
  useEffect(() => {
    const made = new Live(setState);
    setLive(made);
    return () => made.close();
  }, []);
  return { state, live };
}

function Gone({ what }: { readonly what: string }) {
  return (
    <p>
      There is no {what} now. <a href="#/overview">To the overview</a>
    </p>
  );
}

function RefusedNote() {
  return (
    <p class="note" role="alert">
      The file has errors: the last reload was refused, and what ran before runs on.{' '}
      <a href={hashOf({ view: 'config' })}>See them</a>
    </p>
  );
}

function OverviewView({ state }: { readonly state: LiveState }) {
  const { overview, events } = state;
  if (overview === null) return null;
  return (
    <>
      <h1 class="hidden">overview</h1>
      <Summary overview={overview} />
      <Flow overview={overview} />
      <h2>all together</h2>
      <HistoryCharts subject="total" />
      <h2>newest events</h2>
      <EventList events={events.slice(0, newestEvents)} />
    </>
  );
}

interface ViewProps {
  readonly place: Place;
  readonly state: LiveState;
  readonly overview: Overview;
  readonly done: () => void;
}

function View({ place, state, overview, done }: ViewProps) {
  const { listeners, pools } = overview;
  if (place.view === 'events') return <EventsView events={state.events} />;
  if (place.view === 'config') {
    const reload = state.events.find(({ event }) => reloadEvents.has(event));
    return <ConfigView again={reload?.time} />;
  }
  if (place.view === 'listener') {
    const listener = listeners.find(({ name }) => name === place.name);
    if (listener === undefined) return <Gone what={`listener ${place.name}`} />;
    return <ListenerView key={place.name} listener={listener} />;
  }
  if (place.view === 'pool') {
    const pool = pools.find(({ name }) => name === place.name);
    if (pool === undefined) return <Gone what={`pool ${place.name}`} />;
    return <PoolView key={place.name} pool={pool} done={done} />;
  }
  if (place.view === 'target') {
    const pool = pools.find(({ name }) => name === place.pool);
    const target = pool?.targets.find(({ name }) => name === place.name);
    if (target === undefined) return <Gone what={`target ${place.pool}/${place.name}`} />;
    return <TargetView key={hashOf(place)} pool={place.pool} target={target} done={done} />;
  }
  return <OverviewView state={state} />;
}

export function Page() {
  const place = usePlace();
  const { state, live } = useLive();
  const main = useRef<HTMLElement>(null);
  const hash = hashOf(place);
  const isFirst = useRef(true);
  // A new view begins at its top, for eyes and for screen readers.
  useEffect(() => {
    document.title = `sluice ${place.view}`;
    if (isFirst.current) isFirst.current = false;
    else main.current?.focus();
  }, [hash]);
  const look = (): void => live?.look();
  return (
    <>
      <Header place={place} state={state} />
      <main ref={main} tabIndex={-1} class={state.connection}>
        {state.overview?.fileRefused && place.view !== 'config' && <RefusedNote />}
        {state.connection === 'locked' ? (
          <TokenPrompt why={state.why} done={look} />
        ) : state.overview === null ? (
          <p class="dim">{connectionText(state)}</p>
        ) : (
          <View place={place} state={state} overview={state.overview} done={look} />
        )}
      </main>
    </>
  );
}
