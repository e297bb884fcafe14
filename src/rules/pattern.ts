// EventBridge patterns: compiled once, matched against plain JSON documents. Fields are combined with AND, the members of a field's list
// with OR; fields under one array must match within the same element. The operators are in pattern-operators.ts.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html
import type { Pattern } from '#domain/action.ts';
import type { Matcher } from '#domain/rule.ts';
import { compileMember, type PatternProblem, type Report, type ScalarTest } from './pattern-operators.ts';

export type CompiledPattern =
  | ({ readonly ok: true } & Matcher)
  | { readonly ok: false; readonly problems: readonly PatternProblem[] };

/** What one field's list requires. */
interface Demand {
  readonly tests: readonly ScalarTest[];
  /** `exists: false` is in the list: it matches if there is no scalar. */
  readonly absentOk: boolean;
}

/** A pattern without `$or`: the requirement of each field, by its path joined with dots. */
type Conjunction = Map<string, Demand>;

interface Node {
  readonly demand: Demand | undefined;
  readonly children: readonly (readonly [key: string, node: Node])[];
  /** For each child, its descendants by their names joined with dots, for documents whose keys contain dots. */
  readonly joined: readonly (readonly (readonly [name: string, node: Node])[])[];
  /** A document without any of it matches. */
  readonly absentOk: boolean;
}

/** `absent`: it holds only because nothing is there. */
const no = 0;
const absent = 1;
const present = 2;
type Verdict = typeof no | typeof absent | typeof present;

const maxAlternatives = 1000;
const maxDepth = 32;
/** The most fields of all alternatives together. */
const maxFields = 100_000;

/** Compiles a pattern; returns every problem with its path inside the pattern. */
export function compilePattern(source: unknown): CompiledPattern {
  const problems: PatternProblem[] = [];
  const report: Report = (path, message) => {
    problems.push({ path, message });
    return undefined;
  };
  const conjunctions = compileFields(source, [], report);
  if (problems.length > 0) return { ok: false, problems };
  const roots = conjunctions.map(treeOf);
  return {
    ok: true,
    source: source as Pattern,
    match: (document) => {
      const object = isRecord(document) ? document : {};
      for (const root of roots) if (verdictOfObject(root, object) !== no) return true;
      return false;
    },
  };
}

/** A matcher for a pattern that was checked before; throws if it is invalid. */
export function matcherOf(source: Pattern): Matcher {
  const compiled = compilePattern(source);
  if (compiled.ok) return compiled;
  const first = compiled.problems[0]!;
  throw new RangeError(`invalid pattern at ${first.path.join('.') || 'its top'}: ${first.message}`);
}

/** The conjunctions of an object of fields, any of which may hold. */
function compileFields(
  source: unknown,
  path: readonly (string | number)[],
  report: Report,
  depth = 0,
): readonly Conjunction[] {
  if (!isRecord(source)) {
    report(path, 'expected a pattern: an object of fields with lists of values');
    return [];
  }
  const fields = Object.entries(source);
  if (fields.length === 0) report(path, 'a pattern must name at least one field');
  if (depth > maxDepth) {
    report(path, 'a pattern must not nest that deep');
    return [];
  }
  let alternatives: readonly Conjunction[] = [new Map()];
  for (const [name, value] of fields) {
    const inner = compileField(name, value, [...path, name], report, depth);
    if (alternatives.length * inner.length > maxAlternatives) {
      report(path, `all $or together must not have more than ${maxAlternatives} combinations`);
      return [];
    }
    if (fieldsOf(alternatives) * inner.length + fieldsOf(inner) * alternatives.length > maxFields) {
      report(path, `all $or together must not name more than ${maxFields} fields`);
      return [];
    }
    alternatives = together(alternatives, inner);
  }
  return alternatives;
}

function compileField(
  name: string,
  value: unknown,
  path: readonly (string | number)[],
  report: Report,
  depth: number,
): readonly Conjunction[] {
  if (name.split('.').includes('')) {
    report(path, "a field's name must not be empty, nor start or end with a dot");
    return [];
  }
  if (name === '$or') {
    if (!Array.isArray(value) || value.length < 2) {
      report(path, '$or expects a list of at least two patterns');
      return [];
    }
    return value.flatMap((part, index) => compileFields(part, [...path, index], report, depth + 1));
  }
  if (Array.isArray(value)) {
    if (value.length === 0) report(path, 'a list of values must not be empty');
    const members = value.map((member, index) => compileMember(member, [...path, index], report));
    const tests = members.flatMap((member) => (member === undefined || member === 'absent' ? [] : [member.test]));
    return [new Map([[name, { tests, absentOk: members.includes('absent') }]])];
  }
  if (isRecord(value)) {
    const inner = compileFields(value, path, report, depth + 1);
    return inner.map((fields) => new Map([...fields].map(([rest, demand]) => [`${name}.${rest}`, demand])));
  }
  report(path, 'expected a list of values, for example [x], or a nested pattern');
  return [];
}

