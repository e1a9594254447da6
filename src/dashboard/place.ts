// Place: which view the page shows, as the part of its address after `#` says. Names may hold any
// character, so each is one encoded part.
/** Views that are one of a kind, in the order of the page's menu. */
export const topViews = ['overview', 'events', 'config'] as const;
export type TopView = (typeof topViews)[number];

export type Place =
  | { readonly view: TopView }
  | { readonly view: 'listener' | 'pool'; readonly name: string }
  | { readonly view: 'target'; readonly pool: string; readonly name: string };

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function placeOf(hash: string): Place {
  const [view = '', first = '', second = ''] = hash.replace(/^#\/?/, '').split('/').map(decoded);
  if ((view === 'listener' || view === 'pool') && first !== '') return { view, name: first };
  if (view === 'target' && second !== '') return { view, pool: first, name: second };
  return { view: topViews.find((each) => each === view) ?? 'overview' };
}

export function hashOf(place: Place): string {
  const parts =
    place.view === 'target'
      ? [place.view, place.pool, place.name]
      : 'name' in place
        ? [place.view, place.name]
        : [place.view];
  return `#/${parts.map(encodeURIComponent).join('/')}`;
}
