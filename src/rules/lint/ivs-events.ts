// Parts of an event pattern that no event of Amazon IVS can match. The table of events is in src/domain/ivs-events.ts.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html
import {
  type DetailField,
  eventsKnownAsOf,
  type IvsEventType,
  ivsEvents,
  namesNoChannel,
  otherDetailTypes,
} from '#domain/ivs-events.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import type { Matcher } from '#domain/rule.ts';
import { compilePattern } from '../pattern.ts';
import { envelopeFields, type FieldShape, problemsOfFields, problemsOfMembers } from '../pattern-fields.ts';
import type { LintFinding } from './finding.ts';

type Path = readonly (string | number)[];

const types: Readonly<Record<string, IvsEventType>> = ivsEvents;
const typeNames = Object.keys(types);

/** Fields that people look for in `detail`, and where they are instead. */
const elsewhere: readonly (readonly [name: RegExp, where: string])[] = [
  [/^channel_?(?:arn|id)?$|^arn$|^resources?$/i, 'the channel is in `resources`, as its ARN'],
  [/^account(?:_?id)?$|^aws_?account/i, 'the account is in `account`, beside `detail`'],
  [/^region$|^aws_?region$/i, 'the Region is in `region`, beside `detail`'],
  [/^(?:event_?)?time(?:stamp)?$/i, 'the time is in `time`, beside `detail`'],
  [/^stage|^participant|^composition/i, 'stages belong to Amazon IVS Real-Time, whose events the daemon does not use'],
  [/^(?:viewer_?count|viewers)$/i, 'events carry no viewer count: use a `state` or `threshold` trigger, or `only_if`'],
];

/** One list of a pattern, with the field it applies to. */
interface Leaf {
  readonly field: string;
  readonly members: readonly unknown[];
  readonly path: Path;
}

/** The events that the part of a pattern read so far can still match. */
interface Scope {
  readonly types: readonly string[];
  /** The pattern may mean a detail type that our tables do not have: nothing is known of its fields. */
  readonly open: boolean;
  /** By the naming fields; undefined: any. */
  readonly names: readonly string[] | undefined;
}

const anyEvent: Scope = { types: typeNames, open: false, names: undefined };

export interface EventLintOptions {
  /** How to judge a field that a known detail type does not have. */
  readonly unknownFields?: 'error' | 'warn';
}

/** What in an event pattern no IVS event can match, and what was unknown when our table was made. */
export function lintEventPattern(pattern: Matcher, path: Path, options: EventLintOptions = {}): LintFinding[] {
  const ofEnvelope = problemsOfFields(pattern.source, envelopeFields).filter(({ severity }) => severity === 'warning');
  const findings = [
    ...ofEnvelope.map((problem) => ({ ...problem, path: [...path, ...problem.path] })),
    ...lintFields({ prefix: '', source: pattern.source, path }, anyEvent, options),
  ];
  if (findings.length > 0 || eventsMatching(pattern).length > 0) return findings;
  if (hasNewer(pattern)) {
    const message = `no event known as of ${eventsKnownAsOf} matches; newer ones will be tried`;
    return [{ path, message, severity: 'warning' }];
  }
  const message =
    'no event of Amazon IVS matches all of this: look at source, detail-type, resources and the name of the event together';
  return [{ path, message, severity: 'error' }];
}

/** A part of a pattern, with the name of the field that contains it. */
interface PatternPart {
  /** Empty, or with a dot at its end. */
  readonly prefix: string;
  readonly source: Readonly<Record<string, unknown>>;
  readonly path: Path;
}

function lintFields(part: PatternPart, outer: Scope, options: EventLintOptions): LintFinding[] {
  const { leaves, choices } = piecesOf(part);
  const scope = narrowed(outer, leaves);
  return [
    ...leaves.flatMap((leaf) => lintLeaf(leaf, scope, options)),
    ...choices.flatMap((sides) => sides.flatMap((side) => lintFields(side, scope, options))),
  ];
}

/** The events that a pattern can match; for a `$or`, those that any alternative can. */
function scopeOf(source: Readonly<Record<string, unknown>>, outer: Scope): Scope {
  return scopeOfPart({ prefix: '', source, path: [] }, outer);
}

