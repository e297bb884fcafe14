// `/v1/metadata/batches`: sending timed metadata to many channels, and following the results.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { lanes, targets } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import { type Clock, sleepOrAbort } from '#runtime/clock.ts';
import type { ShardDirectory, ShardIdentity } from '#shard/directory.ts';
import { actorOf, callerKey } from '../auth.ts';
import { type EventStream, eventStreamAnswer } from '../event-streams.ts';

const day = 86_400_000;

const batchBody = z.strictObject({
  targets: targets.describe('Exactly one of channelArns, live and tags'),
  items: z
    .array(
      z.strictObject({
        payload: z
          .union([z.string().min(1), z.record(z.string(), z.unknown())])
          .describe('Text, or an object that is sent as JSON; at most about 960 bytes, since a call carries 1,024'),
        key: z
          .string()
          .min(1)
          .max(128)
          .optional()
          .describe('A newer item with the same key replaces an older unsent one of the channel, and keeps its place'),
        expiresInMs: z.number().int().min(1).max(day).optional().describe('Not sent after this long'),
      }),
    )
    .min(1)
    .max(100),
  lane: z.enum(lanes).optional().describe('Priority of the items. Default: normal'),
  dryRun: z.boolean().optional().describe('Returns the plan and accepts nothing'),
});

const skipped = z.object({
  reason: z.enum(['duplicate', 'other_account_or_region', 'not_live', 'held', 'queue_full']),
  count: z.number().int(),
  examples: z.array(z.string()).readonly().describe('At most 20 of them'),
});

const plan = z.object({
  channels: z.number().int().describe('Channels that get the items'),
  items: z.number().int(),
  plannedCalls: z.number().int().describe('PutMetadata calls if no item shares a call with another batch'),
  estimatedSeconds: z.number(),
  bytes: z
    .object({
      total: z.number().int().describe('In all planned calls together'),
      largestCall: z.number().int().describe('In the largest call'),
      mostInCall: z.number().int().describe('What one call can carry'),
    })
    .optional()
    .describe('UTF-8 bytes of metadata, including the envelope of packed items; only in the plan of a dry run'),
  skipped: z.array(skipped).readonly(),
});
const accepted = plan.extend({ batchId: z.string() });

const count = z.number().int();
const progress = z.object({
  batchId: z.string(),
  who: z.string().describe('Who sent it'),
  state: z.enum(['running', 'cancelling', 'finished', 'cancelled']),
  lane: z.enum(lanes),
  channels: count,
  items: count,
  total: count.describe('Items times channels; the counts add up to it'),
  counts: z.object({
    pending: count,
    delivered: count,
    conflated: count.describe('Replaced by a newer item with the same key before they were sent'),
    expired: count,
    notBroadcasting: count,
    failed: count,
    cancelled: count,
  }),
  failures: z.record(z.string(), count).describe('Why items failed, by error code'),
  skipped: z.array(skipped).readonly().describe('Channels that were left out, and why'),
  contents: z
    .array(z.object({ payload: z.union([z.string(), z.record(z.string(), z.unknown())]), key: z.string().optional() }))
    .readonly()
    .describe('The first items, as many as fit into 4 kB'),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
  etaSeconds: z.number().nullable(),
});

/** The results of a batch; see src/metadata/batch.ts. */
interface Progress
  extends Omit<z.infer<typeof progress>, 'startedAt' | 'finishedAt' | 'etaSeconds' | 'counts' | 'failures'> {
  readonly counts: Readonly<z.infer<typeof progress>['counts']>;
  readonly failures: Readonly<Record<string, number>>;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | undefined;
  readonly etaSeconds: number | undefined;
}

type Body = z.infer<typeof batchBody>;

/** What the API needs of one shard's metadata service. */
export interface MetadataPort {
  submit(request: {
    readonly targets: Body['targets'];
    readonly items: Body['items'];
    readonly lane: (typeof lanes)[number];
    readonly requestId?: string | undefined;
    readonly mustMatch: true;
    readonly dryRun?: boolean | undefined;
    readonly who: string;
  }): Promise<z.infer<typeof accepted> & { readonly repeated: boolean }>;
  progress(batchId: string): Promise<Progress>;
  /** Newest first. */
  newest(most: number): Promise<readonly Progress[]>;
  cancel(batchId: string): Promise<Progress>;
}

export interface MetadataRoutesOptions {
  readonly shards: ShardDirectory<ShardIdentity & { readonly metadata: MetadataPort }>;
  readonly clock: Clock;
  /** Time between two reads of a batch that somebody follows. Default 250 ms. */
  readonly followMs?: number;
}

const accountQuery = z.strictObject({
  account: z
    .string()
    .max(32)
    .optional()
    .describe('Name of the account in the configuration; default: that of the channels, or the first'),
});
const batchParams = z.strictObject({ id: z.string().min(1).max(64).describe('The batchId') });
const tags = ['Metadata'];

