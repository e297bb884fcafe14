// Viewer ids identify people: callers who may only look do not get them, neither in a request nor in its result.
import type { ActionName } from './action.ts';

const action: ActionName = 'revoke_viewers';

/** Whether what is shown about an action may contain ids of viewers: the action itself, or a bulk action of it. */
export function mayNameViewers(what: string): boolean {
  return what === action || what === `bulk ${action}`;
}

/** A copy without the ids of viewers, and without the answers of Amazon IVS, which may repeat them. */
export function withoutViewerIds<T>(value: T): T {
  return hidden(value) as T;
}

function hidden(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hidden);
  if (typeof value !== 'object' || value === null) return value;
  const names = Object.hasOwn(value, 'viewerId') ? ['viewerId', 'message'] : [];
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => {
      if (key === 'viewers' && Array.isArray(inner)) return [key, [`${inner.length} hidden`]];
      return [key, names.includes(key) ? '[hidden]' : hidden(inner)];
    }),
  );
}
