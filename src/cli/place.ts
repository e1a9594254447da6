// split-place: POOL/TARGET as the command line has it.

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
