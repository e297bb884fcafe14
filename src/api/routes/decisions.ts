// `/v1/decisions`: what the rules decided, including not to act, and why; and a current decision for one rule and channel.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelArn } from '#domain/action.ts';
import { type DecisionReason, type Delivery, decisionOutcomes, decisionReasons } from '#domain/decision.ts';
import { iso } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import { notFound } from '#domain/not-found.ts';
import { ruleModes } from '#domain/rule.ts';
import { kinds } from '#domain/state-registry.ts';
import { checkOfGuard, checksOfDecision, shownCheck } from '#journal/checks.ts';
import { type DecisionRow, type FoundDecisions, mergePage, nextPlace, queryDecisions } from '#journal/query.ts';
import { traceOfDecision, withTrace } from '#journal/traces.ts';
import { decisionWords } from '#journal/words.ts';
import { type Explanation, explain } from '#rules/explain.ts';
import type { SeenState } from '#store/visited-state.ts';
import { moment, momentMs } from '../moment.ts';
import { type Answers, askEach, Reach, settleEach, unaskedField, unaskedOf } from '../reach.ts';
import { noRule, type RuleShards, ruleNamed } from '../rule-lookup.ts';
import { check, delivery } from './job-schemas.ts';

const time = z.iso.datetime();
const values = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const reason = z.enum(Object.keys(decisionReasons) as [DecisionReason, ...DecisionReason[]]);
const guard = z.object({ guard: z.string(), passed: z.boolean(), values });
const withheld = z.object({ action: z.string(), reason, values });

const decision = z.object({
  id: z.string(),
  at: time,
  rule: z.string(),
  mode: z.enum(ruleModes),
  outcome: z.enum(decisionOutcomes),
  reason,
  words: z.string().describe('The same in a few words: `3 min after firing`, `on hold by mara: sponsor on air`'),
  meaning: z.string().describe('The reason in a sentence'),
  channelArn: z.string().optional(),
  channelName: z.string().optional(),
  streamId: z.string().optional(),
  group: z.string(),
  cause: z.string(),
  afterMs: z.number().int().optional().describe('For an action with `after`: how long that is'),
  configHash: z.string().optional().describe('Hash of the configuration that decided'),
  count: z.number().int().describe('How many channels with the same decision at that moment share this entry'),
  example: z
    .object({ channelArn: z.string().optional(), channelName: z.string().optional() })
    .optional()
    .describe('If the entry covers many channels: the one whose stream, trigger and values are shown'),
  trigger: z.object({ kind: z.string(), since: time, text: z.string(), values }),
  guards: z.array(guard).describe('In the order of checking; the first that did not pass decided'),
  jobs: z.array(
    z.object({
      jobId: z.string().describe('If `mode` is not `enforce`, no job was requested: the id that it would have had'),
      action: z.string(),
      outcome: z.string().optional().describe('Its result, once it has ended'),
      detail: z.string().optional(),
      delivery: delivery.optional(),
      checks: z.array(check).optional().describe('What the worker compared right before it acted, or did not'),
    }),
  ),
  checks: z
    .array(check.extend({ jobId: z.string().optional() }))
    .describe('Every compared value, in order: guards, what was held back, and what the jobs found'),
  withheld: z.array(withheld).describe('Actions that were held back individually'),
});

const explanation = z.object({
  rule: z.string(),
  mode: z.enum(ruleModes),
  channelArn: z.string(),
  channelName: z.string(),
  state: z.enum(['off', 'idle', 'waiting', 'held_back', 'firing']),
  reason: z.union([reason, z.literal('off')]),
  sentence: z.string(),
  remedy: z.string(),
  values,
  since: time.optional(),
  due: z.array(z.object({ action: z.string(), at: time, heldBack: reason.optional() })),
  guards: z.array(guard),
  checks: z.array(check).describe('The same guards, as of now, as entries like those of decisions'),
  muted: z.array(withheld),
  last: z
    .object({ at: time, reason, meaning: z.string(), values })
    .optional()
    .describe('The last time it nearly acted'),
  decisions: z.array(decision).describe('The newest decisions of the rule about the channel'),
});

const tags = ['Decisions'];

