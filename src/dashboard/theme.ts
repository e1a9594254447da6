// Theme: dark or light as the system has it, unless somebody chose here; remembered by the browser.
export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const key = 'sluice.theme';

export function savedTheme(): Theme {
  const saved = localStorage.getItem(key);
  return themes.find((theme) => theme === saved) ?? 'system';
}

export function applyTheme(theme: Theme): void {
  localStorage.setItem(key, theme);
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

/** Never shown: colours of page.css depend on the theme, and are settled only where one is used. */
let probe: HTMLElement | null = null;

/** A colour of page.css as it is now. */
export function colour(name: string): string {
  probe ??= document.head.appendChild(document.createElement('i'));
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}
