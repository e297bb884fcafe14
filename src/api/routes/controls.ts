// `/v1/holds`, `/v1/silences`, `/v1/pause`, `/v1/resume`: what keeps automation's hands off one channel, what matches, or everything.
import { setImmediate } from 'node:timers/promises';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelArn, duration } from '#domain/action.ts';
import type { Control, Hold, Pause, Silence } from '#domain/control.ts';
import { holdsInForce, pausesOf } from '#domain/controls-in-force.ts';
import { durationMs, iso } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import { kinds } from '#domain/state-registry.ts';
import {
  type ControlLimits,
  cancelTimer,
  defaultControlLimits,
  expireSilence,
  hold,
  noRoomForHold,
  noRoomForSilence,
  release,
  silence,
} from '#rules/controls.ts';
import { checkLabelMatcher } from '#rules/label-values.ts';
import { silenceMatches } from '#rules/silence-matches.ts';
import { actorOf } from '../auth.ts';
import { othersNeverTold, othersUnaware, pauseShard, resumeShard } from '../pause.ts';
import type { RuleShards } from '../rule-lookup.ts';
import { invalidRequest } from '../validation.ts';

const time = z.iso.datetime();
const reason = z.string().min(1).max(500).describe('Why, for whoever finds it');
const unsaid = 'no reason given';
const optionalReason = z.strictObject({ reason: reason.optional() }).optional();
const tags = ['Controls'];

const holdView = z.object({
  channelArn: z.string(),
  who: z.string(),
  reason: z.string(),
  since: time,
  until: time.optional(),
});
const silenceView = z.object({
  id: z.string(),
  matchers: z.array(z.string()),
  author: z.string(),
  reason: z.string(),
  starts: time,
  ends: time,
});
const silenceMatch = z.object({
  matches: z
    .object({ rules: z.number().int(), channels: z.number().int() })
    .describe('Rules in force and channels of the inventory that it matches now'),
  matchesNothing: z.boolean().describe('It holds nothing back, as far as is known now'),
  examples: z.object({ rules: z.array(z.string()), channelArns: z.array(z.string()) }).describe('At most 20 of each'),
  didYouMean: z.array(z.string()).describe('Matchers that something has, for those that nothing has'),
});
const pauseView = z.object({
  paused: z.boolean(),
  who: z.string().optional(),
  reason: z.string().optional().describe('`state_lost`: the daemon paused by itself'),
  since: time.optional(),
  text: z.string().optional().describe('What happened and what to do, where the daemon paused by itself'),
  alsoPausedBy: z
    .array(z.object({ who: z.string(), reason: z.string(), since: time }))
    .optional()
    .describe('Further pauses; a resume ends them all'),
  written: z.literal(false).optional().describe('Redis is away: only the replica that was asked knows it'),
  note: z.string().optional().describe('What that means'),
});

const matcher = z.string().max(1000);

const silenceId = z.string().min(1).max(64);

/** Longest silence: what is to stay away for longer belongs into the rules file. */
const longestSilenceMs = 31 * 86_400_000;

export interface ControlRoutesOptions {
  readonly shards: RuleShards;
  /** `controls` of the configuration in force; default: those of a configuration that says nothing. */
  readonly limits?: () => ControlLimits;
  /** Told of each control that has been committed. */
  readonly onControl?: ((control: Control) => void) | undefined;
}

