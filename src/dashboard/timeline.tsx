// Timeline: how a target stood over time, as one band.
import type { History } from '../model/history.ts';
import type { TargetStanding } from '../model/placement.ts';
import { formatTime } from './format.ts';
import { Standing } from './standing.tsx';

interface Span {
  readonly standing: TargetStanding;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Steps that follow one another and are alike become one span. Pure. */
export function spansOf({ endMs, standing }: Pick<History, 'endMs' | 'standing'>): readonly Span[] {
  const spans: Span[] = [];
  for (const [index, toMs] of endMs.entries()) {
    const is = standing?.[index] ?? null;
    if (is === null) continue;
    const fromMs = endMs[index - 1] ?? toMs - ((endMs[1] ?? toMs) - (endMs[0] ?? toMs));
    const last = spans.at(-1);
    if (last?.standing === is && last.toMs === fromMs) {
      spans[spans.length - 1] = { ...last, toMs };
    } else spans.push({ standing: is, fromMs, toMs });
  }
  return spans;
}

export function Timeline({ history }: { readonly history: History }) {
  const spans = spansOf(history);
  const startMs = spans[0]?.fromMs ?? 0;
  const lengthMs = Math.max(1, (spans.at(-1)?.toMs ?? 0) - startMs);
  const changes = spans.slice(1).toReversed().slice(0, 5);
  return (
    <figure class="timeline">
      <figcaption class="chart-title">health</figcaption>
      <svg viewBox="0 0 1000 18" preserveAspectRatio="none" aria-hidden="true">
        {spans.map(({ standing, fromMs, toMs }) => (
          <rect
            key={fromMs}
            class={`fill ${standing}`}
            x={((fromMs - startMs) * 1000) / lengthMs}
            width={((toMs - fromMs) * 1000) / lengthMs}
            height="18"
          />
        ))}
      </svg>
      <p class="timeline-ends dim">
        <span>{formatTime(startMs)}</span>
        <span>{formatTime(startMs + lengthMs)}</span>
      </p>
      {changes.length > 0 && (
        <ul class="plain">
          {changes.map(({ standing, fromMs }) => (
            <li key={fromMs}>
              {formatTime(fromMs)} <Standing standing={standing} />
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}
