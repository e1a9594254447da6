// HistoryCharts: the charts of one listener, pool or target, or of all, for two minutes or an hour.
import { useState } from 'preact/hooks';
import { type History, type HistoryWindow, historyWindows } from '../model/history.ts';
import { part } from './api.ts';
import { Chart } from './chart.tsx';
import { formatByteRate, formatCount, formatMs, formatRate } from './format.ts';
import { Timeline } from './timeline.tsx';
import { useAnswer } from './use-answer.ts';

const names: Readonly<Record<HistoryWindow, string>> = { '2m': '2 minutes', '1h': '1 hour' };
const spanMs: Readonly<Record<HistoryWindow, number>> = { '2m': 120_000, '1h': 3_600_000 };
const everyMs: Readonly<Record<HistoryWindow, number>> = { '2m': 1000, '1h': 10_000 };

function Charts({ history }: { readonly history: History }) {
  const time = { endMs: history.endMs, spanMs: spanMs[history.window] };
  const hasTimes = !history.subject.startsWith('listener:');
  return (
    <div class="charts">
      <Chart
        title="open"
        {...time}
        format={formatCount}
        lines={[{ label: 'open', colour: 'blue', values: history.active }]}
      />
      <Chart
        title="new"
        {...time}
        format={formatRate}
        lines={[{ label: 'new', colour: 'blue', values: history.openedPerSecond }]}
      />
      <Chart
        title="bytes"
        {...time}
        format={formatByteRate}
        lines={[
          { label: 'to target', colour: 'blue', values: history.toTargetBytesPerSecond },
          { label: 'to client', colour: 'teal', values: history.toClientBytesPerSecond },
        ]}
      />
      {hasTimes && (
        <Chart
          title="response time"
          {...time}
          format={formatMs}
          lines={[
            { label: 'p50', colour: 'teal', values: history.p50Ms },
            { label: 'p95', colour: 'blue', values: history.p95Ms },
            { label: 'p99', colour: 'violet', values: history.p99Ms },
          ]}
        />
      )}
      <Chart
        title="errors"
        {...time}
        format={formatRate}
        lines={[{ label: 'errors', colour: 'red', values: history.errorsPerSecond }]}
      />
    </div>
  );
}

/** `subject` as in GET /api/v1/history; `again` as in useAnswer. */
export function HistoryCharts({
  subject,
  again,
}: {
  readonly subject: string;
  readonly again?: unknown;
}) {
  const [window, setWindow] = useState<HistoryWindow>('2m');
  const path = `history?subject=${part(subject)}&window=${window}`;
  const { value, error } = useAnswer<History>(path, everyMs[window], again);
  return (
    <section class="history" aria-label="history">
      <div class="row">
        <fieldset class="switch">
          <legend class="hidden">window of time</legend>
          {historyWindows.map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={each === window}
              onClick={() => setWindow(each)}
            >
              {names[each]}
            </button>
          ))}
        </fieldset>
      </div>
      {value === null ? (
        <p class="dim">{error?.message ?? 'loading'}</p>
      ) : (
        <>
          {value.standing !== null && <Timeline history={value} />}
          <Charts key={`${value.window} ${subject}`} history={value} />
        </>
      )}
    </section>
  );
}
