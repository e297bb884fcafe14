// `/v1/streams`: what is live and in which condition; one channel with its evidence, its timeline and its earlier sessions.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelArn } from '#domain/action.ts';
import type { ChannelArn } from '#domain/channel.ts';
import { streamHealths } from '#domain/channel.ts';
import { iso } from '#domain/duration.ts';
import { notFound } from '#domain/not-found.ts';
import type { DataSource } from '#domain/observation.ts';
import type { SharedState, StateView } from '#domain/shared-state.ts';
import { type AdBreak, adBreakAt, type StreamRecord, streamStates } from '#domain/stream-record.ts';
import { traceOfChannel, unknownSession, withTrace } from '#journal/traces.ts';
import type { SeenState } from '#store/visited-state.ts';
import { endReason, isEndToldByEvent } from '#streams/ending.ts';
import { fleetCounts } from '#streams/fleet.ts';
import { channelStory, listEnded, listStreams, mergeStreams, nameOf, sessionOf } from '#streams/queries.ts';
import { oldPictureFields } from '../old-answers.ts';
import { askEach, type Reach, type Reached, unaskedField, unaskedOf } from '../reach.ts';
import { channelSettings } from './channel-settings.ts';

const time = z.iso.datetime();
const count = z.number().int();

const adBreak = z.object({ id: z.string(), insertedAt: time, startsAt: time, endsAt: time });

const stream = z.object({
  channelArn: z.string(),
  channelName: z.string(),
  streamId: z.string(),
  state: z.enum(streamStates),
  stateSince: time,
  startedAt: time.optional(),
  endedAt: time.optional(),
  endedAtLatest: z
    .literal(true)
    .optional()
    .describe('No event reported the end: it was over by `endedAt`, possibly earlier'),
  health: z.enum(streamHealths).describe('Also UNKNOWN if the stream is not live'),
  healthSince: time,
  viewerCount: count.optional(),
  recording: z.enum(['none', 'recording', 'ended', 'failed']),
  adBreak: adBreak.optional().describe('The ad break that is announced or running'),
  failureReason: z.string().optional(),
  endReason: z.string().optional().describe('Why it is over: Stream End, Stream Failure with its reason, …'),
  stoppedBy: z
    .string()
    .optional()
    .describe('Who stopped it through this daemon: `rule <name>`, `token <name>` or a person'),
});

const evidence = z.object({
  source: z.enum(['event', 'poll', 'history']).describe('history: read afterwards, for time that was not observed'),
  name: z.string().describe('Name of the event, or ListStreams'),
  eventTime: time.describe('When it happened'),
  arrivedAt: time.describe('When the daemon learned it'),
});

const stale = z.object({
  polls: time.optional().describe('Since when ListStreams has failed: the records may be out of date'),
  events: time.optional().describe('Since when the event queue cannot be read'),
  ...oldPictureFields,
});

const list = z.object({
  counts: z.object({ live: count, healthy: count, starving: count, unknown: count, created: count, channels: count }),
  stale,
  streams: z.array(stream),
  next: z.string().optional().describe('`after` of the next page'),
  unasked: unaskedField,
});

const story = z.object({
  record: stream
    .extend({
      viewerCountAt: time.optional(),
      recordingSince: time.optional(),
      recordingPrefix: z.string().optional(),
      takeoverAt: time.optional(),
      learntAt: time.optional().describe('When an unobserved part of the session was read afterwards'),
      adBreaks: z.array(adBreak).describe('The last ones reported by events, newest first'),
      limitBreaches: z.array(
        z.object({
          limitName: z.string(),
          limitValue: z.number().optional(),
          exceededBy: z.number().optional(),
          limitUnit: z.string().optional(),
          at: time,
        }),
      ),
      evidence: z.record(z.string(), evidence).describe('The source of each value'),
    })
    .nullable()
    .describe('The requested session, or the newest; null: none is known'),
  timeline: z.array(evidence.extend({ text: z.string() })).describe('Oldest first'),
  channel: z
    .object({
      name: z.string(),
      ...channelSettings,
      tags: z.record(z.string(), z.string()),
    })
    .nullable()
    .describe('As last listed; null: not listed'),
  sessions: z.array(stream).describe('The other sessions, newest first'),
  stale,
});

