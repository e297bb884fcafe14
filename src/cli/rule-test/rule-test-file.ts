// The file of rule tests: its structure, and its problems with their places.
import { z } from 'zod';
import { findingsOf } from '#config/issues.ts';
import { type Finding, type Problem } from '#config/problem.ts';
import { mostProblems, parseYaml } from '#config/yaml.ts';
import { actionNames, duration } from '#domain/action.ts';
import { type Channel, type ChannelArn, isChannelArn } from '#domain/channel.ts';
import { type DecisionReason, decisionOutcomes, decisionReasons } from '#domain/decision.ts';
import { durationMs } from '#domain/duration.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import type { Ruleset } from '#domain/rule.ts';
import { callNames, channelCalls } from './call-log.ts';
import { channelsOf, parseTimelineLine, type TimelineStep } from './timeline.ts';
import type { GivenRecording } from './virtual-account.ts';
import { testAccount, testRegion } from './world.ts';

const channelSchema = z.strictObject({
  arn: z.string().regex(/^[A-Za-z0-9:/_-]{1,128}$/, 'expected an ARN, or a short name such as ch/a'),
  count: z.number().int().min(1).max(10_000).optional().describe('Creates this many: ch/m becomes ch/m1, ch/m2, …'),
  name: z.string().optional(),
  tags: z.record(z.string(), z.string()).default({}),
  type: z.string().default('STANDARD'),
  latencyMode: z.enum(['NORMAL', 'LOW']).optional(),
  recordingConfigurationArn: z.string().optional(),
  authorized: z.boolean().optional(),
  insecureIngest: z.boolean().optional(),
  preset: z.enum(['', 'HIGHER_BANDWIDTH_DELIVERY', 'CONSTRAINED_BANDWIDTH_DELIVERY']).optional(),
  playbackRestrictionPolicyArn: z.string().optional(),
  adConfigurationArn: z.string().optional(),
  containerFormat: z.enum(['TS', 'FRAGMENTED_MP4']).optional(),
  multitrackInputConfiguration: z
    .strictObject({
      enabled: z.boolean(),
      policy: z.enum(['ALLOW', 'REQUIRE']).optional(),
      maximumResolution: z.enum(['SD', 'HD', 'FULL_HD']).optional(),
    })
    .optional(),
  viewerCount: z.number().int().nonnegative().default(0),
  key_age_days: z
    .number()
    .nonnegative()
    .max(10_000)
    .optional()
    .describe('How old its stream key is at 0s. Default: none is known'),
});

const expectationSchema = z
  .strictObject({
    at: duration.optional().describe('Exactly at this time. Default: at any time'),
    rule: z.string(),
    channel: z.string().optional(),
    decision: z
      .enum([...decisionOutcomes, 'fired', 'none'])
      .optional()
      .describe('`fired`: acted or would_act'),
    reason: z.enum(Object.keys(decisionReasons) as [DecisionReason, ...DecisionReason[]]).optional(),
    jobs: z
      .array(z.enum(actionNames as [string, ...string[]]))
      .optional()
      .describe('All jobs of the rule at that time'),
    skipped: z
      .array(z.enum(actionNames as [string, ...string[]]))
      .optional()
      .describe('Jobs that `only_if` skips'),
    params: z.record(z.string(), z.unknown()).optional().describe('For an action, what its parameters must contain'),
    calls: z
      .array(z.string().min(1))
      .optional()
      .describe('All calls of its jobs, in order, by their first words; reads only where one of its name is expected'),
    results: z
      .partialRecord(z.enum(actionNames as [string, ...string[]]), z.string().min(1))
      .optional()
      .describe('For an action, how a job ended: its outcome, and the beginning of the reason'),
    count: z.number().int().nonnegative().optional().describe('Number of such decisions'),
  })
  .refine(
    ({ decision, reason, jobs, skipped, params, calls, results }) =>
      [decision, reason, jobs, skipped, params, calls, results].some((part) => part !== undefined),
    'expected what to check: decision, reason, jobs, skipped, params, calls or results',
  );

const stepSchema = z.union([
  z.string(),
  z.strictObject({
    at: duration,
    channel: z.string().optional(),
    event: z.record(z.string(), z.unknown()).optional().describe('What differs from an ordinary event'),
    late: duration.optional(),
    http: z.strictObject({ name: z.string(), body: z.unknown().optional() }).optional(),
    approve: z.string().min(1).optional().describe('`<rule> [channel]`: a person approves what waits for it'),
    reject: z.string().min(1).optional().describe('The same, but the person rejects it'),
    by: z.string().min(1).max(64).optional().describe('Who answers. Default: test'),
  }),
]);

