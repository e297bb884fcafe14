// Checks patterns on our own documents (StreamFacts, ChannelFacts, the envelope of an event): their fields and values are closed sets,
// so that a misspelt one, which could never match, is an error and not a rule that sleeps for ever.
import { type StreamHealth, streamHealths } from '#domain/channel.ts';
import type { ChannelFacts, StreamFacts } from '#domain/facts.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import { streamStates } from '#domain/stream-record.ts';
import type { PatternProblem } from './pattern-operators.ts';

/** What a field can hold: one of these strings, true or false, a number, any string, or anything below it. */
type Domain = readonly string[] | 'boolean' | 'number' | 'string' | 'nested';

type Fields<T> = Readonly<Record<keyof Required<T> & string, Domain>>;

export const streamFields: Fields<StreamFacts> = {
  live: 'boolean',
  state: [...streamStates, 'offline'],
  streamId: 'string',
  health: [...streamHealths] satisfies StreamHealth[],
  viewerCount: 'number',
  recording: ['none', 'recording', 'ended', 'failed'],
  failureReason: 'string',
};

export const channelFields: Fields<ChannelFacts> = {
  arn: 'string',
  id: 'string',
  region: 'string',
  account: 'string',
  name: 'string',
  type: ['BASIC', 'STANDARD', 'ADVANCED_SD', 'ADVANCED_HD'],
  latencyMode: ['NORMAL', 'LOW'],
  recordingConfigurationArn: 'string',
  tags: 'nested',
};

export const envelopeFields: Readonly<Record<string, Domain>> = {
  version: 'string',
  id: 'string',
  'detail-type': 'string',
  source: 'string',
  account: 'string',
  time: 'string',
  region: 'string',
  resources: 'string',
  'replay-name': 'string',
  detail: 'nested',
};

/** What can never match in a valid pattern on such a document. */
export function problemsOfFields(
  pattern: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, Domain>>,
): PatternProblem[] {
  return Object.entries(pattern).flatMap(([name, value]): PatternProblem[] => {
    if (name === '$or') {
      return (value as Record<string, unknown>[]).flatMap((part, index) =>
        problemsOfFields(part, fields).map(({ path, message }) => ({ path: [name, index, ...path], message })),
      );
    }
    const [top = name] = name.split('.');
    const domain = Object.hasOwn(fields, top) ? fields[top] : undefined;
    if (domain === undefined) {
      const known = Object.keys(fields);
      const message = `unknown field ${top}${didYouMean(top, known)}; there are ${known.join(', ')}`;
      return [{ path: [name], message }];
    }
    if (domain === 'nested') return [];
    if (!Array.isArray(value) || top !== name) return [{ path: [name], message: `${top} has no fields of its own` }];
    return value.flatMap((member, index) => {
      const message = problemOfMember(member, domain);
      return message === undefined ? [] : [{ path: [name, index], message: `${name}: ${message}` }];
    });
  });
}

function problemOfMember(member: unknown, domain: Domain): string | undefined {
  if (typeof member === 'object' && member !== null) {
    const [operator = ''] = Object.keys(member);
    if (operator === 'exists' || operator === 'anything-but') return undefined;
    if (operator === 'numeric') return domain === 'number' ? undefined : 'this is no number, numeric never matches it';
    return domain === 'number' || domain === 'boolean' ? `this is no string, ${operator} never matches it` : undefined;
  }
  if (domain === 'boolean') return typeof member === 'boolean' ? undefined : 'expected true or false';
  if (domain === 'number') return typeof member === 'number' ? undefined : 'expected a number, without quotation marks';
  if (typeof member !== 'string') {
    return typeof member === 'number' ? `expected a string: write "${member}" in quotation marks` : 'expected a string';
  }
  if (domain === 'string' || domain === 'nested' || domain.includes(member)) return undefined;
  return `${member} is not possible${didYouMean(member, domain)}; there are ${domain.join(', ')}`;
}
