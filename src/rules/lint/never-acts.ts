// Actions that can never run because of a guard, of when their rule ends, or of what it waits for.
import type { ActionName } from '#domain/action.ts';
import { holdTag } from '#domain/controls-in-force.ts';
import { formatDuration } from '#domain/duration.ts';
import type { NumberRange, Rule, Step } from '#domain/rule.ts';
import { matcherOf } from '../pattern.ts';
import { momentKinds } from '../rule-index.ts';
import type { LintFinding } from './finding.ts';
import { isReachable } from './reach.ts';

type Path = readonly (string | number)[];

const minuteMs = 60_000;
/** When the clocks are put back, an interval lasts an hour longer. */
const hourTwiceMs = 60 * minuteMs;

/** What keeps a rule, or one of its actions, from ever acting. */
export function lintNeverActs(rule: Rule, path: Path): LintFinding[] {
  const { trigger, guards } = rule;
  const error = (at: Path, message: string): LintFinding => ({ path: [...path, ...at], message, severity: 'error' });
  const findings: LintFinding[] = [];
  if (rule.mode === 'off') return findings;
  if (asksForHold(rule))
    findings.push(error(['match'], `the tag ${holdTag} stops automation on a channel, so the rule never acts`));
  if ((trigger.kind === 'event' || trigger.kind === 'http') && guards.maxEventAgeMs === 0)
    findings.push(
      error(['guards', 'max_event_age'], 'every event is older than that when it arrives: the rule never acts'),
    );
  const runMs = trigger.kind === 'schedule' ? longestRunMs(rule) : undefined;
  const isTooLate = runMs !== undefined && rule.forMs >= runMs + hourTwiceMs;
  if (isTooLate)
    findings.push(error(['for'], `the time intervals last ${formatDuration(runMs)} at most: the rule never fires`));
  for (const step of rule.actions) {
    const at = ['actions', step.index];
    const endMs = momentMs(rule) ?? (runMs === undefined ? undefined : runMs - rule.forMs);
    const slackMs = runMs === undefined ? 0 : hourTwiceMs;
    if (!isTooLate && endMs !== undefined && step.afterMs > endMs + slackMs)
      findings.push(
        error(
          [...at, 'after'],
          `the rule is over ${formatDuration(Math.max(0, endMs))} after it fires, which cancels this: the action never runs`,
        ),
      );
    if (onlyWhileLive.has(step.action) && !('targets' in step.params && step.params.targets) && !canBeLive(rule, step))
      findings.push(
        error([...at, step.action], `the rule fires only if nothing is live, but ${step.action} needs a live stream`),
      );
  }
  return findings;
}

/** Actions that have no effect without a live stream. */
const onlyWhileLive: ReadonlySet<ActionName> = new Set(['stop_stream', 'insert_ad_break']);

/** Whether only channels with the tag that holds back everything are selected. */
function asksForHold({ match }: Rule): boolean {
  if (!match) return false;
  const tags = match.source['tags'];
  const members = match.source[`tags.${holdTag}`] ?? (isRecord(tags) ? tags[holdTag] : undefined);
  return Array.isArray(members) && members.every((member) => JSON.stringify(member) !== '{"exists":false}');
}

/** How long a rule fires that is triggered by a moment and has `keep_firing_for`. */
function momentMs({ trigger, while: whilePattern, keepFiringForMs }: Rule): number | undefined {
  const isMoment = momentKinds.has(trigger.kind) && whilePattern === undefined;
  return isMoment && keepFiringForMs > 0 ? keepFiringForMs : undefined;
}

function canBeLive(rule: Rule, { onlyIf }: Step): boolean {
  const ofStream = rule.trigger.kind === 'state' ? rule.trigger.pattern : undefined;
  return isReachable([ofStream, rule.while, onlyIf, matcherOf({ live: [true] })]);
}

/** The longest that a schedule's intervals are active without a break; undefined: they may cross midnight, or time zones. */
function longestRunMs({ trigger }: Rule): number | undefined {
  if (trigger.kind !== 'schedule') return undefined;
  const ranges = trigger.intervals.flatMap((interval) => interval.ranges);
  const times = ranges.flatMap((range): readonly NumberRange[] => range.times);
  const isOpen =
    ranges.some((range) => range.times.length === 0) || times.some(([start, end]) => start === 0 || end === 1440);
  if (ranges.length === 0 || isOpen || new Set(ranges.map(({ zone }) => zone)).size > 1) return undefined;
  let longest = 0;
  let run: [number, number] = [-1, -1];
  for (const [start, end] of times.toSorted(([left], [right]) => left - right)) {
    run = start <= run[1] ? [run[0], Math.max(run[1], end)] : [start, end];
    longest = Math.max(longest, run[1] - run[0]);
  }
  return longest * minuteMs;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
