// What the fields of our own documents (StreamFacts, ChannelFacts, the envelope of an event) can hold, and what in a pattern on them can
// never match: a misspelt field, a value of another type, a prefix that no ARN has. Such a rule would sleep for ever, or, under
// `anything-but`, act on what it was to leave out.
import { type StreamHealth, streamHealths } from '#domain/channel.ts';
import type { ChannelFacts, StreamFacts } from '#domain/facts.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import { problemOfRegion } from '#domain/regions.ts';
import { streamStates } from '#domain/stream-record.ts';
import { compilePattern } from './pattern.ts';
import type { PatternProblem } from './pattern-operators.ts';

/** What a field holds. */
export interface FieldShape {
  readonly type: 'text' | 'number' | 'boolean' | 'nested';
  /** The values there are. */
  readonly values?: readonly string[];
  /** Other values may be newer than our tables: as of when these are all that was known. */
  readonly knownAsOf?: string;
  /** How its texts are made. */
  readonly format?: 'channel_arn' | 'account' | 'region' | 'tag';
  /** It is in every document. */
  readonly always?: true;
}

export type FieldTable = Readonly<Record<string, FieldShape>>;

type Fields<T> = Readonly<Record<keyof Required<T> & string, FieldShape>>;

/** A problem of a pattern: an error when nothing can match, a warning when only our tables say so. */
export interface FieldProblem extends PatternProblem {
  readonly severity: 'error' | 'warning';
}

const text = { type: 'text' } as const;

export const streamFields: Fields<StreamFacts> = {
  live: { type: 'boolean', always: true },
  state: { type: 'text', values: [...streamStates, 'offline'], always: true },
  streamId: text,
  health: { type: 'text', values: [...streamHealths] satisfies StreamHealth[] },
  viewerCount: { type: 'number' },
  recording: { type: 'text', values: ['none', 'recording', 'ended', 'failed'], always: true },
  failureReason: text,
};

export const channelFields: Fields<ChannelFacts> = {
  arn: { type: 'text', format: 'channel_arn', always: true },
  id: { type: 'text', always: true },
  region: { type: 'text', format: 'region', always: true },
  account: { type: 'text', format: 'account', always: true },
  name: { type: 'text', always: true },
  type: { type: 'text', values: ['BASIC', 'STANDARD', 'ADVANCED_SD', 'ADVANCED_HD'] },
  latencyMode: { type: 'text', values: ['NORMAL', 'LOW'] },
  recordingConfigurationArn: text,
  tags: { type: 'nested', format: 'tag' },
};

export const envelopeFields: FieldTable = {
  version: text,
  id: { type: 'text', always: true },
  'detail-type': { type: 'text', always: true },
  source: { type: 'text', always: true },
  account: { type: 'text', format: 'account', always: true },
  time: { type: 'text', always: true },
  region: { type: 'text', format: 'region', always: true },
  // Empty for a breach of an account's limit.
  resources: { type: 'text', format: 'channel_arn' },
  'replay-name': text,
  detail: { type: 'nested' },
};

type Path = readonly (string | number)[];

/** What can never match in a valid pattern on such a document. What is below `detail` is for lint/ivs-events.ts. */
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
      return shape.format === 'tag'
        ? problemsOfTags(value, [name], top === name ? '' : name.slice(top.length + 1))
        : [];
    }
    if (!Array.isArray(value) || top !== name) {
      return [{ path: [name], message: `${top} has no fields of its own`, severity: 'error' }];
    }
    return problemsOfMembers(name, value, shape, [name]);
  });
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
        ? impossible('it is in every document, so that this never matches')
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
      if (shape.type === 'number') return undefined;
      return impossible(`${whatItIs(shape)}, so that numeric never matches it`);
    case 'cidr':
      return impossible('this field holds no address, so that cidr never matches it');
    default:
      return shape.type === 'text'
        ? problemOfText(member, operator, operand, shape)
        : impossible(`${whatItIs(shape)}, so that ${operator} never matches it`);
  }
}

/** `anything-but` matches all that it does not list: a member that nothing can be leaves nothing out. */
function problemOfExcluded(operand: unknown, shape: FieldShape): MemberProblem | undefined {
  if (typeof operand === 'object' && operand !== null && !Array.isArray(operand)) {
    const [inner = ''] = Object.keys(operand);
    const parts = [(operand as Record<string, unknown>)[inner]].flat();
    for (const part of parts) {
      const problem = problemOfMember({ [inner]: part }, shape);
      if (problem) return problem;
    }
    return undefined;
  }
  for (const value of [operand as string | number | null].flat()) {
    const problem = problemOfValue(value, shape);
    if (problem) return { ...problem, message: `${problem.message}: as it is, this leaves nothing out` };
  }
  return undefined;
}

function whatItIs({ type, format }: FieldShape): string {
  if (format === 'tag') return 'tags are text';
  if (type === 'number') return 'this is a number';
  return type === 'boolean' ? 'this is true or false' : 'this is text';
}

