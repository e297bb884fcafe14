// The lines of a rule test's timeline: `10s ch/a STARVING`, `5m ch/m{1..12} Starvation Start 20m late`, `1h pause drill`.

import { parseDuration } from '#domain/duration.ts';
import { ivsEvents, namesNoChannel } from '#domain/ivs-events.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import type { DataSource } from '#domain/observation.ts';
import { checkLabelMatcher } from '#rules/label-values.ts';
import type { NoticedBy } from './world.ts';

/** What happens, to which channels (ids as in the test), and when. */
export type TimelineStep = { readonly atMs: number; readonly channels: readonly string[] } & (
  | { readonly kind: 'health'; readonly health: 'HEALTHY' | 'STARVING' | 'UNKNOWN' | 'OFFLINE'; readonly by: NoticedBy }
  | { readonly kind: 'viewers'; readonly count: number }
  | { readonly kind: 'tags'; readonly set: Readonly<Record<string, string>>; readonly remove: readonly string[] }
  | {
      readonly kind: 'event';
      readonly name: string;
      readonly detailType: string;
      readonly field: string;
      readonly lateMs: number;
    }
  | { readonly kind: 'http'; readonly name: string }
  | { readonly kind: 'hold' | 'release' | 'pause' | 'resume'; readonly reason: string }
  | { readonly kind: 'silence'; readonly forMs: number; readonly matcher: string }
  | { readonly kind: 'gap'; readonly source: DataSource; readonly state: 'began' | 'ended' }
);

export type TimelineResult =
  | { readonly ok: true; readonly step: TimelineStep }
  | { readonly ok: false; readonly message: string };

const healths = ['HEALTHY', 'STARVING', 'UNKNOWN', 'OFFLINE'] as const;
const fleetWords = ['pause', 'resume', 'silence', 'gap', 'http', 'account'];
const { field: limitField, names: limitNames } = ivsEvents['IVS Limit Breach'];
const accountLimits = limitNames.filter(namesNoChannel);

class LineProblem extends Error {}

/** Reads one line; channels are given by the ids of the test. */
export function parseTimelineLine(line: string, known: readonly string[]): TimelineResult {
  try {
    return { ok: true, step: parse(line, known) };
  } catch (error) {
    if (error instanceof LineProblem) return { ok: false, message: error.message };
    throw error;
  }
}

function parse(line: string, known: readonly string[]): TimelineStep {
  const [when = '', subject = '', ...rest] = line.trim().split(/\s+/);
  const atMs = parseDuration(when);
  if (atMs === undefined)
    throw new LineProblem(`expected a time such as 10s at the beginning, got ${JSON.stringify(when)}`);
  const text = rest.join(' ');
  if (fleetWords.includes(subject)) return { atMs, channels: [], ...fleetStep(subject, rest) };
  const channels = channelsOf(subject, known);
  return { atMs, channels, ...channelStep(text, rest) };
}

type Happening<S = TimelineStep> = S extends unknown ? Omit<S, 'atMs' | 'channels'> : never;

function fleetStep(word: string, rest: readonly string[]): Happening {
  const text = rest.join(' ');
  switch (word) {
    case 'pause':
    case 'resume':
      return { kind: word, reason: text };
    case 'silence': {
      const [duration = '', ...matcher] = rest;
      const forMs = parseDuration(duration);
      if (forMs === undefined)
        throw new LineProblem('expected `silence <duration> <matcher>`, such as silence 1h rule="x"');
      const parsed = checkLabelMatcher(matcher.join(' '));
      if (!parsed.ok) throw new LineProblem(parsed.message);
      return { kind: 'silence', forMs, matcher: matcher.join(' ') };
    }
    case 'gap': {
      const [source, state] = rest;
      if ((source !== 'poll' && source !== 'events') || (state !== 'began' && state !== 'ended')) {
        throw new LineProblem('expected `gap poll began`, `gap events ended` or the like');
      }
      return { kind: 'gap', source, state };
    }
    case 'http':
      return { kind: 'http', name: text };
    default: {
      const { name, lateMs } = eventWords(text);
      if (!namesNoChannel(name)) throw new LineProblem(`expected account ${accountLimits.join(' or account ')}`);
      return { kind: 'event', name, detailType: 'IVS Limit Breach', field: limitField, lateMs };
    }
  }
}

