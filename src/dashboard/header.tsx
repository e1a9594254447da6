// Header: where one is, whether sluice answers, and which theme.
import { useEffect, useState } from 'preact/hooks';
import type { LiveState } from './live.ts';
import { hashOf, type Place, topViews } from './place.ts';
import { applyTheme, savedTheme, type Theme, themes } from './theme.ts';

function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(savedTheme);
  useEffect(() => applyTheme(theme), [theme]);
  return (
    <select
      aria-label="theme"
      value={theme}
      onChange={({ currentTarget: { value } }) =>
        setTheme(themes.find((each) => each === value) ?? 'system')
      }
    >
      {themes.map((each) => (
        <option key={each} value={each}>
          {each}
        </option>
      ))}
    </select>
  );
}

export function connectionText({ connection, why, overview }: LiveState): string {
  if (connection === 'lost') return `${why}; trying again`;
  if (connection === 'locked') return 'a token is needed';
  if (connection === 'live' && overview?.ready === false) {
    return `live; not ready: ${overview.missing.join(', ')}`;
  }
  return connection;
}

export function Header({ place, state }: { readonly place: Place; readonly state: LiveState }) {
  return (
    <header>
      <a class="brand" href={hashOf({ view: 'overview' })}>
        sluice <span class="dim">{state.overview?.version}</span>
      </a>
      <nav aria-label="views">
        {topViews.map((view) => (
          <a
            key={view}
            href={hashOf({ view })}
            aria-current={place.view === view ? 'page' : undefined}
          >
            {view}
          </a>
        ))}
      </nav>
      <span class={`connection ${state.connection}`} role="status">
        {connectionText(state)}
      </span>
      <ThemeSwitch />
    </header>
  );
}
