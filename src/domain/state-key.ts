// Keys of the shared state. A key is a text, `<kind>/<id>`, that carries the type of what lies there; only state-registry.ts makes them.

declare const valueOf: unique symbol;
declare const entryOf: unique symbol;

/** Where a value of type T lies. */
export type Key<T> = string & { readonly [valueOf]: T };

/** The name of an append-only log with entries of type T. */
export type Log<T> = string & { readonly [entryOf]: T };

/** What is kept once for each id. */
export interface Kind<T, Id extends string = string> {
  /** What stands before the slash. */
  readonly name: string;
  /** The key of an id, as `entries` yields it. */
  of(id: string): Key<T>;
  readonly [valueOf]?: Id;
}

/** A kind whose ids have two parts, `<first>|<second>`. */
export interface PairKind<T, First extends string = string> extends Kind<T> {
  of(id: string): Key<T>;
  of(first: First, second: string): Key<T>;
}

/** Finds entries of a kind by what they say, without a walk over all of them. It is kept beside the copy in memory, and stored nowhere. */
export interface Index<T, Id extends string = string> {
  readonly of: Kind<T, Id>;
  /** What an entry is found under. */
  readonly under: (value: T) => readonly string[];
}

export function kind<T, Id extends string = string>(name: string): Kind<T, Id> {
  const prefix = `${name}/`;
  return { name, of: (id) => (prefix + id) as Key<T> };
}

export function pairKind<T, First extends string = string>(name: string): PairKind<T, First> {
  const prefix = `${name}/`;
  return { name, of: (first: string, second?: string) => (prefix + pairId(first, second)) as Key<T> };
}

export function pairId(first: string, second: string | undefined): string {
  return second === undefined ? first : `${first}|${second}`;
}

/** A single entry: `<kind>/<name>`. */
export function key<T>(text: `${string}/${string}`): Key<T> {
  return text as string as Key<T>;
}

export function log<T>(name: string): Log<T> {
  return name as Log<T>;
}
