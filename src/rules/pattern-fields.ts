// What the fields of our own documents (StreamDocument, ChannelDocument, the envelope of an event) can contain, and what in a pattern on
// them can never match: a misspelt field, a value of another type, a prefix that no ARN has. Such a rule would never fire or, with
// `anything-but`, act on what it was meant to exclude.
import { type StreamHealth, streamHealths } from '#domain/channel.ts';
import type { ChannelDocument, StreamDocument } from '#domain/documents.ts';
import { eventsKnownAsOf } from '#domain/ivs-events.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import { ivsRegions, problemOfRegion, regionsKnownAsOf, regionsWithoutIvs } from '#domain/regions.ts';
import { streamStates } from '#domain/stream-record.ts';
import { compilePattern } from './pattern.ts';
import { type PatternProblem, wildcardPieces } from './pattern-operators.ts';
import { formatWords, grammars, type TextFormat } from './text-grammar.ts';

/** What a field holds. */
export interface FieldShape {
  readonly type: 'text' | 'number' | 'boolean' | 'nested';
  /** The values there are. */
  readonly values?: readonly string[];
  /** Other values may be newer than our tables: the date on which these were all the known values. */
  readonly knownAsOf?: string;
  /** The format of its texts. */
  readonly format?: TextFormat | 'tag';
  /** Its numbers are not smaller. */
  readonly least?: number;
  /** Its numbers are whole. */
  readonly whole?: true;
  /** It is in every document. */
  readonly always?: true;
  /** For `nested`: its fields, if there are no others. */
  readonly fields?: FieldTable;
}

export type FieldTable = Readonly<Record<string, FieldShape>>;

type Fields<T> = Readonly<Record<keyof Required<T> & string, FieldShape>>;

/** A problem of a pattern: an error if nothing can match, a warning if only our tables say so. */
export interface FieldProblem extends PatternProblem {
  readonly severity: 'error' | 'warning';
}

const text = { type: 'text' } as const;

export const streamFields: Fields<StreamDocument> = {
  live: { type: 'boolean', always: true },
  state: { type: 'text', values: [...streamStates, 'offline'], always: true },
  streamId: { type: 'text', format: 'stream_id' },
  startTime: { type: 'text', format: 'time' },
  ageSeconds: { type: 'number', least: 0, whole: true },
  adBreak: { type: 'boolean' },
  health: { type: 'text', values: [...streamHealths] satisfies StreamHealth[] },
  viewerCount: { type: 'number', least: 0, whole: true },
  recording: { type: 'text', values: ['none', 'recording', 'ended', 'failed'], always: true },
  failureReason: text,
};

export const channelFields: Fields<ChannelDocument> = {
  arn: { type: 'text', format: 'channel_arn', always: true },
  id: { type: 'text', format: 'channel_id', always: true },
  region: { type: 'text', format: 'region', always: true },
  account: { type: 'text', format: 'account', always: true },
  name: { type: 'text', format: 'channel_name', always: true },
  type: { type: 'text', values: ['BASIC', 'STANDARD', 'ADVANCED_SD', 'ADVANCED_HD'] },
  latencyMode: { type: 'text', values: ['NORMAL', 'LOW'] },
  recordingConfigurationArn: { type: 'text', format: 'recording_configuration_arn' },
  authorized: { type: 'boolean' },
  insecureIngest: { type: 'boolean' },
  preset: { type: 'text', values: ['', 'HIGHER_BANDWIDTH_DELIVERY', 'CONSTRAINED_BANDWIDTH_DELIVERY'] },
  playbackRestrictionPolicyArn: { type: 'text', format: 'playback_restriction_policy_arn' },
  adConfigurationArn: { type: 'text', format: 'ad_configuration_arn' },
  containerFormat: { type: 'text', values: ['TS', 'FRAGMENTED_MP4'] },
  multitrackInputConfiguration: {
    type: 'nested',
    fields: {
      enabled: { type: 'boolean' },
      policy: { type: 'text', values: ['ALLOW', 'REQUIRE'] },
      maximumResolution: { type: 'text', values: ['SD', 'HD', 'FULL_HD'] },
    },
  },
  tags: { type: 'nested', format: 'tag' },
};

