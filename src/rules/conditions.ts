// Whether the condition of a rule holds for a channel right now, and since when. Pure: every late timer is checked again here.
import type { Pattern } from '#domain/action.ts';
import type { Values } from '#domain/decision.ts';
import type { StreamDocument } from '#domain/documents.ts';
import type { Rule } from '#domain/rule.ts';
import type { Cause } from '#domain/rule-memory.ts';
import { adBreakAt, type StreamRecord } from '#domain/stream-record.ts';
import type { ChannelView } from './channel-view.ts';
import { reachedAgeMs } from './clocked.ts';
import { selects } from './rule-index.ts';

/** The part of a condition that failed, with the values it read: built on demand, since most conditions do not hold. */
export type ConditionVerdict =
  | { readonly holds: true }
  | { readonly holds: false; readonly failed: 'trigger' | 'match' | 'while'; readonly values: () => Values };

const holds: ConditionVerdict = { holds: true };

/** Trigger, `match` and `while` of a rule about a channel; for rules of moments the cause satisfies the trigger. */
export function checkCondition(rule: Rule, view: ChannelView, cause: Cause | undefined): ConditionVerdict {
  if (rule.trigger.kind === 'state' && !rule.trigger.pattern.match(view.stream)) return failed('trigger', view.stream);
  if (rule.trigger.kind === 'threshold' && cause && !isBeyond(rule.trigger, view, cause))
    return failed('trigger', view.stream);
  if (!selects(rule, view)) return { holds: false, failed: 'match', values: () => channelValues(rule, view) };
  if (rule.while && !rule.while.match(view.stream)) return failed('while', view.stream);
  return holds;
}

function isBeyond(
  trigger: Extract<Rule['trigger'], { kind: 'threshold' }>,
  { stream }: ChannelView,
  { streamId, threshold }: Cause,
): boolean {
  if (stream.viewerCount === undefined || stream.streamId !== streamId || !threshold) return false;
  return trigger.direction === 'rises_to'
    ? stream.viewerCount >= threshold.value
    : stream.viewerCount <= threshold.value;
}

function failed(part: 'trigger' | 'while', stream: StreamDocument): ConditionVerdict {
  return { holds: false, failed: part, values: () => streamValues(stream) };
}

/** The stream's values as a journal shows them. */
export function streamValues(stream: StreamDocument): Values {
  return { ...stream };
}

/** No tag and no setting can be this text. */
const notThere = '(not there)';

/** What a journal shows of a channel that `match` does not select: its tags, and each field that is asked for, even if it is absent. */
function channelValues({ match }: Rule, { channel }: ChannelView): Values {
  const tags = Object.entries(channel.tags).map(([key, value]) => [`tag_${key}`, value] as const);
  const asked = askedFields(match?.source ?? {}).map(([top = '', ...rest]) => {
    const key = rest.join('.');
    if (top === 'tags') return [`tag_${key}`, channel.tags[key] ?? notThere] as const;
    const value = channel[top as keyof typeof channel];
    const inner = rest.length === 0 ? value : (value as Readonly<Record<string, unknown>> | undefined)?.[key];
    return [[top, ...rest].join('.'), isPlain(inner) ? inner : notThere] as const;
  });
  return { name: channel.name, ...Object.fromEntries(tags), ...Object.fromEntries(asked) };
}

function isPlain(value: unknown): value is Values[string] {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** The paths of a pattern's lists, whether written as `a: {b: …}` or `a.b: …`. */
function askedFields(pattern: Pattern, above: readonly string[] = []): (readonly string[])[] {
  return Object.entries(pattern).flatMap(([name, value]) => {
    if (name === '$or') return (value as readonly Pattern[]).flatMap((part) => askedFields(part, above));
    const path = [...above, ...name.split('.')];
    return Array.isArray(value) ? [path] : askedFields(value as Pattern, path);
  });
}

/** Fields of StreamDocument in which two states of a channel differ. */
export function changedFields(before: StreamDocument, after: StreamDocument): ReadonlySet<string> {
  const changed = new Set<string>();
  for (const fields of [Object.keys(before), Object.keys(after)])
    for (const field of fields)
      if (before[field as keyof StreamDocument] !== after[field as keyof StreamDocument]) changed.add(field);
  return changed;
}

/** Now, and the ages of a stream that the rule names. */
export interface RuleClock {
  readonly nowMs: number;
  readonly ages: readonly number[];
}

/**
 * When a condition on the stream began: the latest time at which one of the changed fields took its present value.
 * Never in the future. Without a change (a new rule, a new tag) all fields that the rule names count.
 */
export function conditionSinceMs(record: StreamRecord | undefined, fields: Iterable<string>, clock: RuleClock): number {
  const { nowMs } = clock;
  if (!record) return nowMs;
  let sinceMs = 0;
  for (const field of fields) {
    const since = sinceOf(record, field, clock);
    if (since !== undefined) sinceMs = Math.max(sinceMs, since);
  }
  return sinceMs === 0 ? nowMs : Math.min(sinceMs, nowMs);
}

/**
 * When a condition that was dated `sinceMs` began according to what is known now, if the fields still have those values. A field that took
 * its value later than was known moves it later. It moves earlier only if these same fields dated it: otherwise another value
 * that satisfied it came first, and what is known of this one changes nothing.
 */
export function revisedSinceMs(
  sinceMs: number,
  {
    before,
    after,
    fields,
    clock,
  }: {
    readonly before: StreamRecord;
    readonly after: StreamRecord;
    readonly fields: readonly string[];
    readonly clock: RuleClock;
  },
): number {
  const moved = fields.filter((field) => sinceOf(before, field, clock) !== sinceOf(after, field, clock));
  if (moved.length === 0) return sinceMs;
  if (sinceMs === conditionSinceMs(before, fields, clock)) return conditionSinceMs(after, fields, clock);
  const later = moved.filter((field) => (sinceOf(after, field, clock) ?? 0) > (sinceOf(before, field, clock) ?? 0));
  return later.length === 0 ? sinceMs : Math.max(sinceMs, conditionSinceMs(after, later, clock));
}

function sinceOf(record: StreamRecord, field: string, { nowMs, ages }: RuleClock): number | undefined {
  switch (field) {
    case 'ageSeconds':
      return reachedAgeMs(record, ages, nowMs) ?? record.stateSinceMs;
    case 'adBreak': {
      const ended = record.adBreaks?.find(({ endsAtMs }) => endsAtMs <= nowMs)?.endsAtMs;
      return adBreakAt(record, nowMs)?.insertedAtMs ?? Math.max(ended ?? 0, record.stateSinceMs);
    }
    case 'health':
      // A health belongs to a live stream: it lasts no longer than the stream is live.
      return Math.max(record.healthSinceMs, record.stateSinceMs);
    case 'viewerCount':
      return record.viewerCountAtMs;
    case 'recording':
      return record.recordingSinceMs;
    default:
      return record.stateSinceMs;
  }
}