function fieldsOf(alternatives: readonly Conjunction[]): number {
  return alternatives.reduce((sum, { size }) => sum + size, 0);
}

/** Each of the one with each of the other. `left` may be changed: only what is multiplied is copied. */
function together(left: readonly Conjunction[], right: readonly Conjunction[]): Conjunction[] {
  return left.flatMap((fields) => right.map((more) => join(right.length === 1 ? fields : new Map(fields), more)));
}

/** Adds to the first. A field on both sides accepts what either lists, as in EventBridge. */
function join(both: Conjunction, right: Conjunction): Conjunction {
  for (const [name, demand] of right) {
    const other = both.get(name);
    both.set(
      name,
      other ? { tests: [...other.tests, ...demand.tests], absentOk: other.absentOk || demand.absentOk } : demand,
    );
  }
  return both;
}

function treeOf(fields: Conjunction): Node {
  const byKey = new Map<string, Map<string, Demand>>();
  let demand: Demand | undefined;
  for (const [name, wanted] of fields) {
    if (name === '') {
      demand = wanted;
      continue;
    }
    const dot = name.indexOf('.');
    const key = dot === -1 ? name : name.slice(0, dot);
    const rest = byKey.get(key) ?? new Map<string, Demand>();
    rest.set(dot === -1 ? '' : name.slice(dot + 1), wanted);
    byKey.set(key, rest);
  }
  const children = [...byKey].map(([key, rest]) => [key, treeOf(rest)] as const);
  return {
    demand,
    children,
    joined: children.map(([key, node]) => descendants(key, node)),
    absentOk: (demand?.absentOk ?? true) && children.every(([, node]) => node.absentOk),
  };
}

function descendants(name: string, node: Node): (readonly [string, Node])[] {
  return node.children.flatMap(([key, child]) => {
    const joined = `${name}.${key}`;
    return [[joined, child] as const, ...descendants(joined, child)];
  });
}

function verdictOf(node: Node, value: unknown, arrayDepth = 0): Verdict {
  if (Array.isArray(value)) return verdictOfArray(node, value, arrayDepth + 1);
  if (isRecord(value)) return verdictOfObject(node, value);
  if (value === undefined) return node.absentOk ? absent : no;
  // A scalar: it can satisfy the requirement; there is nothing below it.
  if (node.children.some(([, child]) => !child.absentOk)) return no;
  if (!node.demand) return absent;
  return node.demand.tests.some((test) => test(value)) ? present : no;
}

function verdictOfArray(node: Node, elements: readonly unknown[], arrayDepth: number): Verdict {
  // Lists in lists deeper than any real event are not searched.
  if (elements.length === 0 || arrayDepth > maxDepth) return node.absentOk ? absent : no;
  let everyAbsent = true;
  for (const element of elements) {
    const verdict = verdictOf(node, element, arrayDepth);
    if (verdict === present) return present;
    if (verdict === no) everyAbsent = false;
  }
  return everyAbsent ? absent : no;
}

function verdictOfObject(node: Node, object: Readonly<Record<string, unknown>>): Verdict {
  // An object is not a scalar: for the field itself nothing is there.
  if (node.demand && !node.demand.absentOk) return no;
  let verdict: Verdict = absent;
  for (let index = 0; index < node.children.length; index += 1) {
    const [key, child] = node.children[index]!;
    const inner: Verdict =
      Object.hasOwn(object, key) && object[key] !== undefined
        ? verdictOf(child, object[key])
        : verdictOfDotted(child, key, node.joined[index]!, object);
    if (inner === no) return no;
    if (inner === present) verdict = present;
  }
  return verdict;
}

/** For a child that does not exist under its own key: its fields may exist under keys such as `a.b`. */
function verdictOfDotted(
  child: Node,
  prefix: string,
  joined: Node['joined'][number],
  object: Readonly<Record<string, unknown>>,
): Verdict {
  if (!joined.some(([name]) => Object.hasOwn(object, name))) return child.absentOk ? absent : no;
  if (child.demand && !child.demand.absentOk) return no;
  let verdict: Verdict = absent;
  for (const [key, grandchild] of child.children) {
    const name = `${prefix}.${key}`;
    const inner: Verdict =
      Object.hasOwn(object, name) && object[name] !== undefined
        ? verdictOf(grandchild, object[name])
        : verdictOfDotted(grandchild, name, descendants(name, grandchild), object);
    if (inner === no) return no;
    if (inner === present) verdict = present;
  }
  return verdict;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
