// Runs one rule test in virtual time and compares what was decided with what was expected.
import { isDeepStrictEqual } from 'node:util';
import { formatProblem } from '#config/problem.ts';
import type { ChannelArn } from '#domain/channel.ts';
import type { Decision } from '#domain/decision.ts';
import { durationMs, formatDuration } from '#domain/duration.ts';
import type { Ruleset } from '#domain/rule.ts';
import { hold, pause, release, resume, silence } from '#rules/controls.ts';
import { channelsOf, type TimelineStep } from './timeline.ts';
import type { Expectation, FullStep, Trial } from './trial-file.ts';
import { type PlannedJob, VirtualWorld } from './world.ts';

export interface TrialResult {
  readonly name: string;
  /** One text of several lines for each expectation that was not met. */
  readonly failures: readonly string[];
  readonly decisions: number;
}

/** Runs a test against a ruleset. */
export async function runTrial(trial: Trial, ruleset: Ruleset): Promise<TrialResult> {
  const world = new VirtualWorld({
    ruleset: trial.mode === 'enforce' ? enforced(ruleset) : ruleset,
    startMs: trial.startMs,
  });
  await world.setChannels([...trial.channels.values()]);
  for (const { channel, isOther } of trial.channels.values())
    if (isOther) world.setHealth(channel.arn, 'HEALTHY', 'poll');
  const moments = Map.groupBy(trial.timeline, ({ atMs }) => atMs);
  if (!moments.has(0)) await world.flush();
  for (const [atMs, steps] of moments) {
    await world.advanceTo(trial.startMs + atMs);
    for (const step of steps) await take(world, trial, step);
    await world.flush();
  }
  const expectedUntil = trial.expectations.map(({ at }) => durationMs(at ?? '0s'));
  await world.advanceTo(trial.startMs + Math.max(0, ...moments.keys(), ...expectedUntil));
  const failures = trial.expectations.flatMap((expectation) => {
    const failure = compare(world, trial, expectation);
    return failure === undefined ? [] : [failure];
  });
  return { name: trial.name, failures, decisions: world.decisions.length };
}

/** The ruleset with every dry-run rule switched on: a test asks what a rule does when it is allowed to. */
export function enforced(ruleset: Ruleset): Ruleset {
  return {
    ...ruleset,
    rules: ruleset.rules.map((rule) => (rule.mode === 'dry_run' ? { ...rule, mode: 'enforce' as const } : rule)),
  };
}

async function take(world: VirtualWorld, trial: Trial, step: TimelineStep | FullStep): Promise<void> {
  if (step.kind === 'full') {
    await takeFull(world, trial, step);
    return;
  }
  const who = 'test';
  const arns = step.channels.map((id) => trial.channels.get(id)!.channel.arn);
  switch (step.kind) {
    case 'health':
      for (const arn of arns) world.setHealth(arn, step.health, step.by);
      return;
    case 'viewers':
      for (const arn of arns) world.setViewers(arn, step.count);
      return;
    case 'tags':
      await world.setChannels(arns.map((arn) => ({ channel: withTags(world, arn, step) })));
      return;
    case 'event':
      for (const arn of arns.length === 0 ? [undefined] : arns) {
        if (arn !== undefined) world.believeEvent(arn, step.name);
        world.sendEvent(arn, step.detailType, { [step.field]: step.name }, { lateMs: step.lateMs });
      }
      return;
    case 'http':
      for (const arn of arns.length === 0 ? [undefined] : arns) await sendHttp(world, arn, { name: step.name });
      return;
    case 'hold':
      for (const channelArn of arns) await control(world, (tx) => hold(tx, { channelArn, who, reason: step.reason }));
      return;
    case 'release':
      for (const channelArn of arns)
        await control(world, (tx) => release(tx, { channelArn, who, reason: step.reason }));
      return;
    case 'pause':
      await control(world, (tx) => pause(tx, { who, reason: step.reason }));
      return;
    case 'resume':
      await control(world, (tx) => resume(tx, { who, reason: step.reason }));
      return;
    case 'silence':
      await control(world, (tx) =>
        silence(tx, { matchers: [step.matcher], who, reason: 'test', endsMs: tx.nowMs + step.forMs }),
      );
      return;
    case 'gap':
      await world.observe({ kind: 'data_gap', source: step.source, state: step.state, atMs: world.nowMs });
  }
}

