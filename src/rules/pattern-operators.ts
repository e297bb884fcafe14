// The values a pattern's field may list: exact values and the operators of EventBridge, each as a test of one scalar.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
import { BlockList, isIP } from 'node:net';
import { didYouMean } from '#domain/nearest-name.ts';

/** A test of one scalar of a document; scalars are strings, numbers, booleans and null. */
export type ScalarTest = (value: unknown) => boolean;

/** One member of a field's list: a test, or `exists: false`, which holds if there is no scalar. */
export type Member = { readonly test: ScalarTest } | 'absent';

/** What is wrong with a pattern, and where in it. */
export interface PatternProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Collects the problems of one pattern; returns undefined, so that a check can return its result. */
export type Report = (path: readonly (string | number)[], message: string) => undefined;

type Path = readonly (string | number)[];
type Build = (operand: unknown, path: Path, report: Report) => Member | undefined;

const numericLimit = 5e9;

const strings = (test: (text: string) => boolean): Member => ({
  test: (value) => typeof value === 'string' && test(value),
});

const affix =
  (operator: 'prefix' | 'suffix', holds: (text: string, part: string) => boolean): Build =>
  (operand, path, report) => {
    if (typeof operand === 'string') return strings((text) => holds(text, operand));
    const folded = onlyKey(operand, 'equals-ignore-case');
    if (typeof folded === 'string') {
      const part = folded.toLowerCase();
      return strings((text) => holds(text.toLowerCase(), part));
    }
    report(path, `${operator} expects a string or {equals-ignore-case: <string>}`);
    return undefined;
  };

const operators: Readonly<Record<string, Build>> = {
  prefix: affix('prefix', (text, part) => text.startsWith(part)),
  suffix: affix('suffix', (text, part) => text.endsWith(part)),
  'equals-ignore-case': (operand, path, report) => {
    if (typeof operand !== 'string') return report(path, 'equals-ignore-case expects a string');
    const wanted = operand.toLowerCase();
    return strings((text) => text.toLowerCase() === wanted);
  },
  wildcard: (operand, path, report) => {
    const glob = parseWildcard(operand, path, report);
    if (!glob) return undefined;
    const inner = glob.slice(1, -1).map(finderOf);
    return strings((text) => matchesWildcard(text, glob, inner));
  },
  'anything-but': anythingBut,
  numeric: (operand, path, report) => {
    const test = numericTest(operand, path, report);
    return test && { test: (value) => typeof value === 'number' && test(value) };
  },
  cidr: (operand, path, report) => {
    const network = parseNetwork(operand);
    if (!network) return report(path, 'cidr expects an address with a mask, such as 10.0.0.0/24 or 2001:db8::/32');
    return strings((text) => isIP(text) === network.version && network.list.check(text, network.family));
  },
  exists: (operand, path, report) => {
    if (typeof operand !== 'boolean') return report(path, 'exists expects true or false');
    return operand ? { test: () => true } : 'absent';
  },
};

/** The operators by name. */
export const operatorNames = Object.keys(operators);

/** Compiles one member of a field's list; reports an invalid one and returns undefined. */
export function compileMember(member: unknown, path: Path, report: Report): Member | undefined {
  if (member === null || typeof member === 'string' || typeof member === 'boolean') {
    return { test: (value) => value === member };
  }
  if (typeof member === 'number') {
    if (!Number.isFinite(member)) return report(path, 'a number must be finite');
    return { test: (value) => value === member };
  }
  if (typeof member !== 'object' || Array.isArray(member)) {
    return report(path, 'expected a string, a number, true, false, null or an operator such as {prefix: "x"}');
  }
  const keys = Object.keys(member);
  if (keys.length !== 1) return report(path, 'an operator object has exactly one key');
  const name = keys[0]!;
  const build = Object.hasOwn(operators, name) ? operators[name] : undefined;
  if (!build) {
    report([...path, name], `unknown operator ${name}${didYouMean(name, operatorNames)}`);
    return undefined;
  }
  return build((member as Record<string, unknown>)[name], [...path, name], report);
}

