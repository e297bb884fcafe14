// `/v1/ad-breaks`: ad breaks that wait for their turn, because the account may insert one a second; and cancelling one before its turn.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelArn } from '#domain/action.ts';
import { actorOf } from '../auth.ts';

const time = z.iso.datetime();

const adBreak = z.object({
  channelArn: z.string(),
  channelName: z.string(),
  state: z
    .enum(['planned', 'sent', 'inserted', 'unknown', 'cancelled'])
    .describe('unknown: the call was sent, but neither its answer nor an event came'),
  at: time.describe('Its turn: when InsertAdBreak is called'),
  startsAt: time.describe('When the break is expected to begin: IVS takes about ten seconds'),
  endsAt: time,
  durationSeconds: z.number().int(),
  adBreakId: z.string().optional(),
  jobId: z.string(),
  by: z.string(),
});
export type AdBreakView = z.infer<typeof adBreak>;

/** One channel's turn in a plan. */
export const plannedAdBreak = z.object({
  channelArn: z.string(),
  channelName: z.string().describe('Empty: there is none, or it is unknown'),
  at: time.describe('When InsertAdBreak is called'),
  startsAt: time.describe('About ten seconds later'),
  behindSeconds: z.number().int().describe('After the first break of the plan'),
});

export interface AdBreaksPort {
  /** The newest of each channel, in the order of their turns. */
  list(): Promise<readonly AdBreakView[]>;
  /** @throws AppError NOT_FOUND if none waits for its turn */
  cancel(channelArn: string, who: string): Promise<AdBreakView>;
}

const tags = ['Actions'];

export function adBreakRoutes({ adBreaks }: { readonly adBreaks: AdBreaksPort }): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/ad-breaks',
      {
        schema: {
          operationId: 'listAdBreaks',
          summary: 'List ad breaks that wait for their turn, and the newest of each channel',
          tags,
          querystring: z.strictObject({ channelArn: channelArn.optional(), state: adBreak.shape.state.optional() }),
          response: { 200: z.object({ adBreaks: z.array(adBreak) }) },
        },
      },
      async ({ query }) => ({
        adBreaks: (await adBreaks.list()).filter(
          (each) =>
            (query.channelArn === undefined || each.channelArn === query.channelArn) &&
            (query.state === undefined || each.state === query.state),
        ),
      }),
    );
    app.delete(
      '/ad-breaks/:channelArn',
      {
        schema: {
          operationId: 'cancelAdBreak',
          summary: 'Cancel an ad break that waits for its turn; an inserted one cannot be undone',
          tags,
          params: z.strictObject({ channelArn }),
          response: { 200: adBreak },
        },
      },
      async ({ params, caller }) => adBreaks.cancel(params.channelArn, actorOf(caller)),
    );
  };
}
