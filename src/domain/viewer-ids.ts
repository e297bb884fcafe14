// The ids of viewers are people's: whoever may only look does not get them, neither of a request nor of what became of it.
import type { ActionName } from './action.ts';

const action: ActionName = 'revoke_viewers';

/** Whether what is said of an action may hold ids of viewers: of the action itself, or of a bulk of it. */
export function mayNameViewers(what: string): boolean {
  return what === action || what === `bulk ${action}`;
}

/** A copy without the ids of viewers, and without what Amazon IVS said of them, in which they may be repeated. */
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