/** The value of an object's only key, or undefined if it is no such object. */
function onlyKey(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.keys(value).length === 1 && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** True for every scalar that none of the listed values or inner operators matches, whatever its type. */
function anythingBut(operand: unknown, path: Path, report: Report): Member | undefined {
  if (typeof operand === 'object' && operand !== null && !Array.isArray(operand)) {
    const [inner, ...more] = Object.keys(operand);
    if (
      inner === undefined ||
      more.length > 0 ||
      !['prefix', 'suffix', 'equals-ignore-case', 'wildcard'].includes(inner)
    ) {
      return report(path, 'anything-but expects values, or one of prefix, suffix, equals-ignore-case, wildcard');
    }
    const innerPath = [...path, inner];
    const given = (operand as Record<string, unknown>)[inner];
    const parts = Array.isArray(given) ? given : [given];
    if (parts.length === 0) return report(innerPath, `${inner} expects at least one string`);
    const tests: ScalarTest[] = [];
    for (const part of parts) {
      if (typeof part !== 'string') return report(innerPath, `${inner} expects a string or a list of strings here`);
      if (part === '' && (inner === 'prefix' || inner === 'suffix')) {
        return report(innerPath, `anything-but with an empty ${inner} would match nothing`);
      }
      const built = operators[inner]!(part, innerPath, report);
      if (!built || built === 'absent') return undefined;
      tests.push(built.test);
    }
    return { test: (value) => !tests.some((test) => test(value)) };
  }
  const values: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
  const [first] = values;
  const type = typeof first;
  if (
    values.length === 0 ||
    (type !== 'string' && type !== 'number') ||
    values.some((value) => typeof value !== type)
  ) {
    return report(path, 'anything-but expects a string, a number, or a non-empty list of only strings or only numbers');
  }
  const refused = new Set(values);
  return { test: (value) => !refused.has(value) };
}

/** `[op, n]` or `[lower op, n, upper op, n]`. */
function numericTest(operand: unknown, path: Path, report: Report): ((value: number) => boolean) | undefined {
  const wrong = (message: string) => report(path, message);
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) {
    return wrong('numeric expects [operator, number] or [">", lower, "<", upper]');
  }
  const [op, first, upperOp, second] = operand as readonly unknown[];
  for (const bound of operand.length === 2 ? [first] : [first, second]) {
    if (typeof bound !== 'number' || !(Math.abs(bound) <= numericLimit)) {
      return wrong('numeric expects numbers between -5000000000 and 5000000000');
    }
  }
  const lower = first as number;
  if (operand.length === 2) {
    if (op === '=') return (value) => value === lower;
    if (op === '<') return (value) => value < lower;
    if (op === '<=') return (value) => value <= lower;
    if (op === '>') return (value) => value > lower;
    if (op === '>=') return (value) => value >= lower;
    return wrong('numeric expects one of =, <, <=, >, >=');
  }
  const upper = second as number;
  if ((op !== '>' && op !== '>=') || (upperOp !== '<' && upperOp !== '<=')) {
    return wrong('a numeric range has its lower bound (> or >=) first, then its upper bound (< or <=)');
  }
  if (lower >= upper) return wrong('the lower bound of a numeric range must be below its upper bound');
  return (value) => (op === '>' ? value > lower : value >= lower) && (upperOp === '<' ? value < upper : value <= upper);
}

/** The literal pieces between the stars: the first anchored at the start, the last at the end. */
function parseWildcard(operand: unknown, path: Path, report: Report): readonly string[] | undefined {
  if (typeof operand !== 'string') return report(path, 'wildcard expects a string');
  const pieces = [''];
  for (let index = 0; index < operand.length; index += 1) {
    const character = operand[index]!;
    if (character === '\\') {
      const escaped = operand[index + 1];
      if (escaped !== '*' && escaped !== '\\') {
        return report(path, 'in a wildcard a backslash must be followed by * or another backslash');
      }
      pieces[pieces.length - 1] += escaped;
      index += 1;
    } else if (character === '*') {
      if (operand[index + 1] === '*') return report(path, 'a wildcard must not have two * in a row');
      pieces.push('');
    } else {
      pieces[pieces.length - 1] += character;
    }
  }
  return pieces;
}

/** The literal pieces between the stars of a valid wildcard. */
export function wildcardPieces(text: string): readonly string[] {
  return parseWildcard(text, [], () => undefined) ?? [text];
}

/** The leftmost position of each piece is enough: linear, without backtracking. */
function matchesWildcard(text: string, pieces: readonly string[], inner: readonly Finder[]): boolean {
  const first = pieces[0]!;
  if (pieces.length === 1) return text === first;
  const last = pieces.at(-1)!;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const [index, find] of inner.entries()) {
    const found = find(text, at);
    const after = found + pieces[index + 1]!.length;
    if (found === -1 || after > end) return false;
    at = after;
  }
  return true;
}

/** Where a piece first occurs in a text, from a position on; -1: nowhere. */
type Finder = (text: string, from: number) => number;

/** Longer pieces than this could make the platform's search cost the text's length times the piece's. */
const shortPiece = 16;

/** Long pieces are searched with Knuth-Morris-Pratt: each character of the text is read once, whatever it contains. */
function finderOf(piece: string): Finder {
  if (piece.length <= shortPiece) return (text, from) => text.indexOf(piece, from);
  const fallback = new Uint32Array(piece.length);
  for (let index = 1, matched = 0; index < piece.length; index += 1) {
    while (matched > 0 && piece[index] !== piece[matched]) matched = fallback[matched - 1]!;
    if (piece[index] === piece[matched]) matched += 1;
    fallback[index] = matched;
  }
  return (text, from) => {
    for (let index = from, matched = 0; index < text.length; index += 1) {
      while (matched > 0 && text[index] !== piece[matched]) matched = fallback[matched - 1]!;
      if (text[index] === piece[matched]) matched += 1;
      if (matched === piece.length) return index - piece.length + 1;
    }
    return -1;
  };
}

function parseNetwork(operand: unknown): { version: number; family: 'ipv4' | 'ipv6'; list: BlockList } | undefined {
  const match = typeof operand === 'string' ? /^([0-9a-fA-F:.]+)\/(\d{1,3})$/.exec(operand) : null;
  const address = match?.[1] ?? '';
  const version = isIP(address);
  const bits = Number(match?.[2]);
  if (version === 0 || bits > (version === 4 ? 32 : 128)) return undefined;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(address, bits, family);
  return { version, family, list };
}
