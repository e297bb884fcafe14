// `/v1/silences`: holds back what matches for a time, and shows what a silence would match before it is created.
import { setImmediate } from 'node:timers/promises';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { duration } from '#domain/action.ts';
import type { Control, Silence } from '#domain/control.ts';
import { durationMs, iso } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import { kinds } from '#domain/state-registry.ts';
import { traceOfSilence, withTrace } from '#journal/traces.ts';
import { type ControlLimits, expireSilence, noRoomForSilence, silence } from '#rules/controls.ts';
import { checkLabelMatcher } from '#rules/label-values.ts';
import { plannedMatches, silenceMatches } from '#rules/silence-matches.ts';
import { actorOf } from '../auth.ts';
import {
  askEach,
  mustHaveAskedAll,
  Reach,
  type Reached,
  settleEach,
  type Unasked,
  unaskedField,
  unaskedOf,
} from '../reach.ts';
import type { RuleShards } from '../rule-lookup.ts';
import { invalidRequest } from '../validation.ts';

const time = z.iso.datetime();
const reason = z.string().min(1).max(500).describe('With a reason for everybody who sees it');
const tags = ['Controls'];

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
    .describe('Rules in force, and channels of the accounts that this process carries, that it matches now'),
  matchesNothing: z.boolean().describe('It holds nothing back at the moment'),
  examples: z.object({ rules: z.array(z.string()), channelArns: z.array(z.string()) }).describe('At most 20 of each'),
  didYouMean: z.array(z.string()).describe('Suggestions for matchers that match nothing'),
  planned: z
    .object({
      count: z.number().int(),
      examples: z.array(
        z.object({
          rule: z.string(),
          action: z.string(),
          channelArn: z.string(),
          channelName: z.string(),
          due: time.optional().describe('When it would have been'),
        }),
      ),
    })
    .describe('Planned actions that it will hold back; at most 20 are named'),
});
const placedSilence = silenceView.extend(silenceMatch.shape).extend({
  unasked: unaskedField.describe('Accounts whose Redis could not be written: the silence is not in force there'),
});
const matcher = z.string().max(1000);

const silenceId = z.string().min(1).max(64);
const matchers = z.array(matcher).min(1).max(20).describe('All must match, such as rule="slate" or tag_show=~"fin.*"');

/** Longest silence: a longer-lasting exception belongs in the rules file. */
const longestSilenceMs = 31 * 86_400_000;

export interface SilenceRoutesOptions {
  readonly shards: RuleShards;
  readonly limits: () => ControlLimits;
  /** Called for each committed control. */
  readonly onControl: ((control: Control) => void) | undefined;
}

/**
 * Asks the first account that this process carries, and then all others; if the first refuses, no other is asked.
 * @throws AppError the refusal of the first, or another account's error that is not about Redis
 */
async function firstThenOthers<T>(
  reach: Reach,
  ask: (shard: Reached, isFirst: boolean) => Promise<T | AppError>,
): Promise<{ readonly first: T; readonly unasked: readonly Unasked[] }> {
  const [one, ...others] = reach.all;
  const first = await ask(one!, true);
  if (first instanceof AppError) throw first;
  if (first === undefined) return { first, unasked: [] };
  const { found, unasked } = await settleEach(others, (shard) => ask(shard, false));
  const refused = found.flatMap(({ shard, value }) =>
    value instanceof AppError ? [{ account: shard.name, code: value.code, reason: value.message }] : [],
  );
  return { first, unasked: [...unasked, ...refused] };
}