function scopeOfPart(part: PatternPart, outer: Scope): Scope {
  const { leaves, choices } = piecesOf(part);
  let scope = narrowed(outer, leaves);
  for (const choice of choices) {
    const within = scope;
    const sides = choice.map((side) => scopeOfPart(side, within));
    const names = sides.flatMap((side) => side.names ?? []);
    scope = {
      types: [...new Set(sides.flatMap((side) => side.types))],
      open: sides.some(({ open }) => open),
      names: sides.every((side) => side.names !== undefined) ? [...new Set(names)] : undefined,
    };
  }
  return scope;
}

/** The lists of a pattern with their full names, and the alternatives of its `$or`s. */
function piecesOf(part: PatternPart): { leaves: readonly Leaf[]; choices: readonly (readonly PatternPart[])[] } {
  const leaves: Leaf[] = [];
  const choices: (readonly PatternPart[])[] = [];
  const gather = ({ prefix, source, path }: PatternPart): void => {
    for (const [name, value] of Object.entries(source)) {
      const field = prefix + name;
      const at = [...path, name];
      if (name === '$or') {
        choices.push(
          (value as Record<string, unknown>[]).map((side, index) => ({ prefix, source: side, path: [...at, index] })),
        );
      } else if (Array.isArray(value)) leaves.push({ field, members: value, path: at });
      else gather({ prefix: `${field}.`, source: value as Record<string, unknown>, path: at });
    }
  };
  gather(part);
  return { leaves, choices };
}

function narrowed(outer: Scope, leaves: readonly Leaf[]): Scope {
  let { types: possible, open, names } = outer;
  for (const { field, members } of leaves) {
    if (field === 'detail-type') {
      possible = possible.filter((name) => matches(members, name));
      // What matches nothing that we know may be newer than the table.
      open ||= members.some((member) => !typeNames.some((name) => matches([member], name)));
    }
  }
  for (const { field, members } of leaves) {
    const inDetail = field.startsWith('detail.') ? field.slice(7) : '';
    const asNaming = inDetail === 'limit' ? 'limit_name' : inDetail;
    const named = possible.filter((name) => types[name]!.field === asNaming);
    if (named.length === 0) continue;
    possible = named;
    const known = named.flatMap((name) => types[name]!.names.filter((candidate) => matches(members, candidate)));
    const newer = members.some(
      (member) => !named.some((name) => types[name]!.names.some((one) => matches([member], one))),
    );
    names = newer ? undefined : names ? names.filter((name) => known.includes(name)) : known;
  }
  return { types: possible, open, names };
}

function matches(members: readonly unknown[], value: string): boolean {
  const compiled = compilePattern({ value: members });
  return compiled.ok && compiled.match({ value });
}

function lintLeaf({ field, members, path }: Leaf, scope: Scope, options: EventLintOptions): LintFinding[] {
  if (field === 'source') {
    return findings('source', members, { type: 'text', values: ['aws.ivs'], always: true }, path);
  }
  if (field === 'detail-type') return lintDetailTypes(members, path);
  if (!field.startsWith('detail.')) return [];
  const name = field.slice('detail.'.length);
  const having = scope.types.filter((type) => Object.hasOwn(types[type]!.detail, topOf(name)));
  if (having.length === 0) {
    return unknownField(topOf(name), scope, path, options);
  }
  const shapes = having.map((type) => types[type]!.detail[topOf(name)]!);
  if (topOf(name) !== name)
    return [{ path, message: `detail.${topOf(name)} has no fields of its own`, severity: 'error' }];
  const { names } = scope;
  const carried = shapes.flatMap(({ only }) => only ?? []);
  if (names && !scope.open && isNeverIn(shapes, names)) {
    const message = `${field} comes only with ${carried.join(', ')}, and this pattern asks for ${names.join(', ')}`;
    return onlyAbsent(members) ? [] : [{ path, message, severity: 'error' }];
  }
  const misplaced = members.flatMap((member, index) => {
    const owner =
      having.some((type) => types[type]!.field === topOf(name)) && !scope.open ? ownerOf(member, having) : undefined;
    const message = `${field}: ${String(member)} is an event of ${owner}, and this pattern asks for ${having.join(', ')}`;
    return owner === undefined ? [] : [{ path: [...path, index], message, severity: 'error' } as const];
  });
  return misplaced.length > 0 ? misplaced : findings(field, members, shapeOfDetail(shapes), path);
}

