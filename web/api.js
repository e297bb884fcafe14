// Requests to the daemon with the operator's token, which lives in this tab only (sessionStorage) and leaves in one header.
// No cookie is used, so a foreign page has nothing to ride on.

const storageKey = 'ivs-autopilot-token';

export function savedToken() {
  return sessionStorage.getItem(storageKey) ?? undefined;
}

export function saveToken(token) {
  if (token) sessionStorage.setItem(storageKey, token);
  else sessionStorage.removeItem(storageKey);
}

/** An answer that is a problem: https://www.rfc-editor.org/rfc/rfc9457 */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? `The daemon answered ${status}.`);
    this.status = status;
    this.code = body.code ?? '';
    this.remedy = body.remedy ?? '';
  }
}

/** Headers of every request. */
export function headers(more = {}) {
  const token = savedToken();
  return token ? { authorization: `Bearer ${token}`, ...more } : more;
}

/** One request; gives the parsed answer. @throws {Problem} */
export async function api(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: headers(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      cache: 'no-store',
    });
  } catch {
    throw new Problem(0, { detail: 'The daemon cannot be reached.' });
  }
  const text = await answer.text();
  let parsed = {};
  try {
    parsed = text === '' ? {} : JSON.parse(text);
  } catch {
    parsed = { detail: text.slice(0, 200) };
  }
  if (!answer.ok) throw new Problem(answer.status, parsed);
  return parsed;
}

/** A query string of the parameters that are set. */
export function query(parameters) {
  const set = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  return set.length === 0 ? '' : `?${new URLSearchParams(set)}`;
}