export interface StreamRoutesOptions {
  /** The streams of the accounts that this process carries. */
  readonly state: SharedState;
  /** Accounts by name and channel, including those that others carry; undefined: there is only one. */
  readonly reach?: Reach | undefined;
  readonly retentionMs: () => number;
  /** Since when a source has given no data, in any part of the fleet. */
  readonly silentSinceMs: (source: DataSource) => number | undefined;
}

const mostSessions = 50;

/** A page of one state, ready to be shown. */
interface StreamPage {
  readonly page: ReturnType<typeof listStreams>;
  readonly shown: ReadonlyMap<StreamRecord, z.infer<typeof stream>>;
  readonly counts: z.infer<typeof list>['counts'];
}

export function streamRoutes({ state, reach, retentionMs, silentSinceMs }: StreamRoutesOptions): FastifyPluginAsyncZod {
  const tags = ['Streams'];
  /** All accounts of this process count as one place. */
  const placesOf = (account: string | undefined): readonly Pick<Reached, 'name' | 'read'>[] => {
    const carried = { name: '', read: async <T>(look: (seen: SeenState) => T | Promise<T>) => look(state) };
    if (account !== undefined && reach) return [reach.named(account)];
    return [carried, ...(reach?.all.filter(({ isHere }) => !isHere) ?? [])];
  };
  return async (app) => {
    app.get(
      '/streams',
      {
        schema: {
          operationId: 'listStreams',
          summary: 'List live streams, or those in another state',
          tags,
          querystring: z.strictObject({
            state: z
              .enum([...streamStates, 'any', 'over'])
              .default('live')
              .describe('over: ended or failed, earlier sessions too, the newest end first'),
            text: z
              .string()
              .max(200)
              .optional()
              .describe('Words that all occur in the name, the ARN or a tag written as key=value'),
            health: z.enum(streamHealths).optional(),
            limit: z.coerce.number().int().min(1).max(1000).default(100),
            after: z.string().max(128).optional().describe('`next` of the previous page'),
            account: z
              .string()
              .max(32)
              .optional()
              .describe('Only streams of this account, whichever process carries it'),
          }),
          response: { 200: list },
        },
      },
      async ({ query }) => {
        const { state: wanted, account, ...rest } = query;
        const answers = await askEach(placesOf(account), (place) =>
          place.read((seen): StreamPage => {
            const { view } = seen;
            const page =
              wanted === 'over'
                ? listEnded(view, rest)
                : listStreams(view, { ...rest, state: wanted === 'any' ? undefined : wanted });
            return {
              page,
              shown: new Map(page.streams.map((record) => [record, shown(view, record, seen.nowMs())])),
              counts: countsOf(view),
            };
          }),
        );
        const found = answers.found.map(({ value }) => value);
        const { streams, next } = mergeStreams(
          found.map(({ page }) => page),
          { limit: rest.limit, order: wanted === 'over' ? 'end' : 'arn' },
        );
        return {
          counts: found.map(({ counts }) => counts).reduce(sumOf),
          stale: staleness(silentSinceMs),
          streams: streams.map((record) => found.flatMap((each) => each.shown.get(record) ?? [])[0]!),
          ...(next === undefined ? {} : { next }),
          ...unaskedOf(answers),
        };
      },
    );
    app.get(
      '/streams/:channelArn',
      {
        schema: {
          operationId: 'getStream',
          summary: 'Show one channel: one session with evidence and timeline, and the earlier ones',
          tags,
          params: z.strictObject({ channelArn }),
          querystring: z.strictObject({
            streamId: z.string().min(1).max(128).optional().describe('Default: the newest session'),
          }),
          response: { 200: story },
        },
      },
      async ({ params: { channelArn: arn }, query: { streamId } }) => {
        const elsewhere = reach?.elsewhereOfChannel(arn);
        return elsewhere ? elsewhere.read((seen) => storyOf(seen, arn, streamId)) : storyOf(state, arn, streamId);
      },
    );
  };

  async function storyOf(
    state: SeenState,
    arn: ChannelArn,
    streamId: string | undefined,
  ): Promise<z.infer<typeof story>> {
    const sinceMs = state.nowMs() - retentionMs();
    const found = await channelStory(state, arn, { limit: mostSessions, sinceMs });
    if (!found) {
      const text = `${arn} is unknown: it has no stream and is not in the list of channels`;
      throw notFound('channel', withTrace(text, await traceOfChannel(state, arn)));
    }
    const { channel } = found;
    const record = streamId === undefined ? found.record : await sessionOf(state, arn, streamId);
    if (streamId !== undefined && !record) throw await unknownSession(state, arn, streamId);
    const sessions = [...(found.record ? [found.record] : []), ...found.sessions].filter(
      (session) => session.streamId !== record?.streamId,
    );
    return {
      record: record ? shownFully(state.view, record, state.nowMs()) : null,
      timeline: (record?.timeline ?? []).map(({ text, ...entry }) => ({ ...shownEvidence(entry), text })),
      channel: channel ? { ...channel } : null,
      sessions: sessions.map((session) => shown(state.view, session, state.nowMs())),
      stale: staleness(silentSinceMs),
    };
  }
}