/** The detail type that has events of this name, if none of the requested types does. */
function ownerOf(name: unknown, asked: readonly string[]): string | undefined {
  const owners = typeNames.filter((type) => types[type]!.names.some((known) => known === name));
  return owners.some((owner) => asked.includes(owner)) ? undefined : owners[0];
}

/** Whether none of the named events carries the field. */
function isNeverIn(shapes: readonly DetailField[], names: readonly string[]): boolean {
  return shapes.every(({ only }) => only !== undefined && !only.some((one) => names.includes(one)));
}

function unknownField(name: string, scope: Scope, path: Path, options: EventLintOptions): LintFinding[] {
  // Nothing is known of the fields of a newer detail type.
  if (scope.open || scope.types.length === 0) return [];
  const severity = options.unknownFields === 'warn' ? 'warning' : 'error';
  return [{ path, message: `no event has detail.${name}: ${whereElse(name, scope.types)}`, severity }];
}

function topOf(name: string): string {
  return name.split('.')[0]!;
}

function findings(field: string, members: readonly unknown[], shape: FieldShape, path: Path): LintFinding[] {
  return problemsOfMembers(field, members, shape, path);
}

/** One shape for a field of several detail types, with all of their values. */
export function shapeOfDetail(shapes: readonly DetailField[]): FieldShape {
  const [{ type, format }] = shapes as readonly [DetailField];
  if (type === 'number') return { type, least: 0 };
  const values = shapes.flatMap((shape) => shape.values ?? []);
  if (shapes.every((shape) => shape.values !== undefined)) {
    return { type: 'text', values: [...new Set(values)], knownAsOf: eventsKnownAsOf };
  }
  return format === undefined ? { type: 'text' } : { type: 'text', format };
}

function lintDetailTypes(members: readonly unknown[], path: Path): LintFinding[] {
  return members.flatMap((member, index): LintFinding[] => {
    const other =
      typeof member === 'string' && Object.hasOwn(otherDetailTypes, member) ? otherDetailTypes[member] : undefined;
    if (other !== undefined) {
      const what =
        other === 'cloudtrail'
          ? 'is an API call that CloudTrail reports'
          : 'is an event of Amazon IVS Real-Time (stages)';
      const message = `detail-type: ${member as string} exists: it ${what}; the daemon does not use it, so this never fires`;
      return [{ path: [...path, index], message, severity: 'error' }];
    }
    const shape = { type: 'text', values: typeNames, knownAsOf: eventsKnownAsOf, always: true } as const;
    return problemsOfMembers('detail-type', [member], shape, path).map((problem) => ({
      ...problem,
      path: [...path, index],
    }));
  });
}

/** Where a field that `detail` does not have is, or what to use instead. */
function whereElse(name: string, possible: readonly string[]): string {
  const hint = elsewhere.find(([pattern]) => pattern.test(name))?.[1];
  if (hint !== undefined) return hint;
  const known = [...new Set(possible.flatMap((type) => Object.keys(types[type]!.detail)))];
  const meant = didYouMean(name, known);
  if (meant !== '') return meant.slice(2, -1);
  const owners = typeNames.filter((type) => Object.hasOwn(types[type]!.detail, name));
  if (owners.length > 0) return `it is a field of ${owners.join(', ')}`;
  const similar = known.filter((field) => field.split('_')[0] === name.split('_')[0]);
  return `there are ${(similar.length > 0 ? similar : known).join(', ')}`;
}

/** The detail types that a pattern names and our table does not have, as written: texts, or tests that no known type passes. */
export function newerDetailTypes(pattern: Matcher): readonly unknown[] {
  const others = Object.keys(otherDetailTypes);
  const isNewer = (member: unknown) => ![...typeNames, ...others].some((name) => matches([member], name));
  const of = (part: PatternPart): unknown[] => {
    const { leaves, choices } = piecesOf(part);
    const own = leaves.flatMap(({ field, members }) => (field === 'detail-type' ? members.filter(isNewer) : []));
    return [...own, ...choices.flat().flatMap(of)];
  };
  return of({ prefix: '', source: pattern.source, path: [] });
}