export function decisionRoutes({ shards }: { readonly shards: RuleShards }): FastifyPluginAsyncZod {
  const reach = new Reach(shards);
  return async (app) => {
    app.get(
      '/decisions',
      {
        schema: {
          operationId: 'listDecisions',
          summary: 'List decisions of rules, including those not to act, newest first',
          tags,
          querystring: z.strictObject({
            rule: z.string().max(200).optional(),
            channelArn: channelArn.optional(),
            outcome: z.enum(decisionOutcomes).optional(),
            reason: reason.optional(),
            text: z
              .string()
              .max(200)
              .optional()
              .describe('Words that must all occur in the decision: names, ids, ARN, trigger, reason, actions, guards'),
            since: moment.optional().describe('A time, or how long ago, such as 2h'),
            until: moment.optional().describe('Only before this time'),
            after: z
              .string()
              .regex(/^\d{1,16}-\d{1,9}$/)
              .optional()
              .describe('`next` of the previous page'),
            limit: z.coerce.number().int().min(1).max(1000).default(100),
          }),
          response: {
            200: z.object({
              decisions: z.array(decision),
              next: z.string().optional().describe('Send it as `after` to get older ones'),
              truncated: z.boolean().describe('The search did not reach the beginning of the journal'),
              unasked: unaskedField,
            }),
          },
        },
      },
      async ({ query }) => {
        const { since, until, limit, after, ...rest } = query;
        const nowMs = shards.first.state.nowMs();
        const [atMs = 0, seen = 0] = (after ?? '').split('-').map(Number);
        const filter = {
          ...rest,
          limit,
          sinceMs: since === undefined ? undefined : momentMs(since, nowMs),
          untilMs: until === undefined ? undefined : momentMs(until, nowMs),
          after: after === undefined ? undefined : { atMs, seen },
        };
        const asked = query.channelArn === undefined ? reach.all : [reach.ofChannel(query.channelArn)];
        // Every shard returns enough for the whole page; rows of the same moment that were already shown are dropped afterwards.
        const whole = { ...filter, limit: limit + seen, after: after === undefined ? undefined : { atMs, seen: 0 } };
        const answers = await askEach(asked, (shard) => shard.read((state) => queryDecisions(state, whole)));
        const page = mergePage(
          answers.found.flatMap(({ value }) => value.decisions),
          filter,
        );
        if (page.length === 0 && query.rule !== undefined) await mustBeARule(shards, reach, query.rule);
        const next = nextPlace(page, filter);
        return {
          decisions: page.map(shown),
          ...(next ? { next: `${next.atMs}-${next.seen}` } : {}),
          truncated: answers.found.some(({ value }) => value.truncated),
          ...unaskedOf(answers),
        };
      },
    );
    app.get(
      '/decisions/:id',
      {
        schema: {
          operationId: 'getDecision',
          summary: 'One decision',
          tags,
          params: z.strictObject({ id: z.string().min(1).max(64) }),
          response: { 200: decision },
        },
      },
      async ({ params: { id } }) => {
        const answers = await askEach(reach.all, (shard) =>
          shard.read((state) => queryDecisions(state, { id, limit: 1 })),
        );
        const [found] = answers.found.flatMap(({ value }) => value.decisions);
        if (!found) throw await goneDecision(reach, id, answers);
        return shown(found);
      },
    );
    app.get(
      '/rules/:rule/explain/:channelArn',
      {
        schema: {
          operationId: 'explainRule',
          summary: 'Explain why a rule acts or does not act on a channel now',
          tags,
          params: z.strictObject({ rule: z.string().min(1).max(200), channelArn }),
          querystring: z.strictObject({
            since: moment.optional().describe('Only journal entries since then: a time, or how long ago, such as 8h'),
          }),
          response: { 200: explanation },
        },
      },
      async ({ params, query: { since } }) => {
        const shard = reach.ofChannel(params.channelArn);
        const { ruleset: rules } = shards.first;
        const startedAtMs = shards.findOfChannel(params.channelArn)?.startedAtMs;
        const rule = ruleNamed(rules, params.rule);
        return shard.read(async (state) => {
          mustBeAChannel(state, params.channelArn);
          const found = explain(state.view, rules, {
            rule,
            channelArn: params.channelArn,
            nowMs: state.nowMs(),
            ...(startedAtMs === undefined ? {} : { options: { startedAtMs } }),
          });
          const { decisions } = await queryDecisions(state, {
            rule: rule.name,
            channelArn: params.channelArn,
            sinceMs: since === undefined ? undefined : momentMs(since, state.nowMs()),
            limit: since === undefined ? 20 : 200,
          });
          return { ...shownExplanation(found, state.nowMs()), decisions: decisions.map(shown) };
        });
      },
    );
  };
}

