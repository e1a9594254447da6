// ConfigView: the configuration that runs, where it differs from its file, and what is wrong with
// the file if the last reload refused it.
import { useState } from 'preact/hooks';
import type { Drift, RefusedFile } from '../model/config-change.ts';
import { post } from './api.ts';
import { Confirm } from './confirm.tsx';
import { formatTime } from './format.ts';
import { Pager, pageOf } from './pager.tsx';
import { useAnswer } from './use-answer.ts';

/** The body of GET /api/v1/config. */
interface ConfigAnswer {
  readonly revision: string;
  readonly text: string;
  readonly drift: readonly Drift[];
  readonly refused: Refusal | null;
}

type Refusal = Omit<RefusedFile, 'time'> & { readonly time: string };

/** Events tell of most changes; this is for what they do not tell. */
const everyMs = 10_000;
const linesPerPage = 500;

function ProblemItem({ problem }: { readonly problem: Refusal['problems'][number] }) {
  const { line, column, path, message, code, source } = problem;
  return (
    <li class="problem">
      <p>
        {line > 0 && (
          <b>
            line {line}, column {column}
            {': '}
          </b>
        )}
        <span class="name">{path}</span> <span class="error">{message}</span>{' '}
        <span class="dim">{code}</span>
      </p>
      {source !== '' && (
        <pre>
          {source}
          {'\n'}
          <span class="error" aria-hidden="true">
            {' '.repeat(Math.max(0, column - 1))}^
          </span>
        </pre>
      )}
    </li>
  );
}

function Refused({ refused }: { readonly refused: Refusal }) {
  return (
    <section class="refused" aria-labelledby="refused">
      <h2 id="refused">The file has errors</h2>
      <p>
        {formatTime(refused.time)}: {refused.message}. What is shown below runs on.
      </p>
      <ul class="plain">
        {refused.problems.map((problem) => (
          <ProblemItem
            key={`${problem.line}:${problem.column} ${problem.code}`}
            problem={problem}
          />
        ))}
      </ul>
    </section>
  );
}

function DriftTable({ drift }: { readonly drift: readonly Drift[] }) {
  if (drift.length === 0) {
    return <p class="dim">What runs is what the file said when it was last taken.</p>;
  }
  return (
    <table class="stack">
      <caption class="hidden">Where what runs is not what the file says</caption>
      <thead>
        <tr>
          {['setting', 'change', 'in the file', 'running'].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {drift.map(({ kind, path, file, running }) => (
          <tr key={path}>
            <th scope="row" class="name">
              {path}
            </th>
            <td>{kind}</td>
            <td data-label="file">{file === '' ? '-' : file}</td>
            <td data-label="running">{running === '' ? '-' : running}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Text({ text }: { readonly text: string }) {
  const [page, setPage] = useState(0);
  const shown = pageOf(text.replace(/\n$/, '').split('\n'), page, linesPerPage);
  return (
    <>
      <ol class="source" start={shown.from + 1} aria-label="text of the configuration">
        {shown.items.map((line, index) => (
          <li key={shown.from + index}>{line}</li>
        ))}
      </ol>
      <Pager {...shown} what="lines" go={setPage} />
    </>
  );
}

function ReloadAction({ done }: { readonly done: () => void }) {
  const [asked, setAsked] = useState(false);
  const act = async (): Promise<void> => {
    try {
      await post('reload', {});
    } finally {
      done();
    }
  };
  return (
    <>
      <button type="button" onClick={() => setAsked(true)}>
        Reload
      </button>
      {asked && (
        <Confirm title="Reload the file?" verb="Reload" act={act} close={() => setAsked(false)}>
          <p>
            sluice reads its file again. What was changed at run time and not kept in the file is
            gone; connections stay. A file with errors changes nothing.
          </p>
        </Confirm>
      )}
    </>
  );
}

/** `again`: as in useAnswer. */
export function ConfigView({ again }: { readonly again: unknown }) {
  const [reloads, setReloads] = useState(0);
  const { value, error } = useAnswer<ConfigAnswer>('config', everyMs, `${again} ${reloads}`);
  return (
    <>
      <h1>config {value !== null && <span class="tag">revision {value.revision}</span>}</h1>
      {value === null ? (
        <p class="dim">{error?.message ?? 'loading'}</p>
      ) : (
        <>
          <div class="row">
            <ReloadAction done={() => setReloads(reloads + 1)} />
          </div>
          {value.refused !== null && <Refused refused={value.refused} />}
          <h2>file and process</h2>
          <DriftTable drift={value.drift} />
          <h2>what runs</h2>
          <Text text={value.text} />
        </>
      )}
    </>
  );
}