/** What is wrong with naming `detail.<segments>` in a template or in `group_by` of a rule with this pattern. */
export function lintDetailField(
  pattern: Matcher,
  segments: readonly unknown[],
  path: Path,
  options: EventLintOptions,
): LintFinding[] {
  const [name, ...rest] = segments;
  if (typeof name !== 'string') return [];
  const scope = scopeOf(pattern.source, anyEvent);
  const having = scope.types.filter((type) => Object.hasOwn(types[type]!.detail, name));
  if (having.length === 0) return unknownField(name, scope, path, options);
  const shapes = having.map((type) => types[type]!.detail[name]!);
  if (rest.length > 0 && shapes.every(({ type }) => type !== 'texts') && !universal.includes(String(rest[0]))) {
    return [{ path, message: `detail.${name} has no fields of its own`, severity: 'error' }];
  }
  const { names } = scope;
  if (names && !scope.open && isNeverIn(shapes, names)) {
    const carriers = shapes.flatMap(({ only }) => only ?? []).join(', ');
    const message = `detail.${name} comes only with ${carriers}, and this rule is for ${names.join(', ')}`;
    return [{ path, message, severity: 'error' }];
  }
  return [];
}

/** The properties that Liquid has on every text and list. */
const universal = ['size', 'first', 'last'];

interface SampleEvent {
  readonly document: object;
  readonly name: string;
  readonly ofAccount: boolean;
}

/** One event of each name, with the fields that tell them apart. */
const samples: readonly SampleEvent[] = Object.entries(types).flatMap(([detailType, { field, names }]) =>
  names.map((name): SampleEvent => {
    const ofAccount = namesNoChannel(name);
    const detail = field === 'limit_name' ? { limit_name: name, limit: name } : { [field]: name };
    return {
      name,
      ofAccount,
      document: {
        source: 'aws.ivs',
        'detail-type': detailType,
        resources: ofAccount ? [] : ['arn:aws:ivs:us-west-2:111122223333:channel/x'],
        detail,
      },
    };
  }),
);

/** The names of the IVS events that the pattern can match, judged by detail-type and name. */
export function eventsMatching(pattern: Matcher): readonly string[] {
  return matchingSamples(pattern).map(({ name }) => name);
}

/** Whether all events that the pattern can match name no channel. */
export function matchesOnlyAccountEvents(pattern: Matcher): boolean {
  const matching = matchingSamples(pattern);
  return matching.length > 0 && matching.every(({ ofAccount }) => ofAccount) && !hasNewer(pattern);
}

/** Whether the pattern names detail types or names that are newer than our table. */
function hasNewer(pattern: Matcher): boolean {
  const { open, names } = scopeOf(pattern.source, anyEvent);
  return open || names === undefined;
}

/** Whether the pattern can match an event that names no channel. */
export function matchesAccountEvents(pattern: Matcher): boolean {
  return matchingSamples(pattern).some(({ ofAccount }) => ofAccount);
}

function matchingSamples(pattern: Matcher): readonly SampleEvent[] {
  const narrow = onlyNamingFields(pattern.source, '');
  const compiled = Object.keys(narrow).length === 0 ? undefined : compilePattern(narrow);
  return samples.filter(({ document }) => !compiled?.ok || compiled.match(document));
}

const namingFields: ReadonlySet<string> = new Set([
  'source',
  'detail-type',
  'detail.limit',
  ...Object.values(types).map(({ field }) => `detail.${field}`),
]);

/** The pattern without the fields that the samples do not have. */
function onlyNamingFields(source: Readonly<Record<string, unknown>>, prefix: string): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(source)) {
    const full = prefix + name;
    if (name === '$or') {
      const parts = (value as Record<string, unknown>[]).map((part) => onlyNamingFields(part, prefix));
      // An alternative that asks for something else may match anything.
      if (parts.every((part) => Object.keys(part).length > 0)) kept[name] = parts;
    } else if (Array.isArray(value)) {
      if (namingFields.has(full) || (full === 'resources' && onlyAbsent(value))) kept[name] = value;
    } else {
      const inner = onlyNamingFields(value as Record<string, unknown>, `${full}.`);
      if (Object.keys(inner).length > 0) kept[name] = inner;
    }
  }
  return kept;
}

function onlyAbsent(members: readonly unknown[]): boolean {
  return members.every((member) => JSON.stringify(member) === '{"exists":false}');
}
