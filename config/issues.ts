// zod's issues in our words: one finding for each, and for unknown keys and values the word that was probably meant.
import type { z } from 'zod';
import { didYouMean, nearestName } from '#domain/nearest-name.ts';
import type { Finding, PathPart } from './problem.ts';

/** The findings of a failed parse with this schema, at most `most`: each unknown name is compared with all known ones. */
export function findingsOf(error: z.ZodError, schema: z.ZodType, most: number): Finding[] {
  const findings: Finding[] = [];
  for (const issue of error.issues) {
    findings.push(...findingsOfIssue(issue, schema, most - findings.length));
    if (findings.length >= most) break;
  }
  return findings;
}

function findingsOfIssue(issue: z.core.$ZodIssue, schema: z.ZodType, most: number): Finding[] {
  const path = issue.path.map((part): PathPart => (typeof part === 'symbol' ? String(part) : part));
  const finding = (message: string): Finding => ({ path, message, severity: 'error' });
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = knownKeysAt(schema, path);
      return issue.keys.slice(0, most).map((key) => ({
        path: [...path, key],
        message: `${unknownKey(key)}${meantOrKnown(key, known)}`,
        severity: 'error',
        atKey: true,
      }));
    }
    case 'invalid_type': {
      // A schema with its own text for what it expects has used it.
      if (!issue.message.startsWith('Invalid input')) return [finding(issue.message)];
      const expected = article(issue.expected);
      if (issue.input === undefined) return [finding(`is missing; expected ${expected}`)];
      return [finding(`expected ${expected}, got ${describe(issue.input)}`)];
    }
    case 'invalid_value': {
      if (issue.input === undefined) return [finding(`is missing; expected ${list(issue.values)}`)];
      const hint = typeof issue.input === 'string' ? didYouMean(issue.input, issue.values.map(String)) : '';
      return [finding(`expected ${list(issue.values)}, got ${describe(issue.input)}${hint}`)];
    }
    case 'invalid_union':
      return [finding(`expected text or an object, got ${describe(issue.input)}`)];
    case 'invalid_key':
      return [finding(`the key is not valid: ${issue.issues[0]?.message ?? issue.message}`)];
    case 'too_big':
    case 'too_small':
    case 'not_multiple_of':
    case 'invalid_format':
    case 'invalid_element':
    case 'custom':
      return [finding(issue.message.replace(/^(Invalid input: |Too (small|big): )/, ''))];
  }
}

/** What is said of an unknown key before any hint. */
export function unknownKey(key: string): string {
  return `unknown key ${key.slice(0, 100)}`;
}

/** A list that is longer helps nobody. */
const mostNamed = 40;

/** The key that was probably meant, otherwise those that there are. */
function meantOrKnown(key: string, known: readonly string[]): string {
  const meant = nearestName(key, known) ?? nearestName(withoutUnit(key), known);
  if (meant !== undefined) return ` (did you mean ${meant}?)`;
  if (known.length === 0) return '';
  const more = known.length > mostNamed ? `, and ${known.length - mostNamed} more` : '';
  return `; there are ${known.slice(0, mostNamed).join(', ')}${more}`;
}

const units =
  /(?:_in|In)?(?:_(?:ms|millis|milliseconds|s|secs?|seconds?|mins?|minutes?|hours?|days?)|(?:Ms|MS|Millis|Milliseconds|S|Secs?|Seconds?|Mins?|Minutes?|Hours?|Days?))$/;

/** HTTP requests name the unit of a number (`expiresInMs`); in the file the value has it (`expires: 5m`). */
function withoutUnit(key: string): string {
  return key.slice(0, 100).replace(units, '');
}

function list(values: readonly unknown[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.map(String).join(', ')}`;
}

function article(type: string): string {
  if (type === 'record' || type === 'object') return 'an object';
  if (type === 'array') return 'a list';
  if (type === 'boolean') return 'true or false';
  if (type === 'int') return 'a whole number';
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value) : `${value as number}`;
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** The keys that the schema knows at a place. Covers the constructs of our schemas. */
export function knownKeysAt(schema: z.ZodType, path: readonly PathPart[]): string[] {
  let here: z.core.$ZodType | undefined = unwrapped(schema);
  for (const part of path) {
    const def: z.core.$ZodTypeDef | undefined = here?._zod.def;
    if (def?.type === 'object') here = (def as z.core.$ZodObjectDef).shape[String(part)];
    else if (def?.type === 'array') here = (def as z.core.$ZodArrayDef).element;
    else if (def?.type === 'record') here = (def as z.core.$ZodRecordDef).valueType;
    else return [];
    here = here && unwrapped(here);
  }
  const def = here?._zod.def;
  if (def?.type === 'object') return Object.keys((def as z.core.$ZodObjectDef).shape);
  // A record whose keys are listed.
  if (def?.type === 'record') return Array.from((def as z.core.$ZodRecordDef).keyType._zod.values ?? [], String);
  return [];
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (['optional', 'default', 'prefault', 'nullable', 'readonly'].includes(inner._zod.def.type)) {
    inner = (inner._zod.def as z.core.$ZodOptionalDef).innerType;
  }
  // Text or an object: the object has the keys.
  const { type } = inner._zod.def;
  const options = type === 'union' ? (inner._zod.def as z.core.$ZodUnionDef).options.map(unwrapped) : [];
  return options.find((option) => option._zod.def.type === 'object') ?? inner;
}
