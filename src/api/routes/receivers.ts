// `/v1/receivers`: who gets notifications, and a test message to one.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { actorOf } from '../auth.ts';

const receiver = z.object({
  name: z.string(),
  integrations: z.array(z.string()).describe('As in the configuration: `slack_configs[0]`'),
  grouped: z.boolean().describe('Whether messages that rules send to it by name are grouped'),
});
export type ReceiverView = z.infer<typeof receiver>;

export interface ReceiversPort {
  list(): readonly ReceiverView[];
  /**
   * Sends a message and, if the receiver has `send_resolved`, its end.
   * @throws AppError NOT_FOUND with the nearest name, REQUEST_INVALID
   */
  test(name: string, account: string | undefined, who: string): Promise<{ readonly jobId: string }>;
}

const tags = ['Operations'];

export function receiverRoutes({ receivers }: { readonly receivers: ReceiversPort }): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/receivers',
      {
        schema: {
          operationId: 'listReceivers',
          summary: 'The receivers of the configuration in force',
          tags,
          querystring: z.strictObject({}),
          response: { 200: z.object({ receivers: z.array(receiver) }) },
        },
      },
      async () => ({ receivers: [...receivers.list()] }),
    );
    app.post(
      '/receivers/:receiver/test',
      {
        schema: {
          operationId: 'testReceiver',
          summary: 'Send a test message to each integration of a receiver; the job returns each answer',
          tags,
          params: z.strictObject({ receiver: z.string().min(1).max(63) }),
          querystring: z.strictObject({
            account: z.string().max(32).optional().describe('Account whose workers send it. Default: the first'),
          }),
          body: z.union([z.strictObject({}), z.null()]).optional(),
          response: { 202: z.object({ jobId: z.string() }) },
        },
      },
      async ({ params, query, caller }, reply) =>
        reply.code(202).send(await receivers.test(params.receiver, query.account, actorOf(caller))),
    );
  };
}