export function controlRoutes({
  shards,
  limits = () => defaultControlLimits,
  onControl,
}: ControlRoutesOptions): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/holds',
      {
        schema: {
          operationId: 'listHolds',
          summary: 'Channels on hold by command (the tag ops-hold holds too)',
          tags,
          querystring: z.strictObject({}),
          response: { 200: z.object({ holds: z.array(holdView) }) },
        },
      },
      async () => ({
        holds: shards.all.flatMap(({ state }) =>
          holdsInForce(state.view, state.nowMs()).map(([arn, held]) => showHold(arn, held)),
        ),
      }),
    );
    app.put(
      '/holds/:channelArn',
      {
        schema: {
          operationId: 'holdChannel',
          summary: 'Keep automation’s hands off a channel',
          tags,
          params: z.strictObject({ channelArn }),
          body: z.strictObject({
            reason: reason.default(unsaid),
            duration: duration.optional().describe('Released by itself after this long'),
          }),
          response: { 200: holdView },
        },
      },
      async ({ params, body, caller }) => {
        const { state } = shards.ofChannel(params.channelArn);
        const asked = { channelArn: params.channelArn, who: actorOf(caller), reason: body.reason };
        const placed = await state.transact((tx) => {
          const refusal = noRoomForHold(tx, tx.nowMs, params.channelArn, limits());
          if (refusal) return refusal;
          const untilMs = body.duration === undefined ? undefined : tx.nowMs + durationMs(body.duration);
          return hold(tx, { ...asked, untilMs });
        });
        if (placed instanceof AppError) throw placed;
        const { who, reason: why, untilMs } = placed;
        onControl?.({ kind: 'hold', channelArn: params.channelArn, who, reason: why, untilMs });
        return showHold(params.channelArn, placed);
      },
    );
    app.delete(
      '/holds/:channelArn',
      {
        schema: {
          operationId: 'releaseChannel',
          summary: 'Release a hold',
          tags,
          params: z.strictObject({ channelArn }),
          response: { 200: z.object({ released: z.literal(true) }) },
        },
      },
      async ({ params, caller }) => {
        const asked = { channelArn: params.channelArn, who: actorOf(caller), reason: 'released' };
        // Wherever it lies: before there was one rule, a hold could come to another shard than the channel's.
        const released = await Promise.all(shards.all.map(({ state }) => state.transact((tx) => release(tx, asked))));
        if (!released.includes(true))
          throw new AppError('NOT_FOUND', `there is no hold on ${params.channelArn}; a tag ops-hold is removed in IVS`);
        onControl?.({ kind: 'release', ...asked });
        return { released: true as const };
      },
    );
    app.get(
      '/silences',
      {
        schema: {
          operationId: 'listSilences',
          summary: 'Silences that have not ended',
          tags,
          querystring: z.strictObject({}),
          response: { 200: z.object({ silences: z.array(silenceView) }) },
        },
      },
      async () => {
        const known = new Map(shards.all.flatMap(({ state }) => Array.from(state.view.entries(kinds.silence))));
        const nowMs = shards.first.state.nowMs();
        return {
          silences: Array.from(known, ([id, made]) => showSilence(id, made)).filter(
            ({ ends }) => Date.parse(ends) > nowMs,
          ),
        };
      },
    );
    app.post(
      '/silences',
      {
        schema: {
          operationId: 'addSilence',
          summary: 'Hold back the decisions that match, for a time',
          tags,
          body: z.strictObject({
            matchers: z
              .array(matcher)
              .min(1)
              .max(20)
              .describe('All must match, such as rule="slate" or tag_show=~"fin.*"'),
            reason,
            duration: duration.describe('A silence always ends'),
            dryRun: z.literal(true).optional().describe('Only tells what it would match'),
          }),
          response: { 200: silenceMatch, 201: silenceView.extend(silenceMatch.shape) },
        },
      },
      async ({ body, caller }, reply) => {
        const lastsMs = durationMs(body.duration);
        if (lastsMs < 1000 || lastsMs > longestSilenceMs)
          throw new AppError('REQUEST_INVALID', `duration: expected 1s to 31d, got ${body.duration}`);
        await checkMatchers(body.matchers);
        const matched = matchOf(shards, body.matchers);
        if (body.dryRun) return reply.code(200).send(matched);
        // The same id in every shard: one silence, however many accounts there are.
        const startsMs = shards.first.state.nowMs();
        const asked = { matchers: body.matchers, reason: body.reason, startsMs, endsMs: startsMs + lastsMs };
        const wanted: Silence = { ...asked, author: actorOf(caller) };
        const place = ({ state }: RuleShards['first']) =>
          state.transact((tx) => {
            const refusal = noRoomForSilence(tx, tx.nowMs, wanted, limits());

            if (refusal) return refusal;
            return silence(tx, { ...asked, who: wanted.author });
          });
        // The first shard is asked first: all have the same silences, so what it has no room for is made nowhere.
        const first = await place(shards.first);
        if (first instanceof AppError) throw first;
        await Promise.all(shards.all.slice(1).map(place));
        const { id, silence: made } = first;
        const { author: who, ...rest } = made;
        onControl?.({ kind: 'silence', who, ...rest });
        return reply.code(201).send({ ...showSilence(id, made), ...matched });
      },
    );
    const expire = async (id: string, who: string) => {
      const asked = { id, who, reason: 'expired' };
      const ended = await Promise.all(shards.all.map(({ state }) => state.transact((tx) => expireSilence(tx, asked))));
      if (!ended.includes(true))
        throw new AppError('NOT_FOUND', `there is no silence ${id}; GET /v1/silences lists those there are`);
      onControl?.({ kind: 'expire_silence', ...asked });
      return { expired: true as const };
    };
    app.delete(
      '/silences',
      {
        schema: {
          operationId: 'endSilenceOfQuery',
          summary: 'End the silence that the query names now',
          tags,
          querystring: z.strictObject({
            id: silenceId.optional().describe('Needed; the same as DELETE /v1/silences/{id}'),
          }),
          response: { 200: z.object({ expired: z.literal(true) }) },
        },
      },
      async ({ query, caller }) => {
        if (query.id === undefined)
          throw new AppError(
            'REQUEST_INVALID',
            'query.id: name the silence to end, as in DELETE /v1/silences/{id}; GET /v1/silences lists those there are',
          );
        return expire(query.id, actorOf(caller));
      },
    );
    app.delete(
      '/silences/:id',
      {
        schema: {
          operationId: 'endSilence',
          summary: 'End a silence now',
          tags,
          params: z.strictObject({ id: silenceId }),
          response: { 200: z.object({ expired: z.literal(true) }) },
        },
      },
      async ({ params, caller }) => {
        return expire(params.id, actorOf(caller));
      },
    );
    app.delete(
      '/timers/:id',
      {
        schema: {
          operationId: 'cancelTimer',
          summary: 'Take back what a rule has planned for a channel; it does not act for this cause any more',
          tags,
          params: z.strictObject({ id: z.string().min(1).max(600) }),
          response: { 200: z.object({ cancelled: z.literal(true), rule: z.string() }) },
        },
      },
      async ({ params, caller }) => {
        for (const { state } of shards.all) {
          const asked = { id: params.id, who: actorOf(caller), reason: 'cancelled' };
          const timer = await state.transact((tx) => cancelTimer(tx, asked));
          if (!timer) continue;
          onControl?.({ kind: 'cancel_timer', ...asked });
          return { cancelled: true as const, rule: timer.rule };
        }
        throw new AppError('NOT_FOUND', 'there is no such timer: it has run out, or was cancelled');
      },
    );
    app.get(
      '/pause',
      {
        schema: {
          operationId: 'getPause',
          summary: 'Whether all automation is paused',
          tags,
          querystring: z.strictObject({}),
          response: { 200: pauseView },
        },
      },
      async () =>
        showPauses(shards.all.map(({ state }) => pausesOf(state.view)).find((pauses) => pauses.length > 0) ?? []),
    );
    app.post(
      '/pause',
      {
        schema: {
          operationId: 'pauseAutomation',
          summary: 'Stop all automation at once; observing goes on',
          tags,
          body: optionalReason,
          response: { 200: pauseView },
        },
      },
      async ({ body, caller }) => {
        const asked = { who: actorOf(caller), reason: body?.reason ?? unsaid };
        const answers = await Promise.all(shards.all.map(({ state }) => pauseShard(state, asked)));
        onControl?.({ kind: 'pause', ...asked });
        const written = answers.every((answer) => answer.written);
        return { ...showPauses([answers[0]!.paused]), ...(written ? {} : { written, note: othersUnaware }) };
      },
    );
    app.post(
      '/resume',
      {
        schema: {
          operationId: 'resumeAutomation',
          summary: 'Let automation go on after a pause',
          tags,
          body: optionalReason,
          response: { 200: pauseView },
        },
      },
      async ({ body, caller }) => {
        const asked = { who: actorOf(caller), reason: body?.reason ?? 'resumed' };
        const answers = await Promise.all(shards.all.map(({ state }) => resumeShard(state, asked)));
        onControl?.({ kind: 'resume', ...asked });
        const written = answers.every((answer) => answer.written);
        return { ...showPauses([]), ...(written ? {} : { written, note: othersNeverTold }) };
      },
    );
  };
}