function channelStep(text: string, [word = '', ...rest]: readonly string[]): Happening {
  const health = healths.find((candidate) => candidate === word);
  if (health) {
    const by = rest.join(' ');
    if (by === '') return { kind: 'health', health, by: 'both' };
    if (by === 'by poll') return { kind: 'health', health, by: 'poll' };
    if (by === 'by event') return { kind: 'health', health, by: 'event' };
    throw new LineProblem(`expected nothing, \`by poll\` or \`by event\` after ${health}`);
  }
  if (word === 'viewers') {
    const count = /^\d+$/.test(rest.join(' ')) ? Number(rest[0]) : Number.NaN;
    if (!Number.isSafeInteger(count)) throw new LineProblem('expected `viewers <number>`');
    return { kind: 'viewers', count };
  }
  if (word === 'tags') return tagsStep(rest);
  if (word === 'hold' || word === 'release') return { kind: word, reason: rest.join(' ') };
  if (word === 'http') return { kind: 'http', name: rest.join(' ') };
  const { name, lateMs } = eventWords(text);
  for (const [detailType, { field, names }] of Object.entries(ivsEvents)) {
    if ((names as readonly string[]).includes(name)) {
      if (namesNoChannel(name)) throw new LineProblem(`${name} names no channel: write account ${name}`);
      return { kind: 'event', name, detailType, field, lateMs };
    }
  }
  const possible = [
    ...healths,
    'viewers',
    'tags',
    'hold',
    'release',
    'http',
    ...Object.values(ivsEvents).flatMap(({ names }) => names),
  ];
  throw new LineProblem(
    `${JSON.stringify(text)} cannot happen to a channel${didYouMean(name, possible)}; there are ${possible.join(', ')}`,
  );
}

function tagsStep(words: readonly string[]): Happening {
  const set: Record<string, string> = {};
  const remove: string[] = [];
  for (const word of words) {
    const equals = word.indexOf('=');
    if (word.startsWith('-')) remove.push(word.slice(1));
    else if (equals > 0) set[word.slice(0, equals)] = word.slice(equals + 1);
    else throw new LineProblem('expected `tags key=value …`, or `tags -key` to remove one');
  }
  if (words.length === 0) throw new LineProblem('expected `tags key=value …`, or `tags -key` to remove one');
  return { kind: 'tags', set, remove };
}

/** `Stream End 20m late`. */
function eventWords(text: string): { name: string; lateMs: number } {
  const late = /^(.*\S)\s+(\S+) late$/.exec(text);
  if (!late) return { name: text, lateMs: 0 };
  const lateMs = parseDuration(late[2]!);
  if (lateMs === undefined) throw new LineProblem(`expected a duration before late, got ${late[2]}`);
  return { name: late[1]!, lateMs };
}

/** `ch/a`, `ch/a,ch/b`, `ch/m{1..12}`, `ch/*`. */
export function channelsOf(subject: string, known: readonly string[]): string[] {
  return subject.split(',').flatMap((part) => {
    const range = /^(.*)\{(\d{1,5})\.\.(\d{1,5})\}$/.exec(part);
    const [, head = '', from, to] = range ?? [];
    const names = range
      ? Array.from({ length: Math.max(0, Number(to) - Number(from) + 1) }, (_, index) => head + (Number(from) + index))
      : [part];
    const matching = part.endsWith('*') && !range ? known.filter((id) => id.startsWith(part.slice(0, -1))) : names;
    const missing = matching.find((name) => !known.includes(name));
    if (missing !== undefined || matching.length === 0) {
      const name = missing ?? part;
      throw new LineProblem(
        `unknown channel ${name}${didYouMean(name, [...known, ...fleetWords])}: list it under channels`,
      );
    }
    return matching;
  });
}
