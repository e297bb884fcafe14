// Requests to the daemon with the operator's token, which exists only in this tab (sessionStorage) and is sent in one header. The only
// cookie gives read access to /queues, so a foreign page has nothing to exploit. Addresses are relative to the page, which may be below a
// path of a proxy.

const storageKey = 'ivs-autopilot-token';

export function savedToken(): string | undefined {
  return sessionStorage.getItem(storageKey) ?? undefined;
}

export function saveToken(token: string | undefined): void {
  if (token) sessionStorage.setItem(storageKey, token);
  else sessionStorage.removeItem(storageKey);
}

/** The URL of a path of the daemon, such as `/v1/live`. */
export function below(path: string): string {
  return `.${path}`;
}

interface ProblemBody {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly remedy?: string;
}

/** An answer that is a problem: https://www.rfc-editor.org/rfc/rfc9457. Status 0: there was no answer. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly remedy: string;

  constructor(status: number, body: ProblemBody) {
    super(body.detail ?? body.title ?? `The daemon answered ${status}.`);
    this.status = status;
    this.code = body.code ?? '';
    this.remedy = body.remedy ?? '';
  }
}

/** A problem with what to do about it, in one line. */
export function problemText(problem: unknown): string {
  if (problem instanceof Problem) return [problem.message, problem.remedy].filter(Boolean).join(' ');
  return problem instanceof Error ? problem.message : String(problem);
}

const nameKey = 'ivs-autopilot-name';

/** The name of the person at this browser, if no token says it. */
export function savedName(): string {
  return localStorage.getItem(nameKey) ?? '';
}

export function saveName(name: string): void {
  if (name.trim() === '') localStorage.removeItem(nameKey);
  else localStorage.setItem(nameKey, name.trim());
}

/** Headers of every request. */
export function headers(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const token = savedToken();
  const name = savedName();
  return {
    ...(token ? { authorization: `Bearer ${token}` } : {}),
    ...(name === '' ? {} : { 'x-autopilot-as': encodeURIComponent(name) }),
    ...more,
  };
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that takes longer will not come; a view that waits for it would show old figures forever. */
const mostMs = 30_000;

/** One request; returns the parsed answer. @throws {Problem}, or the signal's reason if it is aborted */
export async function api<T = unknown>(
  method: string,
  path: string,
  { body, signal, headers: more = {} }: RequestOptions = {},
): Promise<T> {
  const init: RequestInit = {
    method,
    headers: headers(body === undefined ? more : { 'content-type': 'application/json', ...more }),
    cache: 'no-store',
  };
  if (body !== undefined) init.body = JSON.stringify(body);
  const late = AbortSignal.timeout(mostMs);
  init.signal = signal ? AbortSignal.any([signal, late]) : late;
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(below(path), init);
    text = await answer.text();
  } catch {
    signal?.throwIfAborted();
    if (!late.aborted) throw new Problem(0, { detail: 'The daemon cannot be reached.' });
    const remedy = method === 'GET' ? '' : 'It may have been done: check before you try again.';
    throw new Problem(0, { detail: 'The daemon did not answer in time.', remedy });
  }
  let parsed: unknown = {};
  try {
    parsed = text === '' ? {} : JSON.parse(text);
  } catch {
    parsed = { detail: text.slice(0, 200) };
  }
  if (!answer.ok) throw new Problem(answer.status, parsed as ProblemBody);
  tellUnasked(parsed);
  return parsed as T;
}

/** Shows a message about accounts that an answer leaves out because their Redis could not be reached. */
let onUnasked: (text: string) => void = () => undefined;

export function whenUnasked(tell: (text: string) => void): void {
  onUnasked = tell;
}

function tellUnasked(answer: unknown): void {
  const { unasked = [] } = (answer ?? {}) as { unasked?: readonly { account: string; reason: string }[] };
  if (unasked.length > 0)
    onUnasked(`Left out, because it could not be reached: ${unasked.map(({ account }) => account).join(', ')}`);
}

const renewMs = 3_600_000;

/**
 * Requests the cookie that opens /queues in this browser, now and every hour; without it the browser asks for the token there. Returns a
 * function that ends this.
 */
export function keepQueuesOpen(): () => void {
  if (savedToken() === undefined) return () => undefined;
  const leaving = new AbortController();
  const ask = () => void api('GET', '/v1/session', { signal: leaving.signal }).catch(() => undefined);
  ask();
  const timer = setInterval(ask, renewMs);
  return () => {
    clearInterval(timer);
    leaving.abort();
  };
}

/** Saves an answer as a file, however long it takes. @throws {Problem} */
export async function download(path: string, file: string): Promise<void> {
  const unreachable = () => {
    throw new Problem(0, { detail: 'The daemon cannot be reached, or stopped sending.' });
  };
  const answer = await fetch(below(path), { headers: headers(), cache: 'no-store' }).catch(unreachable);
  if (!answer.ok) throw new Problem(answer.status, (await answer.json().catch(() => ({}))) as ProblemBody);
  const address = URL.createObjectURL(await answer.blob().catch(unreachable));
  const link = document.createElement('a');
  link.href = address;
  link.download = file;
  link.click();
  // The download began with the click; after that the URL is no longer needed.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** A query string of the parameters that are set. */
export function query(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const set = Object.entries(parameters).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return set.length === 0 ? '' : `?${new URLSearchParams(set).toString()}`;
}
