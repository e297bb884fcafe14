// Compares what a rule test expects with what happened, and explains a difference with everything its rule decided.
import { isDeepStrictEqual } from 'node:util';
import { formatProblem } from '#config/problem.ts';
import type { Decision } from '#domain/decision.ts';
import { durationMs, formatDuration } from '#domain/duration.ts';
import { beginsWith, type Call, channelCalls } from './call-log.ts';
import type { VirtualResult } from './jobs.ts';
import type { Expectation, RuleTest } from './rule-test-file.ts';
import { channelsOf } from './timeline.ts';
import type { PlannedJob } from './world.ts';

/** What a test's timeline led to, each list in the order of time. */
export interface Lived {
  readonly decisions: readonly Decision[];
  readonly jobs: readonly PlannedJob[];
  readonly calls: readonly Call[];
  readonly results: readonly VirtualResult[];
}

/** The test's name of a channel. */
export function shortOf(ruleTest: RuleTest, arn: string): string {
  return [...ruleTest.channels].find(([, { channel }]) => channel.arn === arn)?.[0] ?? arn;
}

/** Why an expectation is not met, with everything its rule decided; undefined if it is met. */
export function compare(
  lived: Lived,
  ruleTest: RuleTest,
  expectation: RuleTest['expectations'][number],
): string | undefined {
  const { at, rule, channel, decision, reason, jobs, skipped, params, count } = expectation;
  const atMs = at === undefined ? undefined : ruleTest.startMs + durationMs(at);
  const arns =
    channel === undefined
      ? undefined
      : channelsOf(channel, [...ruleTest.channels.keys()]).map(
          (id) => ruleTest.channels.get(id)!.channel.arn as string,
        );
  const isMeant = (one: { atMs: number; rule: string; channelArn?: string | undefined }) =>
    one.rule === rule &&
    (atMs === undefined || one.atMs === atMs) &&
    (arns === undefined || (one.channelArn !== undefined && arns.includes(one.channelArn)));
  const decided = lived.decisions.filter(isMeant);
  const planned = lived.jobs.filter(isMeant);
  const run = planned.filter((job) => !job.skipped);
  const alike = decided.filter((one) => hasOutcome(one, decision) && (reason === undefined || one.reason === reason));
  const complaints: string[] = [];
  if (decision === 'none') {
    const loud = reason === undefined ? decided : decided.filter((one) => one.reason === reason);
    if (loud.length > 0) complaints.push(`expected no decision, got ${loud.length}`);
  } else if (
    (decision !== undefined || reason !== undefined) &&
    (count === undefined ? alike.length === 0 : alike.length !== count)
  ) {
    const wanted = [decision, reason].filter((word) => word !== undefined).join(' ');
    complaints.push(
      `expected ${count === undefined ? '' : `${count} × `}${wanted}, got ${alike.length === 0 ? 'none' : alike.length}`,
    );
  }
  if (jobs && !sameNames(jobs, run))
    complaints.push(`expected jobs [${jobs.join(', ')}], got [${namesOf(run).join(', ')}]`);
  const left = planned.filter((job) => job.skipped);
  if (skipped && !sameNames(skipped, left)) {
    complaints.push(`expected only_if to skip [${skipped.join(', ')}], got [${namesOf(left).join(', ')}]`);
  }
  for (const [action, wanted] of Object.entries(params ?? {})) {
    const got = run.filter((job) => job.action === action);
    if (got.some((job) => contains(job.params, wanted))) continue;
    const shown = got.length === 0 ? 'no such job' : got.map((job) => JSON.stringify(job.params)).join(' and ');
    complaints.push(`expected ${action} with ${JSON.stringify(wanted)}, got ${shown}`);
  }
  complaints.push(
    ...complaintsOfCalls(expectation, lived.calls.filter(isMeant), ruleTest),
    ...complaintsOfResults(expectation, lived.results.filter(isMeant)),
  );
  if (complaints.length === 0) return undefined;
  return [
    formatProblem({ ...expectation.place, message: describe(expectation) }),
    ...complaints.map((line) => `  ${line}`),
    ...story(lived, ruleTest, rule),
  ].join('\n');
}

function describe({ at, rule, channel }: Expectation): string {
  return `${at === undefined ? 'ever' : `at ${at}`}, ${rule}${channel === undefined ? '' : `, ${channel}`}`;
}

function hasOutcome({ outcome }: Decision, wanted: Expectation['decision']): boolean {
  if (wanted === undefined) return true;
  return wanted === 'fired' ? outcome === 'acted' || outcome === 'would_act' : outcome === wanted;
}