/** What `percent_of_live` and `count` of an aggregate are compared with. */
export const aggregateFields = {
  percent_of_live: { type: 'number', least: 0, always: true },
  count: { type: 'number', least: 0, whole: true, always: true },
} as const satisfies FieldTable;

export const envelopeFields: FieldTable = {
  version: { type: 'text', values: ['0'], knownAsOf: eventsKnownAsOf, always: true },
  id: { type: 'text', always: true },
  'detail-type': { type: 'text', always: true },
  source: { type: 'text', always: true },
  account: { type: 'text', format: 'account', always: true },
  time: { type: 'text', format: 'time', always: true },
  region: { type: 'text', format: 'region', always: true },
  // Empty for a breach of an account's limit.
  resources: { type: 'text', format: 'channel_arn' },
  'replay-name': text,
  detail: { type: 'nested' },
};

type Path = readonly (string | number)[];

/** What can never match in a valid pattern on such a document. Fields below `detail` are checked by lint/ivs-events.ts. */
export function problemsOfFields(pattern: Readonly<Record<string, unknown>>, fields: FieldTable): FieldProblem[] {
  return Object.entries(pattern).flatMap(([name, value]): FieldProblem[] => {
    if (name === '$or') {
      return (value as Record<string, unknown>[]).flatMap((part, index) =>
        problemsOfFields(part, fields).map((problem) => ({ ...problem, path: [name, index, ...problem.path] })),
      );
    }
    const [top = name] = name.split('.');
    const shape = Object.hasOwn(fields, top) ? fields[top] : undefined;
    if (shape === undefined) {
      const known = Object.keys(fields);
      const message = `unknown field ${top}${didYouMean(top, known)}; there are ${known.join(', ')}`;
      return [{ path: [name], message, severity: 'error' }];
    }
    if (shape.type === 'nested') {
      if (top === name && Array.isArray(value)) {
        return [{ path: [name], message: `${top} is an object: name one of its fields`, severity: 'error' }];
      }
      const rest = top === name ? '' : name.slice(top.length + 1);
      if (shape.fields) return problemsBelow(shape.fields, { name, rest, value });
      return shape.format === 'tag' ? problemsOfTags(value, [name], rest) : [];
    }
    if (!Array.isArray(value) || top !== name) {
      return [{ path: [name], message: `${top} has no fields of its own`, severity: 'error' }];
    }
    return problemsOfMembers(name, value, shape, [name]);
  });
}

/** In a field with fields of its own, whether written as `a: {b: …}` or `a.b: …`. */
function problemsBelow(
  fields: FieldTable,
  { name, rest, value }: { readonly name: string; readonly rest: string; readonly value: unknown },
): FieldProblem[] {
  const joined = rest !== '';
  const pattern = joined ? { [rest]: value } : (value as Readonly<Record<string, unknown>>);
  return problemsOfFields(pattern, fields).map((problem) => ({
    ...problem,
    path: [name, ...(joined ? problem.path.slice(1) : problem.path)],
  }));
}

/** Every list below `tags`, however deep: a tag's key may contain dots. */
function problemsOfTags(value: unknown, path: Path, key: string): FieldProblem[] {
  if (Array.isArray(value)) return problemsOfMembers(`tag ${key}`, value, { type: 'text', format: 'tag' }, path);
  return Object.entries(value as Record<string, unknown>).flatMap(([name, inner]) =>
    name === '$or'
      ? (inner as unknown[]).flatMap((part, index) => problemsOfTags(part, [...path, name, index], key))
      : problemsOfTags(inner, [...path, name], key === '' ? name : `${key}.${name}`),
  );
}

/** What can never match among the members of one field's list; `path` is that of the list. */
export function problemsOfMembers(
  name: string,
  members: readonly unknown[],
  shape: FieldShape,
  path: Path,
): FieldProblem[] {
  return members.flatMap((member, index): FieldProblem[] => {
    const problem =
      shape.always && members.length === 1 && isOperator(member, 'exists') && member['exists'] === false
        ? impossible('it is in every document, so this never matches')
        : problemOfMember(member, shape);
    return problem
      ? [{ path: [...path, index], message: `${name}: ${problem.message}`, severity: problem.severity }]
      : [];
  });
}

