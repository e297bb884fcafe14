// `/v1/streams/{channelArn}/samples` and `/v1/fleet/samples`: viewers and health over time, for one session and for all.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelArn } from '#domain/action.ts';
import { streamHealths } from '#domain/channel.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { unknownSession } from '#journal/traces.ts';
import type { SeenState } from '#store/visited-state.ts';
import { sessionOf } from '#streams/queries.ts';
import { fleetSamples, readSamples } from '#streams/samples.ts';
import { moment, momentMs } from '../moment.ts';
import { askEach, type Reach, type Reached, unaskedField, unaskedOf } from '../reach.ts';

const time = z.iso.datetime();
const count = z.number().int();

const sessionSamples = z.object({
  channelArn: z.string(),
  streamId: z.string(),
  samples: z
    .array(
      z.object({
        at: time,
        health: z.enum(streamHealths),
        viewers: count.optional().describe('Omitted: IVS did not count them'),
      }),
    )
    .describe('Oldest first: one for each observed minute and one for each change of health'),
  next: z.string().optional().describe('Send it as `before` to get older ones'),
});

const fleet = z.object({
  accounts: z.array(
    z.object({
      account: z.string(),
      samples: z
        .array(
          z.object({
            at: time,
            live: count,
            healthy: count,
            starving: count,
            unknown: count,
            viewers: count.describe('Sum over all counted streams'),
            uncounted: count.describe('Live streams whose viewers IVS did not count'),
          }),
        )
        .describe('Oldest first, one for each minute; a minute without a sample was not observed'),
    }),
  ),
  unasked: unaskedField,
});

const mostSamples = 5_000;

export interface SampleRoutesOptions {
  /** Of the whole fleet. */
  readonly state: SharedState;
  readonly accounts: readonly { readonly name: string; readonly state: SharedState }[];
  /** If other processes carry accounts. */
  readonly reach?: Reach | undefined;
}

export function sampleRoutes({ state, accounts, reach }: SampleRoutesOptions): FastifyPluginAsyncZod {
  const tags = ['Streams'];
  const iso = (ms: number) => new Date(ms).toISOString();
  return async (app) => {
    app.get(
      '/streams/:channelArn/samples',
      {
        schema: {
          operationId: 'listSamples',
          summary: 'Show viewers and health of one session over time',
          tags,
          params: z.strictObject({ channelArn }),
          querystring: z.strictObject({
            streamId: z.string().min(1).max(128).optional().describe('Default: the newest session'),
            limit: z.coerce.number().int().min(1).max(mostSamples).default(1_440),
            before: z
              .string()
              .regex(/^\d{1,16}-\d{1,16}$/)
              .optional()
              .describe('`next` of the previous page'),
          }),
          response: { 200: sessionSamples },
        },
      },
      async ({ params: { channelArn: arn }, query: { streamId, ...page } }) => {
        const read = async (seen: SeenState) => {
          const session = await sessionOf(seen, arn, streamId);
          if (!session) throw await unknownSession(seen, arn, streamId);
          return { session, ...(await readSamples(seen, session, page)) };
        };
        const elsewhere = reach?.elsewhereOfChannel(arn);
        const { session, samples, next } = await (elsewhere ? elsewhere.read(read) : read(state));
        return {
          channelArn: arn,
          streamId: session.streamId,
          samples: samples.map(({ atMs, health, viewers }) => ({
            at: iso(atMs),
            health,
            ...(viewers === undefined ? {} : { viewers }),
          })),
          ...(next === undefined ? {} : { next }),
        };
      },
    );
    app.get(
      '/fleet/samples',
      {
        schema: {
          operationId: 'listFleetSamples',
          summary: 'Number of live streams by health, over time',
          tags,
          querystring: z.strictObject({
            since: moment.default('24h').describe('A time, or how long ago'),
          }),
          response: { 200: fleet },
        },
      },
      async ({ query: { since } }) => {
        const sinceMs = momentMs(since, state.nowMs());
        const places = reach?.all ?? accounts.map(hereOnly);
        const answers = await askEach(places, (place) => place.read((seen) => fleetSamples(seen, { sinceMs })));
        return {
          accounts: answers.found.map(({ shard, value }) => ({
            account: shard.name,
            samples: value.map(({ atMs, ...counts }) => ({
              at: iso(atMs),
              live: counts.healthy + counts.starving + counts.unknown,
              ...counts,
            })),
          })),
          ...unaskedOf(answers),
        };
      },
    );
  };
}

function hereOnly({ name, state }: SampleRoutesOptions['accounts'][number]): Pick<Reached, 'name' | 'read'> {
  return { name, read: async (look) => look(state) };
}