function namesOf(jobs: readonly PlannedJob[]): string[] {
  return jobs.map(({ action }) => action).sort();
}

function sameNames(wanted: readonly string[], jobs: readonly PlannedJob[]): boolean {
  return isDeepStrictEqual([...wanted].sort(), namesOf(jobs));
}

/** Whether everything in `wanted` is in `given`; lists must be equal. */
function contains(given: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) return isDeepStrictEqual(given, wanted);
  if (typeof given !== 'object' || given === null) return false;
  return Object.entries(wanted).every(
    ([key, value]) => Object.hasOwn(given, key) && contains((given as Record<string, unknown>)[key], value),
  );
}

function complaintsOfCalls({ calls }: Expectation, got: readonly Call[], ruleTest: RuleTest): string[] {
  if (!calls) return [];
  const wanted = calls.flatMap((text) => spelledOut(text, [...ruleTest.channels.keys()]));
  const named = new Set(wanted.map((text) => text.split(' ', 1)[0]!));
  const shown = got.filter(({ text, isRead }) => !isRead || named.has(text.split(' ', 1)[0]!)).map(({ text }) => text);
  const isSame = wanted.length === shown.length && wanted.every((words, index) => beginsWith(shown[index]!, words));
  return isSame ? [] : [`expected calls [${wanted.join('; ')}], got [${shown.join('; ')}]`];
}

/** `PutMetadata ch/m{1..3}` is three calls. */
function spelledOut(text: string, known: readonly string[]): string[] {
  const [name = '', subject, ...rest] = text.split(' ');
  if (subject === undefined || !channelCalls.has(name)) return [text];
  return channelsOf(subject, known).map((channel) => [name, channel, ...rest].join(' '));
}

function complaintsOfResults({ results }: Expectation, got: readonly VirtualResult[]): string[] {
  return Object.entries(results ?? {}).flatMap(([action, wanted]) => {
    const ended = got.filter((one) => one.action === action).map(({ text }) => text);
    if (ended.some((text) => beginsWith(text, wanted ?? ''))) return [];
    return [`expected ${action} to end ${wanted}, got ${ended.length === 0 ? 'no end' : ended.join(' and ')}`];
  });
}

const maxStoryLines = 40;
const maxStoryText = 160;
/** Results that need not be listed. */
const dull: ReadonlySet<string> = new Set(['done', 'skipped only_if_false']);

/** Everything a rule decided and requested, in the order of time. */
function story(lived: Lived, ruleTest: RuleTest, rule: string): string[] {
  const nameOf = (arn: string | undefined) => (arn === undefined ? '-' : shortOf(ruleTest, arn));
  const time = (ms: number) => formatDuration(ms - ruleTest.startMs).padStart(8);
  const lines = [
    ...lived.decisions
      .filter((one) => one.rule === rule)
      .map((one) => {
        const refused = one.guards.find(({ passed }) => !passed);
        const why = refused ? ` (${refused.guard}: ${JSON.stringify(refused.values)})` : '';
        return {
          atMs: one.atMs,
          text: `${time(one.atMs)}  ${nameOf(one.channelArn)}  ${one.outcome} ${one.reason}${why}`,
        };
      }),
    ...lived.jobs
      .filter((one) => one.rule === rule)
      .map((one) => ({
        atMs: one.atMs,
        text: `${time(one.atMs)}  ${nameOf(one.channelArn)}  job ${one.action}${one.skipped ? ', skipped by only_if' : ''}`,
      })),
    ...lived.results
      .filter((one) => one.rule === rule && !dull.has(one.text))
      .map((one) => ({
        atMs: one.atMs,
        text: `${time(one.atMs)}  ${nameOf(one.channelArn)}  ${one.action}: ${one.text}`,
      })),
    ...lived.calls
      .filter((one) => one.rule === rule && !one.isRead)
      .map((one) => ({ atMs: one.atMs, text: `${time(one.atMs)}  call ${shortened(one.text)}` })),
  ];
  if (lines.length === 0) return ['  the rule decided nothing at all'];
  const texts = lines.sort((left, right) => left.atMs - right.atMs).map(({ text }) => `  ${text}`);
  const more = texts.length > maxStoryLines ? [`    … and ${texts.length - maxStoryLines} more`] : [];
  return ['  what happened:', ...texts.slice(0, maxStoryLines), ...more];
}

function shortened(text: string): string {
  return text.length <= maxStoryText ? text : `${text.slice(0, maxStoryText)}…`;
}