export function silenceRoutes({ shards, limits, onControl }: SilenceRoutesOptions): FastifyPluginAsyncZod {
  const reach = new Reach(shards);
  return async (app) => {
    app.get(
      '/silences',
      {
        schema: {
          operationId: 'listSilences',
          summary: 'List silences that have not ended',
          tags,
          querystring: z.strictObject({}),
          response: { 200: z.object({ silences: z.array(silenceView), unasked: unaskedField }) },
        },
      },
      async () => {
        const answers = await askEach(reach.all, (shard) =>
          shard.read(({ view }) => Array.from(view.entries(kinds.silence))),
        );
        const known = new Map(answers.found.flatMap(({ value }) => value));
        const nowMs = shards.first.state.nowMs();
        return {
          silences: Array.from(known, ([id, made]) => showSilence(id, made)).filter(
            ({ ends }) => Date.parse(ends) > nowMs,
          ),
          ...unaskedOf(answers),
        };
      },
    );
    app.post(
      '/silences',
      {
        config: { onStandby: true },
        schema: {
          operationId: 'addSilence',
          summary: 'Hold back matching decisions for a time',
          tags,
          body: z.strictObject({
            matchers,
            reason,
            duration: duration.describe('A silence always ends'),
            dryRun: z.literal(true).optional().describe('Only returns what it would match'),
          }),
          response: { 200: silenceMatch, 201: placedSilence },
        },
      },
      async ({ body, caller }, reply) => {
        const lastsMs = silenceMs(body.duration);
        await checkMatchers(body.matchers);
        const matched = matchOf(shards, body.matchers);
        if (body.dryRun) return reply.code(200).send(matched);
        // The same id in every shard: it is one silence, however many accounts there are.
        const startsMs = shards.first.state.nowMs();
        const asked = { matchers: body.matchers, reason: body.reason, startsMs, endsMs: startsMs + lastsMs };
        const wanted: Silence = { ...asked, author: actorOf(caller) };
        const place = (shard: Pick<Reached, 'transact'>) =>
          shard.transact((tx) => {
            const refusal = noRoomForSilence(tx, tx.nowMs, wanted, limits());
            if (refusal) return refusal;
            return silence(tx, { ...asked, who: wanted.author });
          });
        // The first shard is asked first. All have the same silences, so if it has no room, the silence is created nowhere.
        const { first, unasked } = await firstThenOthers(reach, place);
        const { id, silence: made } = first;
        const { author: who, ...rest } = made;
        onControl?.({ kind: 'silence', who, ...rest });
        return reply.code(201).send({ ...showSilence(id, made), ...matched, ...unaskedOf({ unasked }) });
      },
    );
    app.put(
      '/silences/:id',
      {
        config: { onStandby: true },
        schema: {
          operationId: 'replaceSilence',
          summary: 'Change or extend a silence: in one step it ends and a new one with another id replaces it',
          description: 'Omitted fields stay unchanged. 404: it has ended, or somebody else has replaced it.',
          tags,
          params: z.strictObject({ id: silenceId }),
          body: z
            .strictObject({
              matchers: matchers.optional(),
              reason: reason.optional(),
              duration: duration.optional().describe('How long from now on'),
            })
            .refine((body) => Object.keys(body).length > 0, 'expected at least one of matchers, reason, duration'),
          response: { 200: placedSilence.extend({ replaces: z.string() }) },
        },
      },
      async ({ params: { id }, body, caller }) => {
        const lastsMs = body.duration === undefined ? undefined : silenceMs(body.duration);
        if (body.matchers) await checkMatchers(body.matchers);
        const startsMs = shards.first.state.nowMs();
        const who = actorOf(caller);
        const known = shards.first.state.view.get(kinds.silence.of(id));
        if (!known) throw await noSilence(id);
        const asked = {
          matchers: body.matchers ?? known.matchers,
          reason: body.reason ?? known.reason,
          startsMs,
          endsMs: lastsMs === undefined ? known.endsMs : startsMs + lastsMs,
        };
        const ended = { id, who, reason: 'replaced' };
        // Computed before the silence is in force: afterwards its actions would already be held back, and none would be planned.
        const matched = matchOf(shards, asked.matchers);
        const replace = (shard: Reached, isFirst: boolean) =>
          shard.transact((tx) => {
            const current = tx.get(kinds.silence.of(id));
            if (isFirst && (!current || current.endsMs <= tx.nowMs || asked.endsMs <= tx.nowMs)) return undefined;
            const refusal = noRoomForSilence(tx, tx.nowMs, { ...asked, author: who }, limits(), id);
            if (refusal) return refusal;
            expireSilence(tx, ended);
            return silence(tx, { ...asked, who });
          });
        const { first, unasked } = await firstThenOthers(reach, replace);
        if (first === undefined) throw await noSilence(id);
        onControl?.({ kind: 'expire_silence', ...ended });
        onControl?.({ kind: 'silence', who, ...asked });
        return { ...showSilence(first.id, first.silence), ...matched, ...unaskedOf({ unasked }), replaces: id };
      },
    );
    const noSilence = async (id: string): Promise<AppError> => {
      const text = `there is no silence ${id}; GET /v1/silences lists those there are`;
      return new AppError('NOT_FOUND', withTrace(text, await traceOfSilence(shards.first.state, id)));
    };
    const expire = async (id: string, who: string) => {
      const asked = { id, who, reason: 'expired' };
      const answers = await askEach(reach.all, (shard) => shard.transact((tx) => expireSilence(tx, asked)));
      if (!answers.found.some(({ value }) => value)) {
        mustHaveAskedAll(answers, `the silence ${id}`);
        throw await noSilence(id);
      }
      onControl?.({ kind: 'expire_silence', ...asked });
      return { expired: true as const, ...unaskedOf(answers) };
    };
    app.delete(
      '/silences',
      {
        config: { onStandby: true },
        schema: {
          operationId: 'endSilenceOfQuery',
          summary: 'End the silence that the query names now',
          tags,
          querystring: z.strictObject({
            id: silenceId.optional().describe('Needed; the same as DELETE /v1/silences/{id}'),
          }),
          response: { 200: z.object({ expired: z.literal(true), unasked: unaskedField }) },
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
        config: { onStandby: true },
        schema: {
          operationId: 'endSilence',
          summary: 'End a silence now',
          tags,
          params: z.strictObject({ id: silenceId }),
          response: { 200: z.object({ expired: z.literal(true), unasked: unaskedField }) },
        },
      },
      async ({ params, caller }) => {
        return expire(params.id, actorOf(caller));
      },
    );
  };
}

/** Requests that wait for their expressions to be compiled. */
let compiling: Promise<unknown> = Promise.resolve();

/**
 * Compiles one matcher per turn of the event loop, so that other requests are answered in between, however many come at once.
 * @throws AppError REQUEST_INVALID
 */
async function checkMatchers(texts: readonly string[]): Promise<void> {
  const problems: { path: string; message: string }[] = [];
  for (const [index, text] of texts.entries()) {
    const turn = compiling.then(() => setImmediate());
    compiling = turn;
    await turn;
    const parsed = checkLabelMatcher(text);
    if (!parsed.ok) problems.push({ path: `body.matchers[${index}]`, message: parsed.message });
  }
  if (problems.length > 0) throw invalidRequest(problems);
}

/** How long a silence lasts. @throws AppError REQUEST_INVALID */
function silenceMs(text: string): number {
  const ms = durationMs(text);
  if (ms < 1000 || ms > longestSilenceMs)
    throw new AppError('REQUEST_INVALID', `duration: expected 1s to 31d, got ${text}`);
  return ms;
}

/** What the matchers match now. */
function matchOf(shards: RuleShards, texts: readonly string[]): z.infer<typeof silenceMatch> {
  const { rules, channelArns, isNothing, didYouMean } = silenceMatches(
    shards.first.ruleset,
    shards.all.map(({ state }) => state.view),
    texts,
  );
  const planned = shards.all.flatMap(({ state }) =>
    plannedMatches(shards.first.ruleset, state.view, state.nowMs(), texts),
  );
  return {
    planned: {
      count: planned.length,
      examples: planned
        .slice(0, 20)
        .map(({ dueMs, ...rest }) => ({ ...rest, ...(dueMs === undefined ? {} : { due: iso(dueMs) }) })),
    },
    matches: { rules: rules.length, channels: channelArns.length },
    // Accounts that others carry are not examined: the silence may match there.
    matchesNothing: isNothing && shards.elsewhere.length === 0,
    examples: { rules: rules.slice(0, 20), channelArns: channelArns.slice(0, 20) },
    didYouMean: [...didYouMean],
  };
}

function showSilence(
  id: string,
  { matchers, author, reason: why, startsMs, endsMs }: Silence,
): z.infer<typeof silenceView> {
  return { id, matchers: [...matchers], author, reason: why, starts: iso(startsMs), ends: iso(endsMs) };
}
