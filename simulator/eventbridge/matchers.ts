// One member of a pattern's leaf: an exact value or an operator object, compiled into a test of one event value. Derived
// from the operator table of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html

import { BlockList, isIP } from 'node:net';

/** A pattern that EventBridge would refuse. */
export class PatternError extends Error {}

/** Tests one string, number, boolean or null of the event. */
export type ValueTest = (value: unknown) => boolean;

/** `exists` asks whether there is a value at all; everything else tests existing values. */
export type Matcher = { readonly exists: boolean } | { readonly test: ValueTest };

type StringTest = (value: string) => boolean;

const onStrings =
  (test: StringTest): ValueTest =>
  (value) =>
    typeof value === 'string' && test(value);

/** Compiles one array member of a leaf. `place` is the field's path, for messages. */
export function compileMatcher(member: unknown, place: string): Matcher {
  if (member === null || ['string', 'number', 'boolean'].includes(typeof member)) {
    return { test: (value) => value === member };
  }
  const [operator, operand] = single(member, place);
  if (operator === 'exists') {
    if (typeof operand !== 'boolean') throw new PatternError(`${place}: exists takes true or false`);
    return { exists: operand };
  }
  if (operator === 'anything-but') return { test: anythingBut(operand, place) };
  if (operator === 'numeric') return { test: numeric(operand, place) };
  if (operator === 'cidr') return { test: cidr(operand, place) };
  return { test: onStrings(stringTest(operator, operand, place)) };
}

function single(member: unknown, place: string): readonly [string, unknown] {
  if (typeof member !== 'object' || member === null || Array.isArray(member)) {
    throw new PatternError(`${place}: a member must be a value or an object with one operator`);
  }
  const entries = Object.entries(member);
  const [entry] = entries;
  if (entry === undefined || entries.length > 1)
    throw new PatternError(`${place}: an operator object has exactly one key`);
  return entry;
}

function stringTest(operator: string, operand: unknown, place: string): StringTest {
  const folded = foldedOperand(operator, operand);
  const wanted = folded ?? operand;
  if (typeof wanted !== 'string') throw new PatternError(`${place}: ${operator} takes a string`);
  const fold = folded === undefined ? (text: string) => text : (text: string) => text.toLowerCase();
  const target = fold(wanted);
  switch (operator) {
    case 'prefix':
      return (value) => fold(value).startsWith(target);
    case 'suffix':
      return (value) => fold(value).endsWith(target);
    case 'equals-ignore-case':
      return (value) => value.toLowerCase() === wanted.toLowerCase();
    case 'wildcard':
      return wildcard(wanted, place);
    default:
      throw new PatternError(`${place}: unrecognized operator ${operator}`);
  }
}

/** The string inside `{"prefix": {"equals-ignore-case": "…"}}`. */
function foldedOperand(operator: string, operand: unknown): string | undefined {
  if (operator !== 'prefix' && operator !== 'suffix') return undefined;
  if (typeof operand !== 'object' || operand === null || Array.isArray(operand)) return undefined;
  const entries = Object.entries(operand);
  const [name, value] = entries[0] ?? [];
  return entries.length === 1 && name === 'equals-ignore-case' && typeof value === 'string' ? value : undefined;
}

/** True for an existing value that is none of these; any other type counts as different. */
function anythingBut(operand: unknown, place: string): ValueTest {
  if (typeof operand === 'object' && operand !== null && !Array.isArray(operand)) {
    const [operator, inner] = single(operand, place);
    if (!['prefix', 'suffix', 'equals-ignore-case', 'wildcard'].includes(operator)) {
      throw new PatternError(`${place}: anything-but does not take ${operator}`);
    }
    const listed: readonly unknown[] = Array.isArray(inner) ? inner : [inner];
    if (listed.length === 0 || listed.includes(''))
      throw new PatternError(`${place}: anything-but ${operator} is empty`);
    const tests = listed.map((item) => onStrings(stringTest(operator, item, place)));
    return (value) => !tests.some((test) => test(value));
  }
  const listed: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
  const types = new Set(listed.map((item) => typeof item));
  if (types.size !== 1 || !(types.has('string') || types.has('number'))) {
    throw new PatternError(`${place}: anything-but takes strings or numbers, not both`);
  }
  const excluded = new Set(listed);
  return (value) => !excluded.has(value);
}

const COMPARISONS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

const LARGEST = 5e9;

function numeric(operand: unknown, place: string): ValueTest {
  const bad = (why: string): PatternError => new PatternError(`${place}: numeric ${why}`);
  if (!Array.isArray(operand)) throw bad('takes an array');
  if (operand.length !== 2 && operand.length !== 4) throw bad('takes one comparison or a range');
  const parts: { readonly operator: string; readonly bound: number }[] = [];
  for (let at = 0; at < operand.length; at += 2) {
    const operator: unknown = operand[at];
    const bound: unknown = operand[at + 1];
    if (typeof operator !== 'string' || !Object.hasOwn(COMPARISONS, operator))
      throw bad(`has no operator ${JSON.stringify(operator)}`);
    if (typeof bound !== 'number' || Math.abs(bound) > LARGEST) throw bad(`bound must be a number within ±${LARGEST}`);
    parts.push({ operator, bound });
  }
  const [low, high] = parts;
  if (low !== undefined && high !== undefined) {
    const ordered = low.operator.startsWith('>') && high.operator.startsWith('<') && low.bound < high.bound;
    if (!ordered) throw bad('range names the lower bound first, and it is lower');
  }
  return (value) => typeof value === 'number' && parts.every((part) => COMPARISONS[part.operator]!(value, part.bound));
}

function cidr(operand: unknown, place: string): ValueTest {
  const [address = '', mask = ''] = typeof operand === 'string' ? operand.split('/') : [];
  const version = isIP(address);
  const bits = /^\d{1,3}$/.test(mask) ? Number(mask) : Number.NaN;
  if (version === 0 || !(bits <= (version === 4 ? 32 : 128)))
    throw new PatternError(`${place}: cidr takes address/bits`);
  const block = new BlockList();
  block.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  return onStrings((value) => isIP(value) === version && block.check(value, version === 4 ? 'ipv4' : 'ipv6'));
}

const STAR = Symbol('*');

/** `*` is any run of characters; a backslash makes the next `*` or backslash literal. Linear in value × stars. */
function wildcard(pattern: string, place: string): StringTest {
  const tokens: (string | typeof STAR)[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === '*') {
      if (tokens.at(-1) === STAR) throw new PatternError(`${place}: wildcard has two * in a row`);
      tokens.push(STAR);
    } else if (character === '\\') {
      const next = pattern[++at];
      if (next !== '*' && next !== '\\') throw new PatternError(`${place}: wildcard has an invalid escape`);
      tokens.push(next);
    } else tokens.push(character);
  }
  return (value) => glob(tokens, value);
}

function glob(tokens: readonly (string | typeof STAR)[], value: string): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let resume = 0;
  while (at < value.length) {
    if (token < tokens.length && tokens[token] === value[at]) {
      token++;
      at++;
    } else if (tokens[token] === STAR) {
      star = token++;
      resume = at;
    } else if (star !== -1) {
      token = star + 1;
      at = ++resume;
    } else return false;
  }
  while (tokens[token] === STAR) token++;
  return token === tokens.length;
}
