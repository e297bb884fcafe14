// Amazon IVS as described by the installed SDK: every operation with its route, members, enumerations and declared errors, in the
// simulator's own notation for shapes. Lengths, ranges and patterns are not in the SDK.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as sdk from '@aws-sdk/client-ivs';
import type { Shape } from '#simulator/wire/shape.ts';

/** One operation. `output` has the members of the body, not those that are sent as headers. */
export interface OperationSchema {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly input: Shape;
  readonly output: Shape;
  readonly errors: readonly string[];
}

type Structure = Extract<Shape, { kind: 'structure' }>;
type Values = ReadonlyMap<string, readonly string[]>;

// The notation of @smithy/core/schema: arrays whose first item is their kind, and numbers for what has no parts.
const SIMPLE: Readonly<Record<number, Shape['kind']>> = { 0: 'text', 1: 'integer', 2: 'boolean', 5: 'text' };
const LIST_OF = 64;
const MAP_OF = 128;
const [KIND_SIMPLE, KIND_LIST, KIND_MAP, KIND_STRUCTURE, KIND_OPERATION] = [0, 1, 2, 3, 9];

const types = join(dirname(createRequire(import.meta.url).resolve('@aws-sdk/client-ivs')), '..', 'dist-types');

/** `Channel.latencyMode` → NORMAL, LOW. In the schemas enumerations are only text; the declared types name their values. */
function enumerations(): Values {
  const found = new Map<string, readonly string[]>();
  const text = readFileSync(join(types, 'models', 'models_0.d.ts'), 'utf8');
  for (const [, name, body] of text.matchAll(/^export interface _?(\w+) \{$([\s\S]*?)^\}$/gm)) {
    for (const [, member, type] of body!.matchAll(/^ {4}(\w+)\??: (\w+)(?:\[\])? \|/gm)) {
      const values: unknown = (sdk as Readonly<Record<string, unknown>>)[type!];
      if (typeof values === 'object' && values !== null && !Array.isArray(values)) {
        found.set(`${name}.${member}`, Object.values(values as Record<string, string>).toSorted());
      }
    }
  }
  return found;
}

/** The errors that an operation's documentation declares. */
function declaredErrors(operation: string): string[] {
  const text = readFileSync(join(types, 'commands', `${operation}Command.d.ts`), 'utf8');
  const names = Array.from(text.matchAll(/@throws \{@link (\w+)\}/g), ([, name]) => name!);
  return names.filter((name) => name !== 'IvsServiceException').toSorted();
}

function shapeOf(given: unknown, values: Values, within: string): Shape {
  const schema: unknown = typeof given === 'function' ? given() : given;
  const choices = values.get(within);
  if (typeof schema === 'number') {
    if (schema >= MAP_OF) return { kind: 'map' };
    if (schema >= LIST_OF) return { kind: 'list', of: shapeOf(schema - LIST_OF, values, within) };
    const kind = SIMPLE[schema];
    if (kind === undefined)
      throw new Error(`the SDK's schema of ${within} has a kind that this test does not know: ${schema}`);
    return choices === undefined ? ({ kind } as Shape) : { kind: 'enum', values: choices };
  }
  if (schema === 'unit') return { kind: 'structure', members: {} };
  const parts = schema as readonly unknown[];
  if (parts.length === 2) return shapeOf(parts[0], values, within);
  if (parts[0] === KIND_SIMPLE) return shapeOf(parts[4], values, within);
  if (parts[0] === KIND_LIST) return { kind: 'list', of: shapeOf(parts[4], values, within) };
  if (parts[0] === KIND_MAP) return { kind: 'map' };
  if (parts[0] !== KIND_STRUCTURE) throw new Error(`the SDK's schema of ${within} is none that this test knows`);
  const [, , name, , names, schemas, required = 0] = parts as [0, 0, string, 0, string[], unknown[], number?];
  const members = names.flatMap((member, at): [string, Structure['members'][string]][] => {
    if (inHeader(schemas[at])) return [];
    return [[member, { required: at < required, shape: shapeOf(schemas[at], values, `${name}.${member}`) }]];
  });
  return { kind: 'structure', members: Object.fromEntries(members) };
}

