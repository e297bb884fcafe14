// Alternatives that a user could pick, each as its documentation suggests for "5 a second for a channel, 155 for the account".
import { IvsClient, type IvsClientConfig, PutMetadataCommand } from '@aws-sdk/client-ivs';
import Bottleneck from 'bottleneck';
import { Queue, QueueEvents, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import pThrottle from 'p-throttle';
import { RateLimiterQueue, RateLimiterRedis } from 'rate-limiter-flexible';
import { type ContestantOptions, type Item, type MakeContestant, settleAll } from './contestants.ts';

const perAccount = 155;
const perChannel = 5;

interface Sender {
  readonly send: (item: Item) => Promise<unknown>;
  readonly destroy: () => void;
}

function sdk({ endpoint }: ContestantOptions, more: IvsClientConfig = {}): Sender {
  const client = new IvsClient({
    region: 'us-west-2',
    endpoint,
    credentials: { accessKeyId: 'bench', secretAccessKey: 'not-a-secret' },
    // The default pool of 50 sockets would be the bottleneck: everybody gets enough.
    requestHandler: { httpAgent: { keepAlive: true, maxSockets: 400 } },
    ...more,
  });
  return { send: (item) => client.send(new PutMetadataCommand(item)), destroy: () => client.destroy() };
}

/** The SDK alone, all at once; it retries three times. */
export const sdkStandard: MakeContestant = async (options) => {
  const { send, destroy } = sdk(options);
  return { sendAll: (items) => settleAll(items, send), stop: async () => destroy() };
};

/** The SDK's own client-side rate limiting. */
export const sdkAdaptive: MakeContestant = async (options) => {
  const { send, destroy } = sdk(options, { retryMode: 'adaptive' });
  return { sendAll: (items) => settleAll(items, send), stop: async () => destroy() };
};

/** BullMQ's worker limiter over all workers, ten attempts with backoff; the SDK's own retries are off. */
export const bullmq: MakeContestant = async (options) => {
  const { send, destroy } = sdk(options, { maxAttempts: 1 });
  const connection = { url: options.redisUrl, maxRetriesPerRequest: null };
  const prefix = `{${options.namespace}}`;
  const queue = new Queue<Item>('metadata', { connection, prefix });
  const events = new QueueEvents('metadata', { connection, prefix });
  const worker = new Worker<Item>('metadata', async ({ data }) => void (await send(data)), {
    connection,
    prefix,
    concurrency: 50,
    limiter: { max: perAccount, duration: 1000 },
  });
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady(), worker.waitUntilReady()]);
  return {
    async sendAll(items) {
      const ids = new Set<string>();
      const finished = new Map<string, boolean>();
      let settle: (() => void) | undefined;
      const all = new Promise<void>((resolve) => {
        settle = resolve;
      });
      const note = (jobId: string, delivered: boolean) => {
        finished.set(jobId, delivered);
        if (ids.size === items.length && [...ids].every((id) => finished.has(id))) settle?.();
      };
      events.on('completed', ({ jobId }) => note(jobId, true));
      events.on('failed', ({ jobId }) => note(jobId, false));
      const opts = { attempts: 10, backoff: { type: 'exponential', delay: 200 }, removeOnComplete: true } as const;
      for (const job of await queue.addBulk(items.map((data) => ({ name: 'put', data, opts })))) ids.add(job.id!);
      if ([...ids].every((id) => finished.has(id))) settle?.();
      await all;
      return { lost: [...ids].filter((id) => finished.get(id) === false).length };
    },
    async stop() {
      await worker.close();
      await events.close();
      await queue.close();
      destroy();
    },
  };
};

/** A Bottleneck for each channel, chained to one for the account, spaced evenly. It knows only its own process. */
export const bottleneckLocal: MakeContestant = async (options) => {
  const { send, destroy } = sdk(options);
  const account = new Bottleneck({ minTime: Math.ceil(1000 / perAccount) });
  const channels = new Bottleneck.Group({ minTime: 1000 / perChannel });
  channels.on('created', (limiter) => limiter.chain(account));
  return {
    sendAll: (items) => settleAll(items, (item) => channels.key(item.channelArn).schedule(() => send(item))),
    stop: async () => destroy(),
  };
};

/** The same, clustered through Redis. */
export const bottleneckClustered: MakeContestant = async (options) => {
  const { send, destroy } = sdk(options);
  const connection = new Bottleneck.IORedisConnection({ client: new Redis(options.redisUrl), Redis });
  const common = { connection, datastore: 'ioredis', clearDatastore: false };
  const account = new Bottleneck({
    id: `${options.namespace}-account`,
    minTime: Math.ceil(1000 / perAccount),
    ...common,
  });
  const channels = new Bottleneck.Group({ id: `${options.namespace}-channel`, minTime: 1000 / perChannel, ...common });
  channels.on('created', (limiter) => limiter.chain(account));
  account.on('error', () => undefined);
  channels.on('error', () => undefined);
  await account.ready();
  return {
    sendAll: (items) => settleAll(items, (item) => channels.key(item.channelArn).schedule(() => send(item))),
    async stop() {
      await connection.disconnect(false);
      destroy();
    },
  };
};

/** Two counters in Redis with queues in front of them, channel first. */
export const rateLimiterFlexible: MakeContestant = async (options) => {
  const { send, destroy } = sdk(options);
  const storeClient = new Redis(options.redisUrl);
  const line = (name: string, points: number) =>
    new RateLimiterQueue(
      new RateLimiterRedis({ storeClient, points, duration: 1, keyPrefix: `${options.namespace}-${name}` }),
      { maxQueueSize: 100_000 },
    );
  const account = line('account', perAccount);
  const channel = line('channel', perChannel);
  return {
    sendAll: (items) =>
      settleAll(items, async (item) => {
        await channel.removeTokens(1, item.channelArn);
        await account.removeTokens(1, 'account');
        return send(item);
      }),
    async stop() {
      storeClient.disconnect();
      destroy();
    },
  };
};

/** One throttle for each channel inside one for the account; a window of its own process. */
export const throttle: MakeContestant = async (options) => {
  const { send, destroy } = sdk(options);
  const account = pThrottle({ limit: perAccount, interval: 1000, strict: true })(send);
  const channels = new Map<string, (item: Item) => Promise<unknown>>();
  return {
    sendAll: (items) =>
      settleAll(items, (item) => {
        let limited = channels.get(item.channelArn);
        if (!limited) {
          limited = pThrottle({ limit: perChannel, interval: 1000, strict: true })(account);
          channels.set(item.channelArn, limited);
        }
        return limited(item);
      }),
    stop: async () => destroy(),
  };
};