function countsOf(view: StateView): z.infer<typeof list>['counts'] {
  const { lastFullPollMs: _full, lastStarvingPollMs: _starving, staleSinceMs: _stale, ...counts } = fleetCounts(view);
  return counts;
}

type Counts = z.infer<typeof list>['counts'];

function sumOf(a: Counts, b: Counts): Counts {
  return Object.fromEntries(Object.entries(a).map(([name, n]) => [name, n + b[name as keyof Counts]])) as Counts;
}

function shown(view: StateView, record: StreamRecord, nowMs: number): z.infer<typeof stream> {
  const { channelArn, streamId, state, health, recording, viewerCount, failureReason } = record;
  const reason = endReason(record);
  const running = adBreakAt(record, nowMs);
  return {
    channelArn,
    channelName: nameOf(view, channelArn, record),
    streamId,
    state,
    health,
    recording,
    stateSince: iso(record.stateSinceMs),
    healthSince: iso(record.healthSinceMs),
    ...at('startedAt', record.startedAtMs),
    ...at('endedAt', record.endedAtMs),
    ...(record.endedAtMs === undefined || isEndToldByEvent(record) ? {} : { endedAtLatest: true as const }),
    ...(viewerCount === undefined ? {} : { viewerCount }),
    ...(running ? { adBreak: shownAdBreak(running) } : {}),
    ...(failureReason === undefined ? {} : { failureReason }),
    ...(reason === undefined ? {} : { endReason: reason }),
    // While the stream is live, a requested stop is not yet the reason for its end.
    ...(reason === undefined || record.stoppedBy === undefined ? {} : { stoppedBy: record.stoppedBy }),
  };
}

function shownFully(
  view: StateView,
  record: StreamRecord,
  nowMs: number,
): NonNullable<z.infer<typeof story>['record']> {
  return {
    ...shown(view, record, nowMs),
    ...at('viewerCountAt', record.viewerCountAtMs),
    ...at('recordingSince', record.recordingSinceMs),
    ...at('takeoverAt', record.takeoverAtMs),
    ...at('learntAt', record.learntAtMs),
    adBreaks: (record.adBreaks ?? []).map(shownAdBreak),
    ...(record.recordingPrefix === undefined ? {} : { recordingPrefix: record.recordingPrefix }),
    limitBreaches: record.limitBreaches.map(({ atMs, limitName, limitValue, exceededBy, limitUnit }) => ({
      limitName,
      ...(limitValue === undefined ? {} : { limitValue }),
      ...(exceededBy === undefined ? {} : { exceededBy }),
      ...(limitUnit === undefined ? {} : { limitUnit }),
      at: iso(atMs),
    })),
    evidence: Object.fromEntries(Object.entries(record.evidence).map(([fact, found]) => [fact, shownEvidence(found)])),
  };
}

function shownAdBreak({ id, insertedAtMs, startsAtMs, endsAtMs }: AdBreak): z.infer<typeof adBreak> {
  return { id, insertedAt: iso(insertedAtMs), startsAt: iso(startsAtMs), endsAt: iso(endsAtMs) };
}

function shownEvidence({
  source,
  name,
  eventTimeMs,
  arrivedAtMs,
}: StreamRecord['evidence'][string]): z.infer<typeof evidence> {
  return { source, name, eventTime: iso(eventTimeMs), arrivedAt: iso(arrivedAtMs) };
}

function staleness(silentSinceMs: StreamRoutesOptions['silentSinceMs']): z.infer<typeof stale> {
  return { ...at('polls', silentSinceMs('poll')), ...at('events', silentSinceMs('events')) };
}

function at<K extends string>(name: K, ms: number | undefined): { [key in K]?: string } {
  return (ms === undefined ? {} : { [name]: iso(ms) }) as { [key in K]?: string };
}
