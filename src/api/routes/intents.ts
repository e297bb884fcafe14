// `/v1/intents`: actions that wait for the end of a stream, and taking them back. Beside them how old each channel's key is.
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
  channelName: z.string().describe('Empty: it has none, or none is known'),
  summary: z.string().describe('Such as "record with prod-s3"'),
  since: time,
  cause: z.unknown(),
  replaced: z.number().int().describe('Earlier requests that this one replaced'),
  releasedAt: time.optional().describe('Its job was enqueued then'),
});
const keyAge = z.object({
  channelArn: z.string(),
  channelName: z.string(),
  since: time.describe('The key is at least as old'),
  exact: z.boolean().describe('It was made then; otherwise an audit first found it then'),
  ageDays: z.number(),
  rotatedAt: time.optional().describe('Of a key that was rotated here'),
  deliveredTo: z.string().optional(),
});
export type IntentView = z.infer<typeof intent>;
export type KeyAgeView = z.infer<typeof keyAge>;

export interface IntentsPort {
  intents(): Promise<readonly IntentView[]>;
  /** @throws AppError NOT_FOUND */
  cancel(kind: IntentKind, channelArn: string, who: string): Promise<IntentView>;
  /** As far as they are known, the oldest first. */
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
          summary: 'Actions that wait for the end of a stream',
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
          summary: 'Take a waiting action back',
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
            'How old the stream keys are: since their rotation, else at least since an audit first found them; the oldest first',
          tags,
          querystring: none,
          response: { 200: z.object({ keys: z.array(keyAge) }) },
        },
      },
      async () => ({ keys: [...(await intents.keyAges())] }),
    );
  };
}
