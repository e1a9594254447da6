// Standing: how a target is, as a sign, a colour and a word, never by colour alone.
import type { TargetStanding } from '../model/placement.ts';

const signs: Readonly<Record<TargetStanding, string>> = {
  healthy: '●',
  unknown: '?',
  draining: '◐',
  disabled: '○',
  ejected: '▲',
  unhealthy: '✕',
};

/** In the order in which a bar shows them. */
export const standingOrder: readonly TargetStanding[] = [
  'healthy',
  'unknown',
  'draining',
  'disabled',
  'ejected',
  'unhealthy',
];

export function Standing({ standing }: { readonly standing: TargetStanding }) {
  return (
    <span class={`standing ${standing}`}>
      <span aria-hidden="true">{signs[standing]}</span> {standing}
    </span>
  );
}

export function Sign({ standing }: { readonly standing: TargetStanding }) {
  return (
    <span class={`standing ${standing}`} role="img" aria-label={standing} title={standing}>
      {signs[standing]}
    </span>
  );
}

export function countStandings(
  targets: readonly { readonly standing: TargetStanding }[],
): readonly (readonly [TargetStanding, number])[] {
  return standingOrder
    .map(
      (standing) => [standing, targets.filter((one) => one.standing === standing).length] as const,
    )
    .filter(([, count]) => count > 0);
}

/** How many of a pool's targets are what, as one bar; its words say the same. */
export function StandingBar({
  targets,
}: {
  readonly targets: readonly { readonly standing: TargetStanding }[];
}) {
  const counts = countStandings(targets);
  const words = counts.map(([standing, count]) => `${count} ${standing}`).join(', ');
  return (
    <>
      <span class="bar" aria-hidden="true">
        {counts.map(([standing, count]) => (
          <span key={standing} class={`fill ${standing}`} style={{ flexGrow: count }} />
        ))}
      </span>
      <span class="bar-words">{words === '' ? 'no targets' : words}</span>
    </>
  );
}
