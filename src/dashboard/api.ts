// Asks the admin API that serves this page. A token, where one is wanted, is kept for this tab
// only: in its session storage, and nowhere else.
const tokenKey = 'sluice.token';

/** The API said no, or did not answer (`status` 0). */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function setToken(token: string): void {
  sessionStorage.setItem(tokenKey, token);
}

export function authorization(): Record<string, string> {
  const token = sessionStorage.getItem(tokenKey);
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** Longer than any answer takes, so that a page finds out that nobody is there. */
const answerTimeoutMs = 10_000;

function errorIn(body: unknown): string | null {
  const said = typeof body === 'object' && body !== null && 'error' in body ? body.error : null;
  return typeof said === 'string' ? said : null;
}

async function ask(path: string, init: RequestInit): Promise<unknown> {
  const token = sessionStorage.getItem(tokenKey);
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(`/api/v1/${path}`, {
      ...init,
      cache: 'no-store',
      signal: AbortSignal.timeout(answerTimeoutMs),
      headers: { ...authorization(), ...init.headers },
    });
    body = response.headers.get('content-type')?.startsWith('application/json')
      ? await response.json()
      : null;
  } catch {
    const doubt = init.method === undefined ? '' : ': it may have been done all the same';
    throw new ApiError(0, `sluice does not answer${doubt}`);
  }
  // A wrong token is not shown twice: sluice slows down whoever tries many. By now there may be
  // another one.
  if (response.status === 401 && sessionStorage.getItem(tokenKey) === token) {
    sessionStorage.removeItem(tokenKey);
  }
  if (!response.ok) throw new ApiError(response.status, errorIn(body) ?? response.statusText);
  return body;
}

/** The answer is what the API's document says of `path`: the caller names its type. */
export async function get<Answer>(path: string): Promise<Answer> {
  return (await ask(path, {})) as Answer;
}

async function send(method: 'POST' | 'PATCH', path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  await ask(path, { method, headers, body: JSON.stringify(body) });
}

export const post = (path: string, body: object): Promise<void> => send('POST', path, body);
export const patch = (path: string, body: object): Promise<void> => send('PATCH', path, body);

/** One part of a path. */
export const part = encodeURIComponent;

export const targetPath = (pool: string, target: string): string =>
  `pools/${part(pool)}/targets/${part(target)}`;
