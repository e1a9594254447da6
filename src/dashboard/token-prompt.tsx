// TokenPrompt: asks for a token where the admin API wants one.
import { useState } from 'preact/hooks';
import { setToken } from './api.ts';

export interface TokenPromptProps {
  /** What the API said. */
  readonly why: string;
  readonly done: () => void;
}

export function TokenPrompt({ why, done }: TokenPromptProps) {
  const [token, change] = useState('');
  const enter = (event: Event): void => {
    event.preventDefault();
    setToken(token.trim());
    done();
  };
  return (
    <section class="prompt" aria-labelledby="token-title">
      <h1 id="token-title">This sluice wants a token</h1>
      <p role="status">sluice says: {why}.</p>
      <p>
        <label for="token">
          A token of the admin API. It stays in this tab, and is forgotten with it.
        </label>
      </p>
      <form class="row" onSubmit={enter}>
        <input
          id="token"
          type="password"
          autocomplete="off"
          value={token}
          onInput={({ currentTarget }) => change(currentTarget.value)}
        />
        <button type="submit" class="main" disabled={token.trim() === ''}>
          Use it
        </button>
      </form>
    </section>
  );
}
