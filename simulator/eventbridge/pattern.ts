// Event patterns: compiled once, matched often. A pattern becomes a list of alternatives (each combination of its $or
// members); an alternative is a tree of fields, so that fields under one array must match within the same element.

import { compileMatcher, type Matcher, PatternError } from './matchers.ts';

export { PatternError } from './matchers.ts';

/** True when the event matches. */
export type EventTest = (event: unknown) => boolean;

/** Path of a leaf → its matchers, one of which must hold. */
type Alternative = ReadonlyMap<string, readonly Matcher[]>;

const MOST_ALTERNATIVES = 1000;
const SEPARATOR = '\u0000';

/** Compiles a pattern given as JSON text or as a value; throws a PatternError that names the place. */
export function compilePattern(pattern: unknown): EventTest {
  const parsed = typeof pattern === 'string' ? parseJson(pattern) : pattern;
  const trees = alternatives(parsed, '', 'pattern').map(treeOf);
  return (event) => trees.some((tree) => matchesTree(tree, event));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new PatternError('Event pattern is not valid. Reason: it is not JSON');
  }
}

function fieldsOf(value: unknown, place: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PatternError(`${place}: must be an object or an array`);
  }
  const fields = Object.entries(value);
  if (fields.length === 0) throw new PatternError(`${place}: an empty object is not allowed`);
  return fields;
}

function alternatives(value: unknown, prefix: string, place: string): Alternative[] {
  let found: Alternative[] = [new Map()];
  for (const [name, child] of fieldsOf(value, place)) {
    const path = name.split('.').reduce((outer, part) => `${outer}${SEPARATOR}${part}`, prefix);
    const at = `${place}.${name}`;
    if (name === '$or') found = combine(found, orAlternatives(child, prefix, at));
    else if (Array.isArray(child)) found = combine(found, [new Map([[path, leaf(child, at)]])]);
    else found = combine(found, alternatives(child, path, at));
  }
  return found;
}

function orAlternatives(value: unknown, prefix: string, place: string): Alternative[] {
  if (!Array.isArray(value) || value.length < 2) throw new PatternError(`${place}: takes two or more objects`);
  return value.flatMap((member: unknown, index) => alternatives(member, prefix, `${place}[${index}]`));
}

function leaf(members: readonly unknown[], place: string): Matcher[] {
  if (members.length === 0) throw new PatternError(`${place}: an empty array is not allowed`);
  return members.map((member) => compileMatcher(member, place));
}

/** Every pair joined; a field named in both is merged, as in the service, instead of requiring both. */
function combine(left: readonly Alternative[], right: readonly Alternative[]): Alternative[] {
  if (left.length * right.length > MOST_ALTERNATIVES)
    throw new PatternError(`$or: more than ${MOST_ALTERNATIVES} combinations`);
  return left.flatMap((a) =>
    right.map((b) => {
      const joined = new Map(a);
      for (const [path, matchers] of b) joined.set(path, [...(joined.get(path) ?? []), ...matchers]);
      return joined;
    }),
  );
}

interface Tree {
  readonly children: Map<string, Tree>;
  matchers: readonly Matcher[];
}

function treeOf(alternative: Alternative): Tree {
  const root: Tree = { children: new Map(), matchers: [] };
  for (const [path, matchers] of alternative) {
    let node = root;
    for (const part of path.split(SEPARATOR).slice(1)) {
      const next = node.children.get(part) ?? { children: new Map(), matchers: [] };
      node.children.set(part, next);
      node = next;
    }
    node.matchers = matchers;
  }
  return root;
}

function matchesTree(tree: Tree, value: unknown): boolean {
  if (tree.matchers.length > 0 && !matchesLeaf(tree.matchers, value)) return false;
  if (tree.children.size === 0) return true;
  // An empty array holds no element, which still satisfies exists:false below it.
  const elements: readonly unknown[] = Array.isArray(value) && value.length > 0 ? value.flat(8) : [value];
  return elements.some((element) => {
    for (const [name, child] of tree.children) if (!matchesTree(child, member(element, name))) return false;
    return true;
  });
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
    return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function matchesLeaf(matchers: readonly Matcher[], value: unknown): boolean {
  const values = leaves(value);
  return matchers.some((matcher) =>
    'test' in matcher ? values.some((item) => matcher.test(item)) : matcher.exists === values.length > 0,
  );
}

/** The plain values at a place: for an array those of its elements; an object is not a value. */
function leaves(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(leaves);
  return value === undefined || (typeof value === 'object' && value !== null) ? [] : [value];
}
