// A small language for the shapes of requests: it checks JSON values and formats the refusal as the service does (`Operation.member …`).
// Unknown members are ignored and null counts as absent, as in AWS's JSON protocols. A check also describes itself, so that the operations
// can be compared with another description of the API.

import { invalid } from '../errors.ts';

/** What a check accepts, without lengths, ranges and patterns. */
export type Shape =
  | { readonly kind: 'text' | 'integer' | 'boolean' | 'map' | 'any' }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'list'; readonly of: Shape }
  | {
      readonly kind: 'structure';
      readonly members: Readonly<Record<string, { readonly required: boolean; readonly shape: Shape }>>;
    };

/** Checks one value found at `place` and returns it typed, or throws a ValidationException. */
export interface Check<T> {
  (value: unknown, place: string): T;
  readonly shape: Shape;
}

/** A check made from its description and the function that checks. */
export const checked = <T>(shape: Shape, check: (value: unknown, place: string) => T): Check<T> =>
  Object.assign(check, { shape });

/** The type that a check returns. */
export type Checked<C> = C extends Check<infer T> ? T : never;

/** Length as the model counts it: Unicode characters, not UTF-16 units. */
const lengthOf = (text: string): number => {
  let length = 0;
  for (const _ of text) length++;
  return length;
};

/** A string of `min` to `max` characters that matches `pattern` as a whole. */
export function text(rule: { min?: number; max?: number; pattern?: RegExp } = {}): Check<string> {
  const { min = 0, max = Number.POSITIVE_INFINITY, pattern } = rule;
  return checked({ kind: 'text' }, (value, place) => {
    if (typeof value !== 'string') throw invalid(`${place} must be a string`);
    const length = value.length < min || value.length > max ? lengthOf(value) : value.length;
    if (length < min) throw invalid(`${place} must have length greater than or equal to ${min}`);
    if (length > max) throw invalid(`${place} must have length less than or equal to ${max}`);
    if (pattern !== undefined && !pattern.test(value)) {
      throw invalid(`${place} must satisfy regular expression pattern: ${pattern.source}`);
    }
    return value;
  });
}

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number): Check<number> {
  return checked({ kind: 'integer' }, (value, place) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) throw invalid(`${place} must be an integer`);
    if (value < min) throw invalid(`${place} must have value greater than or equal to ${min}`);
    if (value > max) throw invalid(`${place} must have value less than or equal to ${max}`);
    return value;
  });
}

/** Any value, for members that are kept and not interpreted. */
export const any: Check<unknown> = checked({ kind: 'any' }, (value) => value);

export const flag: Check<boolean> = checked({ kind: 'boolean' }, (value, place) => {
  if (typeof value !== 'boolean') throw invalid(`${place} must be a boolean`);
  return value;
});

/** One of the names of an enumeration, case-sensitive. */
export function oneOf<const T extends string>(...names: readonly T[]): Check<T> {
  return checked({ kind: 'enum', values: names }, (value, place) => {
    if (typeof value !== 'string' || !(names as readonly string[]).includes(value)) {
      throw invalid(`${place} must be one of: [${names.join(', ')}]`);
    }
    return value as T;
  });
}

/** An array of `min` to `max` elements. */
export function list<T>(element: Check<T>, rule: { min?: number; max?: number } = {}): Check<T[]> {
  const { min = 0, max = Number.POSITIVE_INFINITY } = rule;
  return checked({ kind: 'list', of: element.shape }, (value, place) => {
    if (!Array.isArray(value)) throw invalid(`${place} must be a list`);
    if (value.length < min) throw invalid(`${place} must have length greater than or equal to ${min}`);
    if (value.length > max) throw invalid(`${place} must have length less than or equal to ${max}`);
    return value.map((item: unknown, at) => element(item, `${place}[${at}]`));
  });
}

/** A map of strings, kept as a Map so that a key such as `__proto__` is only a key. */
export function map(key: Check<string>, entry: Check<string>, max: number): Check<ReadonlyMap<string, string>> {
  return checked({ kind: 'map' }, (value, place) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${place} must be a map`);
    const entries = Object.entries(value);
    if (entries.length > max) throw invalid(`${place} must have length less than or equal to ${max}`);
    return new Map(entries.map(([name, item]) => [key(name, `${place} key`), entry(item, `${place}.${name}`)]));
  });
}

type Members = Readonly<Record<string, Check<unknown>>>;

type Structure<R extends Members, O extends Members> = { readonly [K in keyof R]: Checked<R[K]> } & {
  readonly [K in keyof O]?: Checked<O[K]>;
};

/** An object with required and optional members; the result contains only the members that were present. */
export function structure<R extends Members, O extends Members>(required: R, optional: O): Check<Structure<R, O>> {
  const needed = Object.entries(required);
  const allowed = Object.entries(optional);
  const member =
    (required: boolean) =>
    ([name, check]: readonly [string, Check<unknown>]) =>
      [name, { required, shape: check.shape }] as const;
  const members = Object.fromEntries([...needed.map(member(true)), ...allowed.map(member(false))]);
  return checked({ kind: 'structure', members }, (value, place) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw invalid(`${place} must be a structure`);
    }
    const given = value as Readonly<Record<string, unknown>>;
    const found: Record<string, unknown> = {};
    for (const [name, check] of needed) {
      const member = Object.hasOwn(given, name) ? given[name] : undefined;
      if (member === undefined || member === null) throw invalid(`${place}.${name} is a required attribute`);
      found[name] = check(member, `${place}.${name}`);
    }
    for (const [name, check] of allowed) {
      const member = Object.hasOwn(given, name) ? given[name] : undefined;
      if (member !== undefined && member !== null) found[name] = check(member, `${place}.${name}`);
    }
    return found as Structure<R, O>;
  });
}
