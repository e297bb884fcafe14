// Runs one rule test in virtual time: its timeline happens, the rules decide, the jobs run. compare.ts judges the result.
import type { ChannelArn } from '#domain/channel.ts';
import { durationMs } from '#domain/duration.ts';
import type { Ruleset } from '#domain/rule.ts';
import { waitingApprovals } from '#rules/approvals.ts';
import { hold, pause, release, resume, silence } from '#rules/controls.ts';
import { CallLog } from './call-log.ts';
import { compare, type Lived, shortOf } from './compare.ts';
import { VirtualJobs } from './jobs.ts';
import type { AnswerStep, FullStep, RuleTest } from './rule-test-file.ts';
import type { TimelineStep } from './timeline.ts';
import { VirtualAccount } from './virtual-account.ts';
import { VirtualWorld } from './world.ts';

export interface RuleTestResult {
  readonly name: string;
  /** A text of several lines for each expectation that was not met. */
  readonly failures: readonly string[];
  readonly decisions: number;
}

const dayMs = 86_400_000;

/** Runs a test against a ruleset. */
export async function runRuleTest(ruleTest: RuleTest, ruleset: Ruleset): Promise<RuleTestResult> {
  const world = new VirtualWorld({
    ruleset: ruleTest.mode === 'enforce' ? enforced(ruleset) : ruleset,
    startMs: ruleTest.startMs,
  });
  const calls = new CallLog((arn) => shortOf(ruleTest, arn));
  const account = new VirtualAccount(ruleTest.recordings);
  const jobs = new VirtualJobs({ world, ruleset, calls, account, reacts: ruleTest.world === 'reacts' });
  world.employ(jobs);
  await world.setChannels([...ruleTest.channels.values()]);
  const keys = [...ruleTest.channels.values()].flatMap(({ channel: { arn }, keyAgeDays }) =>
    keyAgeDays === undefined
      ? []
      : {
          channelArn: arn,
          keyArns: [arn.replace(':channel/', ':stream-key/')],
          readAtMs: world.nowMs - keyAgeDays * dayMs,
        },
  );
  if (keys.length > 0) await world.observe({ kind: 'keys', channels: keys, gone: [], atMs: world.nowMs });
  for (const { channel, isOther } of ruleTest.channels.values())
    if (isOther) world.setHealth(channel.arn, 'HEALTHY', 'poll');
  const moments = Map.groupBy(ruleTest.timeline, ({ atMs }) => atMs);
  if (!moments.has(0)) await world.flush();
  for (const [atMs, steps] of moments) {
    await world.advanceTo(ruleTest.startMs + atMs);
    for (const step of steps) await take(world, ruleTest, step);
    await world.flush();
  }
  const expectedUntil = ruleTest.expectations.map(({ at }) => durationMs(at ?? '0s'));
  await world.advanceTo(ruleTest.startMs + Math.max(0, ...moments.keys(), ...expectedUntil));
  const lived: Lived = { decisions: world.decisions, jobs: world.jobs, calls: calls.calls, results: jobs.results };
  const failures = ruleTest.expectations.flatMap((expectation) => {
    const failure = compare(lived, ruleTest, expectation);
    return failure === undefined ? [] : [failure];
  });
  return { name: ruleTest.name, failures, decisions: world.decisions.length };
}

/** The ruleset with every dry-run rule enforced, because a test asks what a rule does when it may act. */
export function enforced(ruleset: Ruleset): Ruleset {
  return {
    ...ruleset,
    rules: ruleset.rules.map((rule) => (rule.mode === 'dry_run' ? { ...rule, mode: 'enforce' as const } : rule)),
  };
}

async function take(world: VirtualWorld, ruleTest: RuleTest, step: RuleTest['timeline'][number]): Promise<void> {
  if (step.kind === 'full') {
    await takeFull(world, ruleTest, step);
    return;
  }
  if ('rule' in step) {
    await say(world, ruleTest, step);
    return;
  }
  const who = 'test';
  const arns = step.channels.map((id) => ruleTest.channels.get(id)!.channel.arn);
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

async function takeFull(
  world: VirtualWorld,
  ruleTest: RuleTest,
  { channel, event, http, lateMs }: FullStep,
): Promise<void> {
  const arn = channel === undefined ? undefined : ruleTest.channels.get(channel)!.channel.arn;
  if (http) await sendHttp(world, arn, http);
  if (!event) return;
  const { 'detail-type': detailType = 'IVS Stream State Change', detail = {}, ...envelope } = event;
  const fields = detail as Record<string, unknown>;
  if (arn !== undefined && typeof fields['event_name'] === 'string') world.believeEvent(arn, fields['event_name']);
  world.sendEvent(arn, String(detailType), fields, { lateMs, envelope });
}

/** One person's answer to everything of the rule that waits for approval; as in the daemon, a late answer changes nothing. */
async function say(world: VirtualWorld, ruleTest: RuleTest, { kind, rule, channel, by }: AnswerStep): Promise<void> {
  const arn = channel === undefined ? undefined : ruleTest.channels.get(channel)!.channel.arn;
  const meant = waitingApprovals(world.state.view).filter(
    (one) => one.rule === rule && (arn === undefined || one.channelArn === arn),
  );
  for (const { id } of meant)
    await world.answer({ kind, id, who: by, role: 'admin', from: 'rule test', reason: 'said in a rule test' });
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
  return world.commit(act);
}

function withTags(world: VirtualWorld, arn: ChannelArn, { set, remove }: TimelineStep & { kind: 'tags' }) {
  const { channel } = world.channels.get(arn)!;
  const tags = Object.entries({ ...channel.tags, ...set }).filter(([key]) => !remove.includes(key));
  return { ...channel, tags: Object.fromEntries(tags) };
}
