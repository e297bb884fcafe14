// `/v1/intents`: actions that wait for the end of a stream, and cancelling them; also the age of each channel's key.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelArn } from '#domain/action.ts';
import { type IntentKind, intentKinds } from '#domain/action-memory.ts';
import { actorOf } from '../auth.ts';

const time = z.iso.datetime();

const intent = z.object({
  id: z.string(),
  kind: z.enum(intentKinds),
  channelArn: z.string(),
  channelName: z.string().describe('Empty: there is none, or it is unknown'),
  summary: z.string().describe('Such as "record with prod-s3"'),
  since: time,
  cause: z.unknown(),
  replaced: z.number().int().describe('Earlier requests that this one replaced'),
  releasedAt: time.optional().describe('When its job was enqueued'),
});
const keyAge = z.object({
  channelArn: z.string(),
  channelName: z.string(),
  since: time.describe('The key is at least as old'),
  exact: z.boolean().describe('true: created at that time; false: first found by an audit at that time'),
  ageDays: z.number(),
  rotatedAt: time.optional().describe('For a key that was rotated here'),
  deliveredTo: z.string().optional(),
});
export type IntentView = z.infer<typeof intent>;
export type KeyAgeView = z.infer<typeof keyAge>;

export interface IntentsPort {
  intents(): Promise<readonly IntentView[]>;
  /** @throws AppError NOT_FOUND */
  cancel(kind: IntentKind, channelArn: string, who: string): Promise<IntentView>;
  /** The known ages, the oldest first. */
  keyAges(): Promise<readonly KeyAgeView[]>;
}

const tags = ['Actions'];
const none = z.strictObject({});

export function intentRoutes({ intents }: { readonly intents: IntentsPort }): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/intents',
      {
        schema: {
          operationId: 'listIntents',
          summary: 'List actions that wait for the end of a stream',
          tags,
          querystring: z.strictObject({ channelArn: channelArn.optional() }),
          response: { 200: z.object({ intents: z.array(intent) }) },
        },
      },
      async ({ query }) => ({
        intents: (await intents.intents()).filter(
          (each) => query.channelArn === undefined || each.channelArn === query.channelArn,
        ),
      }),
    );
    app.delete(
      '/intents/:kind/:channelArn',
      {
        schema: {
          operationId: 'cancelIntent',
          summary: 'Cancel a waiting action',
          tags,
          params: z.strictObject({ kind: z.enum(intentKinds), channelArn }),
          response: { 200: intent },
        },
      },
      async ({ params, caller }) => intents.cancel(params.kind, params.channelArn, actorOf(caller)),
    );
    app.get(
      '/keys',
      {
        schema: {
          operationId: 'listKeys',
          summary:
            'List the age of the stream keys, the oldest first: since their rotation, or at least since an audit first found them',
          tags,
          querystring: none,
          response: { 200: z.object({ keys: z.array(keyAge) }) },
        },
      },
      async () => ({ keys: [...(await intents.keyAges())] }),
    );
  };
}
