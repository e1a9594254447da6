// useAnswer: what the admin API answers to a path, asked again and again while a view is shown.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, get } from './api.ts';

export interface Answer<T> {
  /** The last one; null before the first, and for another path. */
  readonly value: T | null;
  readonly error: ApiError | null;
}

const none = { path: '', value: null, error: null };

/** `again`: asks at once when it changes. An error keeps the last value. */
export function useAnswer<T>(path: string, everyMs: number, again: unknown = null): Answer<T> {
  const [state, setState] = useState<Answer<T> & { readonly path: string }>(none);
  useEffect(() => {
    let timer = 0;
    let over = false;
    const ask = async (): Promise<void> => {
      const startedMs = performance.now();
      try {
        const value = await get<T>(path);
        if (!over) setState({ path, value, error: null });
      } catch (error) {
        const known = error instanceof ApiError ? error : new ApiError(0, String(error));
        if (!over) {
          setState((before) => ({
            path,
            value: before.path === path && known.status !== 404 ? before.value : null,
            error: known,
          }));
        }
      }
      const tookMs = performance.now() - startedMs;
      if (!over) timer = window.setTimeout(ask, Math.max(everyMs, 5 * tookMs));
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [path, everyMs, again]);
  return state.path === path ? state : none;
}
