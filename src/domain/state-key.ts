// Keys of the shared state. A key is a text, `<kind>/<id>`, that carries the type of its value; only state-registry.ts creates them.

declare const valueOf: unique symbol;
declare const entryOf: unique symbol;

/** The key of a value of type T. */
export type Key<T> = string & { readonly [valueOf]: T };

/** The name of an append-only log with entries of type T. */
export type Log<T> = string & { readonly [entryOf]: T };

/** Entries that exist once for each id. */
export interface Kind<T, Id extends string = string> {
  /** The part before the slash. */
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

/** Finds entries of a kind by their content, without reading all of them. It is kept only in memory, next to the copy of the state. */
export interface Index<T, Id extends string = string> {
  readonly of: Kind<T, Id>;
  /** The words under which an entry is found. */
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
