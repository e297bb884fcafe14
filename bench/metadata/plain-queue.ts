// What one would write without ivs-autopilot: a BullMQ queue with one job per item, its own limiter, and retries after throttling.
// Reads channel ARNs from standard input; writes the result to standard output.
import { text } from 'node:stream/consumers';
import { IvsClient, PutMetadataCommand } from '@aws-sdk/client-ivs';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const channels = JSON.parse(await text(process.stdin)) as string[];
const url = process.env['REDIS_URL']!;
const ivs = new IvsClient({ region: 'us-west-2', maxAttempts: 1 });
const queue = new Queue('plain', { connection: new Redis(url, { maxRetriesPerRequest: null }) });
const worker = new Worker(
  'plain',
  (job) =>
    ivs
      .send(new PutMetadataCommand({ channelArn: job.data.channelArn, metadata: job.data.payload }))
      .then(() => undefined),
  {
    connection: new Redis(url, { maxRetriesPerRequest: null }),
    concurrency: 50,
    limiter: { max: 155, duration: 1000 },
  },
);
let done = 0;
let lost = 0;
const over = Promise.withResolvers<void>();
const count = () => void (done + lost === channels.length && over.resolve());
worker.on('completed', () => {
  done += 1;
  count();
});
worker.on('failed', (job) => {
  if (job && job.attemptsMade >= (job.opts.attempts ?? 1)) lost += 1;
  count();
});

const startedAt = Date.now();
const payload = JSON.stringify({ type: 'poll' });
for (let from = 0; from < channels.length; from += 500) {
  await queue.addBulk(
    channels.slice(from, from + 500).map((channelArn) => ({
      name: 'put',
      data: { channelArn, payload },
      opts: { attempts: 10, backoff: { type: 'exponential', delay: 250, jitter: 0.5 }, removeOnComplete: true },
    })),
  );
}
const acceptedMs = Date.now() - startedAt;
await over.promise;
process.stdout.write(JSON.stringify({ startedAt, acceptedMs, lost }));
await Promise.all([worker.close(), queue.close()]);
process.exit(0);
