// Applies a change to a whole: members that are absent or undefined leave the old values.

/** Some members of T, each possibly undefined. */
export type Change<T> = { readonly [K in keyof T]?: T[K] | undefined };

export function overlay<T extends object>(base: T, change: Change<T> = {}): T {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  return { ...base, ...Object.fromEntries(given) };
}