/** Those who wait to have their expressions compiled. */
let compiling: Promise<unknown> = Promise.resolve();

/**
 * Compiles matchers, one in each turn of the event loop: however many come at once, others are answered between them.
 * @throws AppError REQUEST_INVALID
 */
async function checkMatchers(matchers: readonly string[]): Promise<void> {
  const problems: { path: string; message: string }[] = [];
  for (const [index, text] of matchers.entries()) {
    const turn = compiling.then(() => setImmediate());
    compiling = turn;
    await turn;
    const parsed = checkLabelMatcher(text);
    if (!parsed.ok) problems.push({ path: `body.matchers[${index}]`, message: parsed.message });
  }
  if (problems.length > 0) throw invalidRequest(problems);
}

/** What matchers match now. */
function matchOf(shards: RuleShards, matchers: readonly string[]): z.infer<typeof silenceMatch> {
  const { rules, channelArns, isNothing, didYouMean } = silenceMatches(
    shards.first.ruleset,
    shards.all.map(({ state }) => state.view),
    matchers,
  );
  return {
    matches: { rules: rules.length, channels: channelArns.length },
    matchesNothing: isNothing,
    examples: { rules: rules.slice(0, 20), channelArns: channelArns.slice(0, 20) },
    didYouMean: [...didYouMean],
  };
}

function showHold(arn: string, { who, reason: why, sinceMs, untilMs }: Hold): z.infer<typeof holdView> {
  return {
    channelArn: arn,
    who,
    reason: why,
    since: iso(sinceMs),
    ...(untilMs === undefined ? {} : { until: iso(untilMs) }),
  };
}

function showSilence(
  id: string,
  { matchers, author, reason: why, startsMs, endsMs }: Silence,
): z.infer<typeof silenceView> {
  return { id, matchers: [...matchers], author, reason: why, starts: iso(startsMs), ends: iso(endsMs) };
}

function showPauses([first, ...others]: readonly Pause[]): z.infer<typeof pauseView> {
  if (!first) return { paused: false };
  const { sinceMs, ...rest } = first;
  return {
    paused: true,
    ...rest,
    since: iso(sinceMs),
    ...(others.length === 0
      ? {}
      : { alsoPausedBy: others.map(({ who, reason, sinceMs: ms }) => ({ who, reason, since: iso(ms) })) }),
  };
}
