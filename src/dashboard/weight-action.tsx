// WeightAction: another weight for a target, until the next reload or in the file, too.
import { useState } from 'preact/hooks';
import { patch, targetPath } from './api.ts';
import { Confirm } from './confirm.tsx';

const weightMax = 65_535;

/** What the API takes; null: it would not. Pure. */
export function weightIn(text: string): number | null {
  const weight = /^\d{1,5}$/.test(text.trim()) ? Number(text) : weightMax + 1;
  return weight > weightMax ? null : weight;
}

export interface WeightActionProps {
  readonly pool: string;
  readonly target: { readonly name: string; readonly weight: number };
  /** After a change. */
  readonly done: () => void;
}

function Question({ pool, target, done, close }: WeightActionProps & { close: () => void }) {
  const [text, setText] = useState(String(target.weight));
  const [persist, setPersist] = useState(false);
  const act = async (): Promise<void> => {
    const weight = weightIn(text);
    if (weight === null) throw new Error(`A weight is a whole number from 0 to ${weightMax}.`);
    await patch(targetPath(pool, target.name), { weight, persist });
    done();
  };
  return (
    <Confirm title={`Weight of ${pool}/${target.name}`} verb="Change" act={act} close={close}>
      <p>New clients come in proportion to the weights; with 0, none. Open connections stay.</p>
      <p>
        <label>
          weight{' '}
          <input
            inputMode="numeric"
            size={6}
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </label>
      </p>
      <p>
        <label>
          <input
            type="checkbox"
            checked={persist}
            onChange={({ currentTarget }) => setPersist(currentTarget.checked)}
          />{' '}
          write it to the file, too: else it is gone with the next reload
        </label>
      </p>
    </Confirm>
  );
}

export function WeightAction(props: WeightActionProps) {
  const [asked, setAsked] = useState(false);
  const { pool, target } = props;
  return (
    <>
      <button
        type="button"
        aria-label={`Weight ${pool}/${target.name}`}
        onClick={() => setAsked(true)}
      >
        Weight
      </button>
      {asked && <Question {...props} close={() => setAsked(false)} />}
    </>
  );
}