function problemOfValue(value: string | number | boolean | null, shape: FieldShape): MemberProblem | undefined {
  const { type, values, format, knownAsOf } = shape;
  if (type === 'boolean')
    return typeof value === 'boolean' ? undefined : impossible('expected true or false, without quotation marks');
  if (type === 'number')
    return typeof value === 'number' ? undefined : impossible('expected a number, without quotation marks');
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
  if (format === 'region') return problemOfRegion(value);
  if (format === 'account') {
    return /^\d{12}$/.test(value) ? undefined : impossible(`${value} is no account: expected twelve digits`);
  }
  if (format === 'channel_arn') {
    if (!arnGrammar.is(value, false)) return impossible(`${value} is no ARN of a channel, such as ${exampleArn}`);
    return problemOfArnRegion(value);
  }
  return undefined;
}

/** An operator on text: whether any text there can be passes it. */
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
  if (values) {
    if (values.some((value) => compiled.match({ value }))) return undefined;
    return knownAsOf === undefined
      ? impossible(`none of ${values.join(', ')} matches ${shown}`)
      : { severity: 'warning', message: `nothing that is known as of ${knownAsOf} matches ${shown}; it will be tried` };
  }
  const ignoresCase = typeof operand === 'object' || operator === 'equals-ignore-case';
  const part = String(
    typeof operand === 'object' ? (operand as Record<string, unknown>)['equals-ignore-case'] : operand,
  );
  const wanted = ignoresCase && operator !== 'equals-ignore-case' ? part.toLowerCase() : part;
  const pieces = operator === 'wildcard' ? wanted.split(/(?<!\\)\*/) : [wanted];
  const canBe = (): boolean => {
    const grammar = format === 'channel_arn' ? arnGrammar : format === 'account' ? accountGrammar : regionGrammar;
    if (operator === 'prefix') return grammar.begins(wanted, ignoresCase);
    if (operator === 'suffix') return grammar.ends(wanted, ignoresCase);
    if (operator === 'equals-ignore-case' || pieces.length === 1)
      return grammar.is(wanted, operator === 'equals-ignore-case');
    return grammar.begins(pieces[0]!, false) && grammar.ends(pieces.at(-1)!, false);
  };
  if (format === undefined || format === 'tag') return undefined;
  if (canBe()) return format === 'channel_arn' && operator !== 'suffix' ? problemOfArnRegion(part) : undefined;
  return impossible(
    format === 'channel_arn'
      ? `no ARN of a channel matches ${shown}; one is ${exampleArn}`
      : `no ${format} matches ${shown}`,
  );
}

const exampleArn = 'arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl';

/** The Region of an ARN, or of as much of one as names it. */
function problemOfArnRegion(text: string): MemberProblem | undefined {
  const region = /^arn:aws:ivs:([a-z0-9-]+):/.exec(text)?.[1];
  return region === undefined ? undefined : problemOfRegion(region);
}

/** What an exact text, a beginning or an end of it can be. */
interface Grammar {
  is(text: string, ignoresCase: boolean): boolean;
  begins(text: string, ignoresCase: boolean): boolean;
  ends(text: string, ignoresCase: boolean): boolean;
}

/** A sequence of parts, each a literal or a run of characters. */
type Part = string | { readonly characters: RegExp; readonly length?: number };

/** A grammar of parts that are tried character by character, so that a beginning and an end can be judged too. */
function grammarOf(...alternatives: readonly (readonly Part[])[]): Grammar {
  // A text is possible when its characters can be laid along the parts from some place on, to some place.
  const slots = alternatives.map((parts) =>
    parts.flatMap(
      (part): { readonly fits: (character: string, folds: boolean) => boolean; readonly repeats: boolean }[] => {
        if (typeof part === 'string') {
          return Array.from(part, (literal) => ({
            fits: (character, folds) =>
              character === literal || (folds && character.toLowerCase() === literal.toLowerCase()),
            repeats: false,
          }));
        }
        const slot = {
          fits: (character: string) => part.characters.test(character),
          repeats: part.length === undefined,
        };
        return part.length === undefined ? [slot] : Array.from({ length: part.length }, () => slot);
      },
    ),
  );
  const run = (text: string, folds: boolean, { anchored, ended }: { anchored: boolean; ended: boolean }): boolean =>
    slots.some((line) => {
      let places = new Set(anchored ? [0] : line.map((_, index) => index));
      for (const character of text) {
        const next = new Set<number>();
        for (const place of places) {
          const slot = line[place];
          if (slot?.fits(character, folds)) {
            next.add(place + 1);
            if (slot.repeats) next.add(place);
          }
        }
        if (next.size === 0) return false;
        places = next;
      }
      return !ended || places.has(line.length);
    });
  return {
    is: (text, folds) => run(text, folds, { anchored: true, ended: true }),
    begins: (text, folds) => run(text, folds, { anchored: true, ended: false }),
    ends: (text, folds) => run(text, folds, { anchored: false, ended: true }),
  };
}

const regionPart: Part = { characters: /[a-z0-9-]/i };
const accountPart: Part = { characters: /\d/, length: 12 };
const arnGrammar = grammarOf([
  'arn:aws:ivs:',
  regionPart,
  ':',
  accountPart,
  ':channel/',
  { characters: /[A-Za-z0-9-]/ },
]);
const accountGrammar = grammarOf([accountPart]);
const regionGrammar = grammarOf([regionPart]);