const fileSchema = z.strictObject({
  tests: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        start: z.iso.datetime({ offset: true }).optional().describe('When 0s is. Default: 2026-01-01T00:00:00Z'),
        channels: z.array(channelSchema).default([]),
        others: z
          .number()
          .int()
          .min(0)
          .max(10_000)
          .default(99)
          .describe('Further live and healthy channels without tags'),
        mode: z.enum(['enforce', 'as_written']).default('enforce').describe('`enforce`: dry_run rules act too'),
        world: z
          .enum(['scripted', 'reacts'])
          .default('scripted')
          .describe(
            '`reacts`: a stopped stream ends, tags change, a deleted channel is gone; `scripted`: the timeline says so',
          ),
        recording_configurations: z
          .array(
            z.strictObject({
              name: z.string().min(1).max(128),
              state: z.enum(['CREATING', 'CREATE_FAILED', 'ACTIVE']).default('ACTIVE'),
            }),
          )
          .optional()
          .describe('The existing ones. Default: every one that a job names'),
        timeline: z.array(stepSchema).min(1),
        expect: z.array(expectationSchema).min(1),
      }),
    )
    .min(1),
});

type FileDocument = z.infer<typeof fileSchema>;
export type Expectation = FileDocument['tests'][number]['expect'][number];

/** A channel that a test declares. */
interface GivenChannel {
  readonly channel: Channel;
  readonly viewerCount: number;
  readonly isOther: boolean;
  readonly keyAgeDays?: number | undefined;
}

/** A test, ready to run. */
export interface RuleTest {
  readonly name: string;
  readonly startMs: number;
  readonly mode: 'enforce' | 'as_written';
  readonly world: 'scripted' | 'reacts';
  readonly recordings: readonly GivenRecording[] | undefined;
  /** By the test's name for it. */
  readonly channels: ReadonlyMap<string, GivenChannel>;
  /** In the order of time. */
  readonly timeline: readonly (TimelineStep | FullStep | AnswerStep)[];
  readonly expectations: readonly (Expectation & { readonly place: Problem })[];
}

/** A step written as an object: a complete event or request. */
export interface FullStep {
  readonly kind: 'full';
  readonly atMs: number;
  readonly channel: string | undefined;
  readonly lateMs: number;
  readonly event: Readonly<Record<string, unknown>> | undefined;
  readonly http: { readonly name: string; readonly body?: unknown } | undefined;
}

/** A person's answer to actions that wait for approval. */
export interface AnswerStep {
  readonly kind: 'approve' | 'reject';
  readonly atMs: number;
  readonly rule: string;
  /** The test's name of the channel; undefined: any channel for which the rule waits. */
  readonly channel: string | undefined;
  readonly by: string;
}

