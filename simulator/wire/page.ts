// Pages of lists. A token is opaque to clients: it names its list and the last item returned, so it stays valid while items come and go,
// and a token of another list or filter is refused.

import { invalid } from '../errors.ts';

interface Numbered {
  readonly seq: number;
}

/** The page members of a request. */
export interface PageRequest {
  readonly nextToken?: string;
  readonly maxResults?: number;
}

const encode = (scope: string, seq: number): string => Buffer.from(JSON.stringify([scope, seq])).toString('base64url');

function decode(scope: string, token: string): number {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (Array.isArray(parsed) && parsed[0] === scope && Number.isInteger(parsed[1])) return parsed[1] as number;
  } catch {
    // Falls through to the one answer for every bad token.
  }
  throw invalid('Invalid nextToken');
}

/**
 * One page of `items`, which must come in the order of `seq`. `scope` names the list and its filters.
 * An empty token means the first page. Returns the items and, when more are left, the token of the next page.
 */
export function page<T extends Numbered>(
  items: Iterable<T>,
  request: PageRequest,
  rule: { readonly scope: string; readonly defaultSize: number },
): { readonly items: readonly T[]; readonly nextToken?: string } {
  const after = request.nextToken ? decode(rule.scope, request.nextToken) : Number.NEGATIVE_INFINITY;
  const size = request.maxResults ?? rule.defaultSize;
  const found: T[] = [];
  for (const item of items) {
    if (item.seq <= after) continue;
    if (found.length === size) return { items: found, nextToken: encode(rule.scope, found.at(-1)?.seq ?? after) };
    found.push(item);
  }
  return { items: found };
}