const inHeader = (schema: unknown): boolean =>
  Array.isArray(schema) && schema.length === 2 && Object(schema[1])['httpHeader'] !== undefined;

/** All operations of the installed SDK, by name. */
export function sdkOperations(): OperationSchema[] {
  const values = enumerations();
  return Object.values(sdk)
    .filter((item): item is any => Array.isArray(item) && item[0] === KIND_OPERATION)
    .map(([, , name, { http }, input, output]): OperationSchema => {
      const [method, path, status] = http as [string, string, number];
      const shapes = { input: shapeOf(input, values, name), output: shapeOf(output, values, name) };
      return { name, method, path, status, ...shapes, errors: declaredErrors(name) };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** A shape without one member, by its path; to show that the loss is noticed. */
export function withoutMember(shape: Shape, [first, ...rest]: readonly string[]): Shape {
  if (shape.kind === 'list') return { kind: 'list', of: withoutMember(shape.of, [first!, ...rest]) };
  if (shape.kind !== 'structure' || shape.members[first!] === undefined) throw new Error(`there is no member ${first}`);
  const { [first!]: member, ...others } = shape.members;
  if (rest.length === 0) return { kind: 'structure', members: others };
  const shorter = { ...member!, shape: withoutMember(member!.shape, rest) };
  return { kind: 'structure', members: { ...others, [first!]: shorter } };
}

/** The differences between two descriptions of the same thing, one line each. */
export function disagreements(place: string, ours: Shape, theirs: Shape): string[] {
  if (ours.kind === 'enum' && theirs.kind === 'enum') {
    // The service answers with the empty string for "none" if an enumeration has no value for it.
    const known = ours.values.filter((value) => value !== '').toSorted();
    return known.join() === theirs.values.join()
      ? []
      : [`${place}: ${known.join()} instead of ${theirs.values.join()}`];
  }
  if (ours.kind !== theirs.kind) return [`${place}: ${ours.kind} instead of ${theirs.kind}`];
  if (ours.kind === 'list' && theirs.kind === 'list') return disagreements(`${place}[]`, ours.of, theirs.of);
  if (ours.kind !== 'structure' || theirs.kind !== 'structure') return [];
  const names = new Set([...Object.keys(ours.members), ...Object.keys(theirs.members)]);
  return [...names].toSorted().flatMap((name) => {
    const [mine, other] = [ours.members[name], theirs.members[name]];
    const where = `${place}.${name}`;
    if (mine === undefined) return [`${where}: missing`];
    if (other === undefined) return [`${where}: unknown to the SDK`];
    if (mine.required !== other.required) return [`${where}: ${mine.required ? 'required' : 'optional'} by mistake`];
    return disagreements(where, mine.shape, other.shape);
  });
}

/** What real answers have or lack compared with their description, one line each. */
export function gaps(place: string, shape: Shape, values: readonly unknown[]): string[] {
  if (shape.kind === 'list') {
    if (!values.every(Array.isArray)) return [`${place}: not a list`];
    return gaps(`${place}[]`, shape.of, values.flat());
  }
  if (shape.kind === 'structure') {
    const given = values as readonly Readonly<Record<string, unknown>>[];
    const unknown = new Set(given.flatMap((value) => Object.keys(value)).filter((name) => !(name in shape.members)));
    const lines = [...unknown].map((name) => `${place}.${name}: unknown to the SDK`);
    for (const [name, member] of Object.entries(shape.members)) {
      const found = given.flatMap((value) => (value[name] === undefined ? [] : [value[name]]));
      if (found.length === 0) lines.push(`${place}.${name}: never answered`);
      else if (member.required && found.length < given.length) lines.push(`${place}.${name}: sometimes missing`);
      else lines.push(...gaps(`${place}.${name}`, member.shape, found));
    }
    return lines.toSorted();
  }
  const fits = (value: unknown): boolean => {
    if (shape.kind === 'enum') return value === '' || shape.values.includes(String(value));
    if (shape.kind === 'integer') return Number.isInteger(value);
    if (shape.kind === 'map') return typeof value === 'object' && value !== null && !Array.isArray(value);
    return typeof value === (shape.kind === 'boolean' ? 'boolean' : 'string');
  };
  return values.every(fits) ? [] : [`${place}: not ${shape.kind}`];
}
