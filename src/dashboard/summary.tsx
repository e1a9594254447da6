// Summary: all of sluice in a few large numbers, above everything else.
import type { Overview } from '../model/overview.ts';
import { formatByteRate, formatCount, formatMs, formatRate } from './format.ts';
import { StandingBar } from './standing.tsx';

function Tile({ name, value, alarm }: { name: string; value: string; alarm?: boolean }) {
  return (
    <div class={alarm === true ? 'tile alarm' : 'tile'}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

export function Summary({ overview }: { readonly overview: Overview }) {
  const { total, pools } = overview;
  const targets = pools.flatMap((pool) => pool.targets);
  return (
    <section aria-label="summary" class="summary">
      <dl class="tiles">
        <Tile name="open" value={formatCount(total.active)} />
        <Tile name="new" value={formatRate(total.openedPerSecond)} />
        <Tile name="to targets" value={formatByteRate(total.toTargetBytesPerSecond)} />
        <Tile name="to clients" value={formatByteRate(total.toClientBytesPerSecond)} />
        <Tile name="response p95" value={formatMs(total.p95Ms)} />
        <Tile
          name="errors"
          value={formatRate(total.errorsPerSecond)}
          alarm={(total.errorsPerSecond ?? 0) > 0}
        />
        <div class="tile wide">
          <dt>{targets.length} targets</dt>
          <dd>
            <StandingBar targets={targets} />
          </dd>
        </div>
      </dl>
    </section>
  );
}