export type RuleTestFile =
  | { readonly ok: true; readonly tests: readonly RuleTest[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Parses a file of tests for a ruleset. */
export function parseRuleTests(text: string, file: string, ruleset: Ruleset): RuleTestFile {
  const parsed = parseYaml(text, file);
  if (!parsed.ok) return parsed;
  const { value, locate } = parsed.yaml;
  const checked = fileSchema.safeParse(value, { reportInput: true });
  if (!checked.success) return { ok: false, problems: findingsOf(checked.error, fileSchema, mostProblems).map(locate) };
  const findings: Finding[] = [];
  const tests = checked.data.tests.map((test, index) =>
    ruleTestOf(test, ['tests', index], { findings, locate, ruleNames: ruleset.rules.map(({ name }) => name) }),
  );
  return findings.length > 0 ? { ok: false, problems: findings.map(locate) } : { ok: true, tests };
}

function ruleTestOf(
  test: FileDocument['tests'][number],
  path: readonly (string | number)[],
  {
    findings,
    locate,
    ruleNames,
  }: { findings: Finding[]; locate: (finding: Finding) => Problem; ruleNames: readonly string[] },
): RuleTest {
  const problem = (at: readonly (string | number)[], message: string) =>
    void findings.push({ path: [...path, ...at], message, severity: 'error' });
  const channels = new Map<string, GivenChannel>();
  test.channels.forEach((given, index) => {
    const ids =
      given.count === undefined ? [given.arn] : Array.from({ length: given.count }, (_, n) => `${given.arn}${n + 1}`);
    for (const id of ids) {
      const channel = channelOf(id, given);
      const isRepeated = [...channels.values()].some((other) => other.channel.arn === channel.arn);
      if (isRepeated) problem(['channels', index, 'arn'], `${id} is listed twice`);
      channels.set(id, { channel, viewerCount: given.viewerCount, isOther: false, keyAgeDays: given.key_age_days });
    }
  });
  const known = [...channels.keys()];
  for (let other = 1; other <= test.others; other += 1) {
    const id = `other${other}`;
    channels.set(id, { channel: channelOf(id, {}), viewerCount: 10, isOther: true });
  }
  const timeline = test.timeline.flatMap((line, index): RuleTest['timeline'] => {
    if (typeof line === 'string') {
      const result = parseTimelineLine(line, known);
      if (result.ok) return [result.step];
      problem(['timeline', index], result.message);
      return [];
    }
    const said = [line.event, line.http, line.approve, line.reject].filter((part) => part !== undefined);
    if (said.length !== 1) problem(['timeline', index], 'expected exactly one of event, http, approve, reject');
    for (const kind of ['approve', 'reject'] as const) {
      const text = line[kind];
      if (text === undefined) continue;
      const [rule = '', channel, ...rest] = text.trim().split(/\s+/);
      const at = ['timeline', index, kind];
      if (rest.length > 0) problem(at, 'expected `<rule>` or `<rule> <channel>`');
      if (!ruleNames.includes(rule)) problem(at, `unknown rule ${rule}${didYouMean(rule, ruleNames)}`);
      if (channel !== undefined && !known.includes(channel))
        problem(at, `unknown channel ${channel}${didYouMean(channel, known)}`);
      if (line.channel !== undefined || line.late !== undefined)
        problem(at, 'write the channel after the rule, and no `late`: an answer is never late');
      return [{ kind, atMs: durationMs(line.at), rule, channel, by: line.by ?? 'test' }];
    }
    if (line.by !== undefined) problem(['timeline', index, 'by'], 'by is for approve and reject');
    if (line.channel !== undefined && !known.includes(line.channel)) {
      problem(['timeline', index, 'channel'], `unknown channel ${line.channel}${didYouMean(line.channel, known)}`);
    }
    const { at, channel, late, event, http } = line;
    return [{ kind: 'full', atMs: durationMs(at), channel, lateMs: durationMs(late ?? '0s'), event, http }];
  });
  const expectations = test.expect.map((expectation, index) => {
    const at = ['expect', index];
    const { rule, channel } = expectation;
    if (!ruleNames.includes(rule)) problem([...at, 'rule'], `unknown rule ${rule}${didYouMean(rule, ruleNames)}`);
    if (channel !== undefined) {
      try {
        channelsOf(channel, known);
      } catch (error) {
        problem([...at, 'channel'], (error as Error).message);
      }
    }
    expectation.calls?.forEach((text, place) => {
      const wrong = problemOfCall(text, known);
      if (wrong !== undefined) problem([...at, 'calls', place], wrong);
    });
    for (const [action, text] of Object.entries(expectation.results ?? {}) as [string, string][]) {
      const [outcome = ''] = text.split(' ');
      if (!jobOutcomes.includes(outcome))
        problem(
          [...at, 'results', action],
          `no job ends ${outcome}${didYouMean(outcome, jobOutcomes)}; there are ${jobOutcomes.join(', ')}`,
        );
    }
    return { ...expectation, place: locate({ path: [...path, ...at], message: '', severity: 'error' }) };
  });
  return {
    name: test.name,
    startMs: Date.parse(test.start ?? '2026-01-01T00:00:00Z'),
    mode: test.mode,
    world: test.world,
    recordings: test.recording_configurations,
    channels,
    timeline: timeline.sort((left, right) => left.atMs - right.atMs),
    expectations,
  };
}

/** The possible ends of a run, as used in `results`. */
const jobOutcomes: readonly string[] = [
  'done',
  'skipped',
  'deferred',
  'already_done',
  'failed',
  'unknown',
  'retry',
  'postponed',
];

/** Why no call can begin like this, or undefined. */
function problemOfCall(text: string, known: readonly string[]): string | undefined {
  const [name = '', channel] = text.split(' ');
  if (!callNames.includes(name))
    return `no call is named ${name}${didYouMean(name, callNames)}; there are ${callNames.join(', ')}`;
  if (channel === undefined || !channelCalls.has(name)) return undefined;
  try {
    channelsOf(channel, known);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The channel for a short name. */
function channelOf(id: string, given: Partial<z.infer<typeof channelSchema>>): Channel {
  const { name, arn: _arn, count: _count, viewerCount: _viewers, ...settings } = given;
  const short = id.slice(id.lastIndexOf('/') + 1).replaceAll(/[^A-Za-z0-9-]/g, '-');
  const arn = isChannelArn(id) ? id : (`arn:aws:ivs:${testRegion}:${testAccount}:channel/${short}` as ChannelArn);
  // The defaults of a channel.
  const usual = { type: 'STANDARD', latencyMode: 'LOW', recordingConfigurationArn: '', tags: {} };
  const set = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  return { ...usual, ...(set as Partial<Channel>), arn, name: name ?? short };
}