async function takeFull(world: VirtualWorld, trial: Trial, { channel, event, http, lateMs }: FullStep): Promise<void> {
  const arn = channel === undefined ? undefined : trial.channels.get(channel)!.channel.arn;
  if (http) await sendHttp(world, arn, http);
  if (!event) return;
  const { 'detail-type': detailType = 'IVS Stream State Change', detail = {}, ...envelope } = event;
  const fields = detail as Record<string, unknown>;
  if (arn !== undefined && typeof fields['event_name'] === 'string') world.believeEvent(arn, fields['event_name']);
  world.sendEvent(arn, String(detailType), fields, { lateMs, envelope });
}

let requests = 0;

async function sendHttp(
  world: VirtualWorld,
  channelArn: ChannelArn | undefined,
  { name, body = {} }: { name: string; body?: unknown },
): Promise<void> {
  requests += 1;
  await world.observe({ kind: 'http', requestId: `test-${requests}`, name, channelArn, body, atMs: world.nowMs });
}

function control(world: VirtualWorld, act: (tx: Parameters<typeof pause>[0]) => unknown): Promise<void> {
  return world.commit((tx) => {
    act(tx);
    return [];
  });
}

function withTags(world: VirtualWorld, arn: ChannelArn, { set, remove }: TimelineStep & { kind: 'tags' }) {
  const { channel } = world.channels.get(arn)!;
  const tags = Object.entries({ ...channel.tags, ...set }).filter(([key]) => !remove.includes(key));
  return { ...channel, tags: Object.fromEntries(tags) };
}

/** Why an expectation is not met, with everything its rule decided; undefined when it is. */
function compare(world: VirtualWorld, trial: Trial, expectation: Trial['expectations'][number]): string | undefined {
  const { at, rule, channel, decision, reason, jobs, skipped, params, count } = expectation;
  const atMs = at === undefined ? undefined : trial.startMs + durationMs(at);
  const arns =
    channel === undefined
      ? undefined
      : channelsOf(channel, [...trial.channels.keys()]).map((id) => trial.channels.get(id)!.channel.arn as string);
  const isMeant = (one: { atMs: number; rule: string; channelArn?: string | undefined }) =>
    one.rule === rule &&
    (atMs === undefined || one.atMs === atMs) &&
    (arns === undefined || (one.channelArn !== undefined && arns.includes(one.channelArn)));
  const decided = world.decisions.filter(isMeant);
  const planned = world.jobs.filter(isMeant);
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
  if (complaints.length === 0) return undefined;
  return [
    formatProblem({ ...expectation.place, message: describe(expectation) }),
    ...complaints.map((line) => `  ${line}`),
    ...story(world, trial, rule),
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

const maxStoryLines = 40;

/** Everything a rule decided and asked for, in time. */
function story(world: VirtualWorld, trial: Trial, rule: string): string[] {
  const shortOf = (arn: string | undefined) =>
    [...trial.channels].find(([, { channel }]) => channel.arn === arn)?.[0] ?? arn ?? '-';
  const time = (ms: number) => formatDuration(ms - trial.startMs).padStart(8);
  const lines = [
    ...world.decisions
      .filter((one) => one.rule === rule)
      .map((one) => {
        const refused = one.guards.find(({ passed }) => !passed);
        const why = refused ? ` (${refused.guard}: ${JSON.stringify(refused.values)})` : '';
        return {
          atMs: one.atMs,
          text: `${time(one.atMs)}  ${shortOf(one.channelArn)}  ${one.outcome} ${one.reason}${why}`,
        };
      }),
    ...world.jobs
      .filter((one) => one.rule === rule)
      .map((one) => ({
        atMs: one.atMs,
        text: `${time(one.atMs)}  ${shortOf(one.channelArn)}  job ${one.action}${one.skipped ? ', skipped by only_if' : ''}`,
      })),
  ];
  if (lines.length === 0) return ['  the rule decided nothing at all'];
  const texts = lines.sort((left, right) => left.atMs - right.atMs).map(({ text }) => `  ${text}`);
  const more = texts.length > maxStoryLines ? [`    … and ${texts.length - maxStoryLines} more`] : [];
  return ['  what happened:', ...texts.slice(0, maxStoryLines), ...more];
}
