// `/v1/holds`, `/v1/pause`, `/v1/resume`: what keeps automation off one channel, or stops it altogether. Silences are in silences.ts.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelArn, duration } from '#domain/action.ts';
import type { Control, Hold, Pause } from '#domain/control.ts';
import { holdsInForce, isOnlyHere, pausesOf } from '#domain/controls-in-force.ts';
import { durationMs, iso } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import {
  type ControlLimits,
  cancelTimer,
  defaultControlLimits,
  hold,
  noRoomForHold,
  release,
} from '#rules/controls.ts';
import { actorOf } from '../auth.ts';
import { othersNeverTold, othersUnaware, pauseAll, resumeAll } from '../pause.ts';
import { askEach, mustHaveAskedAll, Reach, unaskedField, unaskedOf } from '../reach.ts';
import type { RuleShards } from '../rule-lookup.ts';
import { silenceRoutes } from './silences.ts';

const time = z.iso.datetime();
const reason = z.string().min(1).max(500).describe('With a reason for everybody who sees it');
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
const pauseView = z.object({
  paused: z.boolean(),
  who: z.string().optional(),
  reason: z.string().optional().describe('`state_lost`: the daemon paused itself'),
  since: time.optional(),
  text: z.string().optional().describe('What happened and what to do, if the daemon paused itself'),
  alsoPausedBy: z
    .array(z.object({ who: z.string(), reason: z.string(), since: time }))
    .optional()
    .describe('Further pauses; a resume ends them all'),
  written: z.literal(false).optional().describe('Redis is away: only the replica that was asked knows this'),
  note: z.string().optional().describe('What that means'),
  unasked: unaskedField,
});

export interface ControlRoutesOptions {
  readonly shards: RuleShards;
  /** `controls` of the configuration in force; default: as in a configuration without this section. */
  readonly limits?: () => ControlLimits;
  /** Called for each committed control. */
  readonly onControl?: ((control: Control) => void) | undefined;
}

export function controlRoutes({
  shards,
  limits = () => defaultControlLimits,
  onControl,
}: ControlRoutesOptions): FastifyPluginAsyncZod {
  const reach = new Reach(shards);
  return async (app) => {
    app.get(
      '/holds',
      {
        schema: {
          operationId: 'listHolds',
          summary: 'List channels on hold by command (not those with the tag ops-hold)',
          tags,
          querystring: z.strictObject({}),
          response: { 200: z.object({ holds: z.array(holdView), unasked: unaskedField }) },
        },
      },
      async () => {
        const answers = await askEach(reach.all, (shard) =>
          shard.read((state) => holdsInForce(state.view, state.nowMs()).map(([arn, held]) => showHold(arn, held))),
        );
        return { holds: answers.found.flatMap(({ value }) => value), ...unaskedOf(answers) };
      },
    );
    app.put(
      '/holds/:channelArn',
      {
        config: { onStandby: true },
        schema: {
          operationId: 'holdChannel',
          summary: 'Put a channel on hold: rules do not act on it',
          tags,
          params: z.strictObject({ channelArn }),
          body: z.strictObject({
            reason: reason.default(unsaid),
            duration: duration.optional().describe('Released automatically after this long'),
          }),
          response: { 200: holdView },
        },
      },
      async ({ params, body, caller }) => {
        const shard = reach.ofChannel(params.channelArn);
        const asked = { channelArn: params.channelArn, who: actorOf(caller), reason: body.reason };
        const placed = await shard.transact((tx) => {
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
        config: { onStandby: true },
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
        // In any shard: earlier versions could store a hold in another shard than the channel's.
        const owner = shards.findElsewhere(params.channelArn)?.name ?? shards.findOfChannel(params.channelArn)?.name;
        const mayHave = reach.all.filter(({ name, isHere }) => isHere || name === owner);
        const { found, unasked } = await askEach(mayHave, (shard) => shard.transact((tx) => release(tx, asked)));
        const isReleased = found.some(({ value }) => value);
        const [ofOwner] = unasked.filter(({ account }) => account === owner);
        if (!isReleased && ofOwner) throw new AppError('REDIS_UNREACHABLE', `${ofOwner.account}: ${ofOwner.reason}`);
        if (!isReleased)
          throw new AppError('NOT_FOUND', `there is no hold on ${params.channelArn}; a tag ops-hold is removed in IVS`);
        onControl?.({ kind: 'release', ...asked });
        return { released: true as const };
      },
    );
    await app.register(silenceRoutes({ shards, limits, onControl }));
    app.delete(
      '/timers/:id',
      {
        schema: {
          operationId: 'cancelTimer',
          summary: 'Cancel an action that a rule has planned for a channel; the rule no longer acts for this cause',
          tags,
          params: z.strictObject({ id: z.string().min(1).max(600) }),
          response: { 200: z.object({ cancelled: z.literal(true), rule: z.string() }) },
        },
      },
      async ({ params, caller }) => {
        const asked = { id: params.id, who: actorOf(caller), reason: 'cancelled' };
        const answers = await askEach(reach.all, (shard) => shard.transact((tx) => cancelTimer(tx, asked)));
        const [timer] = answers.found.flatMap(({ value }) => value ?? []);
        if (timer) {
          onControl?.({ kind: 'cancel_timer', ...asked });
          return { cancelled: true as const, rule: timer.rule };
        }
        mustHaveAskedAll(answers, `the timer ${params.id}`);
        throw new AppError('NOT_FOUND', 'there is no such timer: it has run out, or was cancelled');
      },
    );
    app.get(
      '/pause',
      {
        schema: {
          operationId: 'getPause',
          summary: 'Show whether all automation is paused',
          tags,
          querystring: z.strictObject({}),
          response: { 200: pauseView },
        },
      },
      async () => {
        const answers = await askEach(reach.all, (shard) => shard.read(({ view }) => pausesOf(view)));
        const pauses = answers.found.map(({ value }) => value).find((each) => each.length > 0);
        const isUntold = shards.all.some(({ state }) => isOnlyHere(state));
        return {
          ...showPauses(pauses ?? []),
          ...(isUntold ? { written: false as const, note: othersUnaware } : {}),
          ...unaskedOf(answers),
        };
      },
    );
    app.post(
      '/pause',
      {
        config: { onStandby: true },
        schema: {
          operationId: 'pauseAutomation',
          summary: 'Pause all automation at once; observing continues',
          tags,
          body: optionalReason,
          response: { 200: pauseView },
        },
      },
      async ({ body, caller }) => {
        const asked = { who: actorOf(caller), reason: body?.reason ?? unsaid };
        const answer = await pauseAll(shards, asked);
        onControl?.({ kind: 'pause', ...asked });
        return {
          ...showPauses([answer.paused]),
          ...(answer.written ? {} : { written: answer.written, note: othersUnaware }),
          ...unaskedOf(answer),
        };
      },
    );
    app.post(
      '/resume',
      {
        config: { onStandby: true },
        schema: {
          operationId: 'resumeAutomation',
          summary: 'Resume automation after a pause',
          tags,
          body: optionalReason,
          response: { 200: pauseView },
        },
      },
      async ({ body, caller }) => {
        const asked = { who: actorOf(caller), reason: body?.reason ?? 'resumed' };
        const answer = await resumeAll(shards, asked);
        onControl?.({ kind: 'resume', ...asked });
        return {
          ...showPauses([]),
          ...(answer.written ? {} : { written: answer.written, note: othersNeverTold }),
          ...unaskedOf(answer),
        };
      },
    );
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