type MemberProblem = Omit<FieldProblem, 'path'>;

function impossible(message: string): MemberProblem {
  return { message, severity: 'error' };
}

function isOperator(member: unknown, name: string): member is Record<string, unknown> {
  return typeof member === 'object' && member !== null && Object.hasOwn(member, name);
}

function problemOfMember(member: unknown, shape: FieldShape): MemberProblem | undefined {
  if (typeof member !== 'object' || member === null)
    return problemOfValue(member as string | number | boolean | null, shape);
  const [operator = ''] = Object.keys(member);
  const operand = (member as Record<string, unknown>)[operator];
  switch (operator) {
    case 'exists':
      return undefined;
    case 'anything-but':
      return problemOfExcluded(operand, shape);
    case 'numeric':
      if (shape.type !== 'number') return impossible(`${whatItIs(shape)}, so numeric never matches it`);
      return canBeNumber(operand as readonly unknown[], shape)
        ? undefined
        : impossible(`${whatItIs(shape)}, and none matches ${JSON.stringify(member)}`);
    case 'cidr':
      return impossible('this field contains no address, so cidr never matches it');
    default:
      return shape.type === 'text'
        ? problemOfText(member, operator, operand, shape)
        : impossible(`${whatItIs(shape)}, so ${operator} never matches it`);
  }
}

/** `anything-but` matches all that it does not list: a member that nothing can equal excludes nothing. */
function problemOfExcluded(operand: unknown, shape: FieldShape): MemberProblem | undefined {
  if (typeof operand === 'object' && operand !== null && !Array.isArray(operand)) {
    const [inner = ''] = Object.keys(operand);
    const parts = [(operand as Record<string, unknown>)[inner]].flat();
    for (const part of parts) {
      const problem = problemOfMember({ [inner]: part }, shape);
      if (problem) return leavesNothingOut(problem);
    }
    return undefined;
  }
  for (const value of [operand as string | number | null].flat()) {
    const problem = problemOfValue(value, shape);
    if (problem) return leavesNothingOut(problem);
  }
  return undefined;
}

function leavesNothingOut(problem: MemberProblem): MemberProblem {
  return problem.severity === 'error'
    ? impossible(`${problem.message}: as written, it excludes nothing`)
    : { ...problem, message: `${problem.message}; if no such value exists, it excludes nothing` };
}

function whatItIs({ type, format, least, whole }: FieldShape): string {
  if (format === 'tag') return 'tags are text';
  if (type === 'number')
    return `this is a ${whole ? 'whole ' : ''}number${least === undefined ? '' : ` from ${least}`}`;
  return type === 'boolean' ? 'this is true or false' : 'this is text';
}

function problemOfValue(value: string | number | boolean | null, shape: FieldShape): MemberProblem | undefined {
  const { type, values, format, knownAsOf } = shape;
  if (type === 'boolean')
    return typeof value === 'boolean' ? undefined : impossible('expected true or false, without quotation marks');
  if (type === 'number') {
    if (typeof value !== 'number') return impossible('expected a number, without quotation marks');
    return isNumberOf(value, shape) ? undefined : impossible(`${whatItIs(shape)}, and never ${value}`);
  }
  if (typeof value !== 'string') {
    const what = format === 'tag' ? 'tags are text' : 'expected text';
    return value === null
      ? impossible(`${what}, and null is none: write [{exists: false}] for a field that is not there`)
      : impossible(`${what}: write "${value}" in quotation marks`);
  }
  if (values) {
    if (values.includes(value)) return undefined;
    const hint = didYouMean(value, values);
    return knownAsOf === undefined
      ? impossible(`${value} is not possible${hint}; there are ${values.join(', ')}`)
      : { severity: 'warning', message: `${value} is not known as of ${knownAsOf}${hint}; it will be tried` };
  }
  if (format === undefined || format === 'tag') return undefined;
  if (format === 'region') return problemOfRegion(value);
  if (!grammars[format]([value], { ignoresCase: false })) {
    return impossible(`${JSON.stringify(value)} is not possible; expected ${formatWords[format]}`);
  }
  return format === 'channel_arn' ? problemOfArnRegion(value) : undefined;
}