export function metadataRoutes({ shards, clock, followMs = 250 }: MetadataRoutesOptions): FastifyPluginAsyncZod {
  /** The named account, or else the one that owns all of the channels, or else the first. */
  const shardFor = (name: string | undefined, { channelArns = [] }: Body['targets']): MetadataPort => {
    if (name !== undefined) return shards.named(name).metadata;
    const owners = new Set(channelArns.map((arn) => shards.findOfChannel(arn)));
    const [owner] = owners.size === 1 ? owners : [];
    if (owner) return owner.metadata;
    // Channels of several accounts: the first account takes its own, and reports the others as left out. Channels of no account are
    // refused.
    return (owners.size === 1 ? shards.ofChannel(channelArns[0]!) : shards.first).metadata;
  };
  /** The id of a batch does not contain its shard, so all are searched. */
  const anywhere = async (use: (shard: MetadataPort) => Promise<Progress>): Promise<Progress> => {
    let missing: unknown;
    for (const { metadata } of shards.all) {
      try {
        return await use(metadata);
      } catch (error) {
        if (!(error instanceof AppError && error.code === 'NOT_FOUND')) throw error;
        missing = error;
      }
    }
    throw missing;
  };
  const reads = new Map<string, Promise<Progress>>();
  /** However many readers follow a batch, Redis is read once every `followMs`. */
  const readTogether = (id: string): Promise<Progress> => {
    let read = reads.get(id);
    if (!read) {
      read = anywhere((shard) => shard.progress(id));
      reads.set(id, read);
      void clock.sleep(followMs).then(() => reads.delete(id));
    }
    return read;
  };

  return async (app) => {
    app.post(
      '/metadata/batches',
      {
        schema: {
          operationId: 'sendMetadata',
          summary: 'Send items to channels, in order, within the quota',
          tags,
          querystring: accountQuery,
          headers: z.looseObject({
            'idempotency-key': z
              .string()
              .regex(/^[\x21-\x7e]{1,128}$/, 'expected 1 to 128 visible ASCII characters')
              .optional()
              .describe('Repeating a request with the same key returns the same answer and sends nothing twice'),
          }),
          body: batchBody,
          response: { 202: accepted.partial({ batchId: true }).describe('Without batchId: the plan of a dry run') },
        },
      },
      async (request, reply) => {
        const { targets, items, lane = 'normal', dryRun } = request.body;
        const key = request.headers['idempotency-key'];
        const { repeated, batchId, ...answer } = await shardFor(request.query.account, targets).submit({
          targets,
          items,
          lane,
          requestId: key === undefined ? undefined : `api:${callerKey(request.caller)}:${key}`,
          mustMatch: true,
          dryRun,
          who: actorOf(request.caller),
        });
        if (dryRun) return reply.code(202).send(answer);
        if (repeated) reply.header('idempotent-replayed', 'true');
        return reply
          .code(202)
          .header('location', `${request.outside.prefix}/v1/metadata/batches/${batchId}`)
          .send({ batchId, ...answer });
      },
    );

    app.get(
      '/metadata/batches',
      {
        schema: {
          operationId: 'listBatches',
          summary: 'List the newest batches; finished ones are kept for some hours',
          tags,
          querystring: z.strictObject({ limit: z.coerce.number().int().min(1).max(200).default(20) }),
          response: { 200: z.object({ batches: z.array(progress) }) },
        },
      },
      async ({ query: { limit } }) => {
        const lists = await Promise.all(shards.all.map(({ metadata }) => metadata.newest(limit)));
        const newest = lists.flat().toSorted((a, b) => b.startedAtMs - a.startedAtMs);
        return { batches: newest.slice(0, limit).map(shown) };
      },
    );

    app.get(
      '/metadata/batches/:id',
      {
        schema: {
          operationId: 'getBatch',
          summary: 'Show the progress of a batch',
          tags,
          params: batchParams,
          response: { 200: progress },
        },
      },
      async (request) => shown(await anywhere((shard) => shard.progress(request.params.id))),
    );

    app.delete(
      '/metadata/batches/:id',
      {
        schema: {
          operationId: 'cancelBatch',
          summary: 'Cancel what has not been sent',
          tags,
          params: batchParams,
          response: { 200: progress },
        },
      },
      async (request) => shown(await anywhere((shard) => shard.cancel(request.params.id))),
    );

    app.get(
      '/metadata/batches/:id/events',
      {
        schema: {
          operationId: 'followBatch',
          summary: 'Follow a batch: server-sent events `progress`, and `finished` at the end',
          tags,
          params: batchParams,
          response: {
            200: eventStreamAnswer(
              '`progress` and, as the last one, `finished`, both with what GET …/{id} answers; `gone` if the batch is no longer known',
            ),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const first = await readTogether(id);
        const stream = app.eventStreams.open(reply);
        void follow(stream, first, () => readTogether(id));
        return reply;
      },
    );
  };

  /** Sends changes until the batch is over or the reader is gone; never rejects. */
  async function follow(stream: EventStream, first: Progress, read: () => Promise<Progress>): Promise<void> {
    let last = '';
    for (let current: Progress | undefined = first; !stream.signal.aborted; ) {
      const text = current && JSON.stringify(current.counts) + current.state;
      if (current?.finishedAtMs !== undefined) {
        stream.send('finished', shown(current));
        return stream.close();
      }
      if (current && text !== last) stream.send('progress', shown(current));
      last = text ?? last;
      await sleepOrAbort(clock, followMs, stream.signal);
      if (stream.signal.aborted) return;
      try {
        current = await read();
      } catch (error) {
        // Redis may be away for a moment, so the reader keeps its place. A batch that is no longer known never comes back.
        current = undefined;
        if (!(error instanceof AppError && error.code === 'NOT_FOUND')) continue;
        stream.send('gone', { code: error.code, detail: error.message });
        stream.close();
      }
    }
  }
}

function shown({ startedAtMs, finishedAtMs, etaSeconds, ...rest }: Progress): z.infer<typeof progress> {
  return {
    ...rest,
    startedAt: new Date(startedAtMs).toISOString(),
    finishedAt: finishedAtMs === undefined ? null : new Date(finishedAtMs).toISOString(),
    etaSeconds: etaSeconds ?? null,
  };
}
