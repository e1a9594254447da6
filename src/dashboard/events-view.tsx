// EventsView: what sluice has said since it started, as far as it remembers; the newest first.
import { useState } from 'preact/hooks';
import { eventText } from './event-text.ts';
import type { SluiceEvent } from './follow-events.ts';
import { formatTime } from './format.ts';
import { Pager, pageOf } from './pager.tsx';

const rowsPerPage = 50;

function EventRow({ event }: { readonly event: SluiceEvent }) {
  const { what, whom, rest } = eventText(event);
  return (
    <li class={event.level ?? 'info'}>
      <time class="dim">{formatTime(event.time)}</time>
      <span class="name">
        {what} <b>{whom}</b> <span class="dim">{rest}</span>
      </span>
    </li>
  );
}

export function EventList({ events }: { readonly events: readonly SluiceEvent[] }) {
  return (
    <ol class="events plain">
      {events.map((event, index) => (
        <EventRow key={`${event.time}${index}`} event={event} />
      ))}
    </ol>
  );
}

export function EventsView({ events }: { readonly events: readonly SluiceEvent[] }) {
  const [page, setPage] = useState(0);
  const shown = pageOf(events, page, rowsPerPage);
  return (
    <>
      <h1>events</h1>
      {events.length === 0 ? <p class="dim">None so far.</p> : <EventList events={shown.items} />}
      <Pager {...shown} what="events" go={setPage} />
    </>
  );
}
