// Place: a target as the command line has it, POOL/TARGET, and where the admin API has it.

export interface Place {
  readonly pool: string;
  readonly target: string;
}

/** A pool's name has no slash; a target's may, such as that of a unix socket. null: it is none. */
export function splitPlace(place: string): Place | null {
  const slash = place.indexOf('/');
  if (slash < 1 || slash === place.length - 1) return null;
  return { pool: place.slice(0, slash), target: place.slice(slash + 1) };
}

export function targetPath({ pool, target }: Place): string {
  return `/api/v1/pools/${encodeURIComponent(pool)}/targets/${encodeURIComponent(target)}`;
}