function isNumberOf(value: number, { least, whole }: FieldShape): boolean {
  return value >= (least ?? Number.NEGATIVE_INFINITY) && (!whole || Number.isInteger(value));
}

/** Whether a number of this shape passes `numeric`: the numbers that it compares with, and their neighbours, are tried. */
function canBeNumber(operand: readonly unknown[], shape: FieldShape): boolean {
  const bounds = operand.filter((part) => typeof part === 'number');
  const between = bounds.length === 2 ? [(bounds[0]! + bounds[1]!) / 2] : [];
  const beside = bounds.flatMap((bound) => [bound, bound - 1, bound + 1, Math.floor(bound), Math.ceil(bound)]);
  const compiled = compilePattern({ value: [{ numeric: operand }] });
  if (!compiled.ok) return true;
  return [...between, ...beside, shape.least ?? 0].some(
    (value) => isNumberOf(value, shape) && compiled.match({ value }),
  );
}

/** An operator on text: whether any possible text passes it. */
function problemOfText(
  member: object,
  operator: string,
  operand: unknown,
  shape: FieldShape,
): MemberProblem | undefined {
  const { values, format, knownAsOf } = shape;
  const compiled = compilePattern({ value: [member] });
  if (!compiled.ok) return undefined;
  const shown = JSON.stringify(member);
  const passes = (value: string) => compiled.match({ value });
  if (values) {
    if (values.some(passes)) return undefined;
    return knownAsOf === undefined
      ? impossible(`none of ${values.join(', ')} matches ${shown}`)
      : { severity: 'warning', message: `nothing that is known as of ${knownAsOf} matches ${shown}; it will be tried` };
  }
  if (format === undefined || format === 'tag') return undefined;
  const { pieces, ignoresCase } = piecesOf(operator, operand);
  if (!grammars[format](pieces, { ignoresCase })) {
    return impossible(`${shown} matches nothing that is possible; expected ${formatWords[format]}`);
  }
  if (format === 'region') return problemOfRegions(passes, shown);
  return format === 'channel_arn' && operator !== 'suffix' ? problemOfArnRegion(pieces[0]!) : undefined;
}

/** The pieces of text that an operator asks for, with anything between them. */
function piecesOf(operator: string, operand: unknown): { pieces: readonly string[]; ignoresCase: boolean } {
  const folded = typeof operand === 'object' ? (operand as Record<string, unknown>)['equals-ignore-case'] : operand;
  const text = String(folded);
  const ignoresCase = typeof operand === 'object' || operator === 'equals-ignore-case';
  if (operator === 'prefix') return { pieces: [text, ''], ignoresCase };
  if (operator === 'suffix') return { pieces: ['', text], ignoresCase };
  return { pieces: operator === 'wildcard' ? wildcardPieces(text) : [text], ignoresCase };
}

/** Whether a Region with Amazon IVS, according to our tables, passes a test that several Regions may pass. */
function problemOfRegions(passes: (code: string) => boolean, shown: string): MemberProblem | undefined {
  if (Object.keys(ivsRegions).some(passes)) return undefined;
  const without = Object.keys(regionsWithoutIvs).filter(passes);
  if (without.length > 0)
    return impossible(`${shown} matches ${without.join(', ')}, where Amazon IVS is not available`);
  return {
    severity: 'warning',
    message: `no Region known as of ${regionsKnownAsOf} matches ${shown}; it will be tried`,
  };
}

/** The Region of an ARN, or of the beginning of one. */
function problemOfArnRegion(text: string): MemberProblem | undefined {
  const [, region, colon] = /^arn:aws:ivs:([a-z0-9-]+)(:?)/.exec(text) ?? [];
  if (region === undefined) return undefined;
  return colon === ':' ? problemOfRegion(region) : problemOfRegions((code) => code.startsWith(region), text);
}
