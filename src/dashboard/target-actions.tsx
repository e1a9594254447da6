// TargetActions: what can be done to a target, each after a question that says what will happen.
import { useState } from 'preact/hooks';
import type { TargetStanding } from '../model/placement.ts';
import { post, targetPath } from './api.ts';
import { Confirm } from './confirm.tsx';
import { formatCount } from './format.ts';
import { WeightAction } from './weight-action.tsx';

type Verb = 'enable' | 'drain' | 'disable';

const words: Readonly<Record<Verb, string>> = {
  enable: 'Enable',
  drain: 'Drain',
  disable: 'Disable',
};

const consequences: Readonly<Record<Verb, (open: string) => string>> = {
  enable: () =>
    'It takes new clients again as soon as it is healthy. A drain that is under way ends.',
  drain: (open) =>
    `It takes no new clients. Its ${open} open connections may end by themselves until the ` +
    'deadline of the pool; what is left then is closed. Probes go on.',
  disable: (open) =>
    `It takes no new clients and is no longer probed. Its ${open} open connections stay.`,
};

function verbsFor(standing: TargetStanding): readonly Verb[] {
  if (standing === 'disabled') return ['enable'];
  if (standing === 'draining') return ['enable', 'disable'];
  return ['drain', 'disable'];
}

export interface TargetActionsProps {
  readonly pool: string;
  readonly target: {
    readonly name: string;
    readonly standing: TargetStanding;
    readonly active: number | null;
    readonly weight: number;
  };
  /** After a change. */
  readonly done: () => void;
}

export function TargetActions({ pool, target, done }: TargetActionsProps) {
  const [asked, setAsked] = useState<Verb | null>(null);
  const act = async (verb: Verb): Promise<void> => {
    await post(`${targetPath(pool, target.name)}/${verb}`, {});
    done();
  };
  return (
    <span class="actions">
      {verbsFor(target.standing).map((verb) => (
        <button
          key={verb}
          type="button"
          aria-label={`${words[verb]} ${pool}/${target.name}`}
          onClick={() => setAsked(verb)}
        >
          {words[verb]}
        </button>
      ))}
      <WeightAction pool={pool} target={target} done={done} />
      {asked !== null && (
        <Confirm
          title={`${words[asked]} ${pool}/${target.name}?`}
          verb={words[asked]}
          act={() => act(asked)}
          close={() => setAsked(null)}
        >
          <p>{consequences[asked](formatCount(target.active))}</p>
        </Confirm>
      )}
    </span>
  );
}
