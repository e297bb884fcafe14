// Where the page is: the part of the address behind `#`, such as `#/decisions?rule=starving-slate`. It alone determines what is shown;
// every choice (a filter, a search, a range of time) is in it.
import { signal } from '@preact/signals';

export interface Route {
  /** First part of the path; '' is the streams. */
  readonly page: string;
  /** The rest of the path: an ARN, an id. */
  readonly arg: string;
  readonly params: Readonly<Record<string, string>>;
}

type Params = Readonly<Record<string, string | undefined>>;

export const route = signal<Route>(parse(location.hash));

/** Follows the address bar. Returns a function that stops this. */
export function followAddress(): () => void {
  const look = () => {
    route.value = parse(location.hash);
  };
  look();
  addEventListener('hashchange', look);
  return () => removeEventListener('hashchange', look);
}

function parse(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/');
  return { page, arg: decoded(rest.join('/')), params: Object.fromEntries(new URLSearchParams(search)) };
}

/** What a person typed into the address bar may not be validly encoded: then it is taken as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a view: `href('stream', arn)`, `href('decisions', '', { rule })`. Parameters that are not set are left out. */
export function href(page: string, arg = '', params: Params = {}): string {
  const set = Object.entries(params).flatMap(([name, value]): [string, string][] => (value ? [[name, value]] : []));
  const search = set.length === 0 ? '' : `?${new URLSearchParams(set).toString()}`;
  return `#/${page}${arg === '' ? '' : `/${encodeURIComponent(arg)}`}${search}`;
}

/** Opens another view, at once: the next key already belongs to it. */
export function go(address: string): void {
  if (address === location.hash) return;
  history.pushState(null, '', address);
  route.value = parse(address);
}

/**
 * Changes parameters of the present view; '' and undefined remove one. A changed choice begins at the first page of its list, which is
 * without `after`. `typing` replaces the entry in the history: going back
 * leads to the previous view, not through every letter.
 */
export function setParams(changes: Params, { typing = false } = {}): void {
  const { page, arg, params } = route.peek();
  const address = href(page, arg, { ...params, after: '', ...changes });
  if (typing) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  route.value = parse(address);
}