/** A removed rule may be queried for as long as the journal contains it. @throws AppError REQUEST_INVALID with the nearest name */
async function mustBeARule(shards: RuleShards, reach: Reach, rule: string): Promise<void> {
  const { rules } = shards.first.ruleset;
  if (rules.some(({ name }) => name === rule)) return;
  const known = await askEach(reach.all, (shard) => shard.read((state) => queryDecisions(state, { rule, limit: 1 })));
  // An account that could not be asked may know the rule.
  if (known.unasked.length > 0) return;
  if (known.found.some(({ value: { decisions, truncated } }) => decisions.length > 0 || truncated)) return;
  throw new AppError('REQUEST_INVALID', `query.rule: ${noRule(rules, rule)}, and the journal knows none either`);
}

/** What remains of a decision that the journal no longer has, and how far back the journal reaches. */
async function goneDecision(reach: Reach, id: string, answers: Answers<FoundDecisions>): Promise<AppError> {
  const traces = await settleEach(reach.all, (shard) => shard.read((state) => traceOfDecision(state, id)));
  const oldest = (of: 'loud' | 'quiet') => {
    const reached = answers.found.flatMap(({ value }) => value.reachedMs[of] ?? []);
    return reached.length === 0 ? 'not at all' : `since ${iso(Math.min(...reached))}`;
  };
  const reached = `the journal has what acted, was held back or resolved ${oldest('loud')}, the rest ${oldest('quiet')}`;
  const unasked = answers.unasked.map(({ account }) => account);
  const missing = unasked.length === 0 ? '' : `; ${unasked.join(', ')} could not be asked`;
  return notFound(
    'decision',
    withTrace(
      `the journal knows no decision ${id}: ${reached}${missing}`,
      traces.found.map(({ value }) => value).find((trace) => trace !== '') ?? '',
    ),
  );
}

/** Once the inventory is known, a channel that is not in it is a mistake. @throws AppError NOT_FOUND with the nearest ARN */
function mustBeAChannel({ view }: SeenState, arn: string): void {
  const isKnown = view.get(kinds.channel.of(arn)) !== undefined || view.get(kinds.stream.of(arn)) !== undefined;
  if (isKnown) return;
  const arns = Array.from(view.entries(kinds.channel), ([id]) => id);
  if (arns.length === 0) return;
  throw notFound('channel', `there is no channel ${arn}${didYouMean(arn, arns)}; GET /v1/channels lists them`);
}

function shownDelivery({ finishedAtMs, ...counts }: Delivery): z.infer<typeof delivery> {
  return { ...counts, ...(finishedAtMs === undefined ? {} : { finishedAt: iso(finishedAtMs) }) };
}

function shown({ atMs, trigger, guards, jobs, withheld: held, ...row }: DecisionRow): z.infer<typeof decision> {
  const { sinceMs, ...evidence } = trigger;
  return {
    ...row,
    at: iso(atMs),
    words: decisionWords({ ...row, atMs, trigger, guards, withheld: held }),
    meaning: decisionReasons[row.reason].meaning,
    trigger: { ...evidence, since: iso(sinceMs) },
    guards: [...guards],
    jobs: jobs.map(({ result, ...job }) => ({
      ...job,
      ...(result ? { outcome: result.outcome, detail: result.detail } : {}),
      ...(result?.checks ? { checks: result.checks.map(shownCheck) } : {}),
      ...(result?.delivery ? { delivery: shownDelivery(result.delivery) } : {}),
    })),
    checks: [
      ...checksOfDecision({ guards, withheld: held, atMs }).map(shownCheck),
      ...jobs.flatMap(({ jobId, result }) => (result?.checks ?? []).map((each) => ({ ...shownCheck(each), jobId }))),
    ],
    withheld: [...held],
  };
}

/** What to do, with the name of the rule filled in. */
function remedyOf({ rule, reason: why, mode }: Pick<Explanation, 'rule' | 'reason' | 'mode'>): string {
  if (why === 'off') return 'Set `mode: dry_run` or `mode: enforce`.';
  // The remedy of `fired` applies to a rule that only records.
  return why === 'fired' && mode === 'enforce' ? '' : decisionReasons[why].remedy.replaceAll('<rule>', rule);
}

function shownExplanation(
  { sinceMs, due, last, guards, muted, ...rest }: Explanation,
  nowMs: number,
): Omit<z.infer<typeof explanation>, 'decisions'> {
  return {
    ...rest,
    remedy: remedyOf(rest),
    ...(sinceMs === undefined ? {} : { since: iso(sinceMs) }),
    due: due.map(({ dueMs, ...one }) => ({ ...one, at: iso(dueMs) })),
    guards: [...guards],
    checks: guards.map((verdict) => shownCheck(checkOfGuard(verdict, nowMs))),
    muted: [...muted],
    ...(last
      ? {
          last: {
            at: iso(last.atMs),
            reason: last.reason,
            meaning: decisionReasons[last.reason].meaning,
            values: last.values,
          },
        }
      : {}),
  };
}
