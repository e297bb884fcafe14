// `/v1/triggers`: how other programs reach the rules: a request under a name becomes an observation for rules with that `http` trigger.
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelArn } from '#domain/action.ts';
import { type ChannelArn, isChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import type { HttpObservation } from '#domain/observation.ts';
import type { ShardDirectory, ShardIdentity } from '#shard/directory.ts';
import { provenNameOf } from '../auth.ts';
import type { RuleShard } from '../rule-lookup.ts';

/** Takes a request: resolves when the result is committed, or when it is in the queue of the process that carries the account. */
interface RequestTaker extends ShardIdentity {
  take(observation: HttpObservation): Promise<unknown>;
}

export interface TriggerRoutesOptions {
  readonly shards: ShardDirectory<RuleShard & RequestTaker, RequestTaker>;
}

export function triggerRoutes({ shards }: TriggerRoutesOptions): FastifyPluginAsyncZod {
  const shardFor = (arn: ChannelArn | undefined, account: string | undefined): RequestTaker => {
    if (arn !== undefined) return shards.anyOfChannel(arn);
    return account === undefined ? shards.first : shards.anyNamed(account);
  };
  return async (app) => {
    app.post(
      '/triggers/:name',
      {
        schema: {
          operationId: 'setOffTrigger',
          summary: 'Trigger the rules that listen to this name',
          tags: ['Rules'],
          params: z.strictObject({ name: z.string().min(1).max(63) }),
          querystring: z.strictObject({
            account: z.string().max(32).optional().describe('Account, if no channel is named. Default: the first'),
          }),
          headers: z.looseObject({
            'idempotency-key': z
              .string()
              .min(1)
              .max(128)
              .optional()
              .describe('Repeating the same key triggers nothing twice'),
          }),
          body: z.strictObject({
            channelArn: channelArn.optional().describe('The channel it is about'),
            body: z.unknown().optional().describe('The rules match it with `http.body`'),
          }),
          response: {
            202: z.object({
              requestId: z.string(),
              rules: z.array(z.string()).describe('Rules that listen to the name'),
            }),
          },
        },
      },
      async ({ params: { name }, query, body, headers, caller }, reply) => {
        const arn = body.channelArn !== undefined && isChannelArn(body.channelArn) ? body.channelArn : undefined;
        const shard = shardFor(arn, query.account);
        const listening = listenersOf(shards.first.ruleset.rules, name);
        const key = headers['idempotency-key'];
        const requestId = key === undefined ? randomUUID() : `${name}:${key}`;
        await shard.take(
          observationOf({
            requestId,
            author: provenNameOf(caller),
            name,
            arn,
            body: body.body,
            atMs: shards.first.state.nowMs(),
          }),
        );
        return reply.code(202).send({ requestId, rules: listening });
      },
    );
  };
}

/** Names of the rules with this trigger. @throws AppError NOT_FOUND if there is none */
function listenersOf(rules: RuleShard['ruleset']['rules'], name: string): string[] {
  const listening = rules.filter(
    ({ mode, trigger }) => mode !== 'off' && trigger.kind === 'http' && trigger.name === name,
  );
  if (listening.length > 0) return listening.map((rule) => rule.name);
  const known = rules.flatMap(({ trigger }) => (trigger.kind === 'http' ? [trigger.name] : []));
  throw new AppError('NOT_FOUND', `no rule listens to the http trigger ${name}${didYouMean(name, known)}`);
}

function observationOf(request: {
  readonly requestId: string;
  readonly author: string;
  readonly name: string;
  readonly arn: ChannelArn | undefined;
  readonly body: unknown;
  readonly atMs: number;
}): HttpObservation {
  const { requestId, author, name, arn, body = null, atMs } = request;
  return { kind: 'http', requestId, author, name, channelArn: arn, body, atMs };
}
