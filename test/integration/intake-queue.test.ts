// The queue consumer against an SQS server in this process: nothing lost, nothing deleted too early, no loop.
import { createServer, type Server } from 'node:http';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { UnknownEvent } from '#domain/log-entries.ts';
import type { EventObservation } from '#domain/observation.ts';
import { QueueConsumer, type QueueConsumerOptions } from '#intake/events/queue-consumer.ts';
import { QueueDepth } from '#intake/events/queue-depth.ts';
import type { QueueRead } from '#intake/ports.ts';
import { systemClock } from '#runtime/clock.ts';
import { startLocalSqs } from '#simulator/sqs.ts';
import { lastingPort } from '#test/support/ports.ts';
import { eventually, quietLogger, seededRandom, testMetrics } from '#test/support/quiet.ts';
import { event } from '#test/support/streams.ts';

// Used for signing and thrown away: a stand-in for SQS checks nothing.
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const bodyOf = (name: string, at: number) => JSON.stringify(event(name, { channel: 'A', stream: 's1', at }).envelope);

async function ask(endpoint: string, operation: string, body: object): Promise<unknown> {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: { 'x-amz-target': `AmazonSQS.${operation}`, 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function setup(
  options: { visibilitySeconds?: number; maxReceives?: number; consumer?: Partial<QueueConsumerOptions> } = {},
) {
  const sqs = await startLocalSqs();
  const dead = await sqs.createQueue('dead');
  const { queueUrl } = await sqs.createQueue('ivs-events', {
    VisibilityTimeout: String(options.visibilitySeconds ?? 30),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.queueArn, maxReceiveCount: options.maxReceives ?? 3 }),
  });
  const observed: EventObservation[] = [];
  const unknown: UnknownEvent[] = [];
  const reads: QueueRead[] = [];
  const fate: { observe: (observation: EventObservation) => Promise<void>; taken?: 'not_ours' } = {
    observe: () => Promise.resolve(),
  };
  const metrics = testMetrics();
  const consumer = new QueueConsumer({
    shard: 'main',
    queueUrl,
    region: 'us-east-1',
    endpoint: sqs.endpoint,
    credentials,
    sink: {
      async observe(observation) {
        await fate.observe(observation);
        const known = observed.some(({ envelope }) => envelope.id === observation.envelope.id);
        observed.push(observation);
        return fate.taken ?? (known ? 'repeated' : 'taken');
      },
      keepUnknown: async (found) => void unknown.push(found),
      queueRead: async (read) => void reads.push(read),
    },
    now: Date.now,
    clock: systemClock,
    random: seededRandom(1),
    logger: quietLogger(),
    metrics,
    waitTimeSeconds: 1,
    ...options.consumer,
  });
  const queue = async (url = queueUrl) => {
    const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'];
    const { Attributes } = (await ask(sqs.endpoint, 'GetQueueAttributes', { QueueUrl: url, AttributeNames })) as {
      Attributes: Record<string, string>;
    };
    const [ready, inFlight] = AttributeNames.map((name) => Number(Attributes[name]));
    return { ready, inFlight };
  };
  const drained = async () => (await queue()).ready === 0 && (await queue()).inFlight === 0;
  const counted = async (type: string, outcome: string) =>
    (await metrics.eventsReceived.get()).values.find(({ labels }) => labels.type === type && labels.outcome === outcome)
      ?.value ?? 0;
  return {
    consumer,
    observed,
    unknown,
    reads,
    fate,
    metrics,
    queue,
    drained,
    deadLetters: () => queue(dead.queueUrl),
    counted,
    send: (body: string) => ask(sqs.endpoint, 'SendMessage', { QueueUrl: queueUrl, MessageBody: body }),
    async sendMany(bodies: readonly string[]) {
      for (let from = 0; from < bodies.length; from += 10) {
        const Entries = bodies.slice(from, from + 10).map((MessageBody, index) => ({ Id: String(index), MessageBody }));
        await ask(sqs.endpoint, 'SendMessageBatch', { QueueUrl: queueUrl, Entries });
      }
    },
    async [Symbol.asyncDispose]() {
      await consumer.stop();
      await sqs.close();
    },
  };
}

test.concurrent('observes every event, then deletes it', async () => {
  await using rig = await setup();
  const bodies = Array.from({ length: 57 }, (_, index) => bodyOf('Starvation Start', index * 1000));
  for (const body of bodies) await rig.send(body);

  await rig.consumer.start();
  await eventually(() => rig.observed.length >= 57);
  await eventually(rig.drained);

  expect(new Set(rig.observed.map(({ envelope }) => envelope.id)).size).toBe(57);
  expect(await rig.queue()).toEqual({ ready: 0, inFlight: 0 });
  expect(await rig.counted('IVS Stream Health Change', 'observed')).toBe(57);
  expect(rig.reads.length).toBeGreaterThan(0);
  expect(rig.consumer.lastReadMs).toBeGreaterThan(0);
});

test.concurrent('pauses after a full answer while metadata is being sent, and not otherwise', async () => {
  for (const isSending of [true, false]) {
    const rests: number[] = [];
    const clock = {
      ...systemClock,
      sleep: (ms: number, signal?: AbortSignal) => {
        rests.push(ms);
        return systemClock.sleep(ms, signal);
      },
    };
    await using rig = await setup({ consumer: { clock, parallel: 1, isSending: () => isSending } });
    for (let index = 0; index < 30; index += 1) await rig.send(bodyOf('Starvation Start', index * 1000));

    await rig.consumer.start();
    await eventually(rig.drained);

    expect(rests.length > 0).toBe(isSending);
    expect(Math.max(0, ...rests)).toBeLessThanOrEqual(50);
  }
});

test.concurrent('events of a full queue are observed together, up to eighty; while metadata is being sent, up to forty', async () => {
  let isSending = false;
  await using rig = await setup({ maxReceives: 1000, consumer: { isSending: () => isSending } });
  let [waiting, most] = [0, 0];
  let committed = Promise.withResolvers<void>();
  rig.fate.observe = async () => {
    waiting += 1;
    most = Math.max(most, waiting);
    await committed.promise;
    waiting -= 1;
  };
  const commit = () => {
    most = 0;
    committed.resolve();
    committed = Promise.withResolvers();
  };
  /** Resolves when this many events wait for one commit. A receive that fails on a busy machine may join again after a commit. */
  const gathered = async (wanted: number) => {
    for (let patienceMs = 2_000; ; patienceMs *= 2) {
      await rig.sendMany(Array.from({ length: 100 }, (_, index) => bodyOf('Starvation Start', index * 1000)));
      const until = performance.now() + patienceMs;
      await eventually(() => waiting >= wanted || performance.now() > until);
      if (waiting >= wanted) return;
      commit();
    }
  };

  await rig.consumer.start();
  // Each full answer lets one more receive join.
  await gathered(80);
  // Half of the receives end, and the others go on.
  isSending = true;
  commit();
  await gathered(40);
  expect(most).toBe(40);
  isSending = false;
  commit();
  await gathered(80);

  expect(most).toBe(80);
  rig.fate.observe = () => Promise.resolve();
  commit();
  await eventually(rig.drained);
});

test.concurrent('dates the arrival of events by the clock that all replicas share, whatever this host’s clock says', async () => {
  const sharedMs = Date.now() + 3_600_000;
  await using rig = await setup({ consumer: { now: () => sharedMs } });
  await rig.send(bodyOf('Starvation Start', 0));

  await rig.consumer.start();
  const [event] = await eventually(() => (rig.observed.length > 0 ? rig.observed : undefined));
  const read = await eventually(() => rig.reads[0]);

  expect(event!.arrivedAtMs).toBe(sharedMs);
  expect(read.atMs).toBe(sharedMs);
});

test.concurrent('the lag is the age of the oldest event of a read, and 0 once nothing waits; messages left to the redrive do not count', async () => {
  await using rig = await setup();
  const lag = async () => (await rig.metrics.queueLagSeconds.get()).values[0]?.value;
  await rig.send('this is no JSON');
  await new Promise((done) => setTimeout(done, 1_100));
  const sentAt = performance.now();
  await rig.send(bodyOf('Stream Start', 0));
  await new Promise((done) => setTimeout(done, 600));

  await rig.consumer.start();
  const first = await eventually(() => rig.reads[0]);
  const sinceMs = performance.now() - sentAt;
  const shown = await eventually(async () => ((await lag()) === 0 ? 'nothing' : undefined));

  expect(first.lagMs).toBeGreaterThanOrEqual(590);
  // The message that is not JSON has waited 1.1 s longer.
  expect(first.lagMs).toBeLessThan(sinceMs + 100);
  expect(shown).toBe('nothing');
});

test.concurrent('does not delete a message before its effects are committed', async () => {
  await using rig = await setup();
  let commit = () => {};
  rig.fate.observe = () => new Promise((resolve) => (commit = resolve));
  await rig.send(bodyOf('Stream Start', 0));

  await rig.consumer.start();
  await eventually(async () => (await rig.queue()).inFlight === 1);
  await new Promise((done) => setTimeout(done, 200));
  expect(await rig.queue()).toEqual({ ready: 0, inFlight: 1 });
  commit();

  await eventually(rig.drained);
  expect(rig.observed).toHaveLength(1);
});

test.concurrent('an event that could not be committed comes again, and only that one', async () => {
  await using rig = await setup({ visibilitySeconds: 6 });
  let failures = 0;
  rig.fate.observe = async ({ envelope }) => {
    if (envelope.detail['event_name'] === 'Stream End' && (failures += 1) === 1) throw new Error('Redis is away');
  };
  await rig.send(bodyOf('Stream Start', 0));
  await rig.send(bodyOf('Stream End', 1000));

  await rig.consumer.start();
  await eventually(() => rig.observed.length === 2);
  await eventually(rig.drained);

  expect(rig.observed.map(({ envelope }) => envelope.detail['event_name'])).toEqual(['Stream Start', 'Stream End']);
  expect(await rig.counted('IVS Stream State Change', 'not_committed')).toBe(1);
});

test.concurrent('an event that its account cannot accept does not delay those of other accounts in the queue', async () => {
  const sleptMs: number[] = [];
  const sleep: typeof systemClock.sleep = (ms, signal) => {
    sleptMs.push(ms);
    return systemClock.sleep(ms, signal);
  };
  const clock = { now: () => systemClock.now(), monotonic: () => systemClock.monotonic(), sleep };
  await using rig = await setup({ consumer: { clock } });
  rig.fate.observe = async ({ envelope }) => {
    if (envelope.detail['event_name'] === 'Stream Start') throw new Error('the Redis of that account is away');
  };
  await rig.send(bodyOf('Stream Start', 0));
  await rig.send(bodyOf('Stream End', 1000));

  await rig.consumer.start();
  // The short pause after a few messages, and no backoff.
  await eventually(() => sleptMs.includes(5));
  expect(rig.observed.map(({ envelope }) => envelope.detail['event_name'])).toEqual(['Stream End']);
  expect(await rig.counted('IVS Stream State Change', 'not_committed')).toBe(1);
});

test.concurrent('what is not an event goes to the dead-letter queue by the queue’s own redrive, and delays nothing', async () => {
  await using rig = await setup({ visibilitySeconds: 1, maxReceives: 2 });
  await rig.send('this is no JSON');
  await rig.send(bodyOf('Stream Start', 0));

  await rig.consumer.start();
  // On a busy machine the event may be received again before it is deleted, and may even reach the dead-letter queue too.
  await eventually(() => rig.observed.length > 0);
  await eventually(async () => (await rig.drained()) && (await rig.deadLetters()).ready! > 0);

  // Once for each receive that the policy allows: no loop.
  expect(await rig.counted('unreadable', 'left_to_redrive')).toBe(2);
});

test.concurrent('an event that belongs to no shard is deleted, counted and kept for inspection', async () => {
  await using rig = await setup();
  rig.fate.taken = 'not_ours';
  await rig.send(bodyOf('Stream Start', 0));
  await rig.send(bodyOf('Stream End', 1));

  await rig.consumer.start();
  await eventually(() => rig.unknown.length === 2);
  await eventually(rig.drained);

  expect(rig.unknown.map(({ reason }) => reason)).toEqual(['other_account_or_region', 'other_account_or_region']);
  expect(await rig.counted('other', 'other_account_or_region')).toBe(2);
});

test.concurrent('irrelevant events are deleted and counted; unknown ones are observed, and kept for inspection', async () => {
  await using rig = await setup();
  const other = (type: string) =>
    JSON.stringify({ ...(JSON.parse(bodyOf('Stream Start', 0)) as object), 'detail-type': type });
  await rig.send(other('AWS API Call via CloudTrail'));
  await rig.send(other('IVS Something New'));

  await rig.consumer.start();
  await eventually(
    async () =>
      (await rig.counted('other', 'observed_unknown_type')) === 1 && (await rig.counted('other', 'cloudtrail')) === 1,
  );
  await eventually(rig.drained);

  expect(rig.observed).toMatchObject([{ envelope: { 'detail-type': 'IVS Something New' } }]);
  expect(rig.unknown).toMatchObject([
    { reason: 'unknown_type', body: expect.stringContaining('Something New') as unknown },
  ]);
});

test.concurrent('a repeat is counted as a repeat, and as nothing else', async () => {
  await using rig = await setup();
  const delays = async () =>
    (await rig.metrics.eventDelaySeconds.get()).values.find(({ metricName }) => metricName?.endsWith('_count'))?.value;
  await rig.send(bodyOf('Stream Start', 0));
  await rig.consumer.start();
  await eventually(() => rig.observed.length === 1);

  await rig.send(bodyOf('Stream Start', 0));
  await eventually(async () => (await rig.counted('IVS Stream State Change', 'repeated')) === 1);
  await eventually(rig.drained);

  expect(await rig.counted('IVS Stream State Change', 'observed')).toBe(1);
  expect(await delays()).toBe(1);
});

test.concurrent('a stop finishes and deletes the current messages and takes no more', async () => {
  await using rig = await setup({ consumer: { waitTimeSeconds: 20 } });
  const commits: (() => void)[] = [];
  rig.fate.observe = () => new Promise((resolve) => commits.push(resolve));
  await rig.send(bodyOf('Stream Start', 0));
  await rig.consumer.start();
  await eventually(() => commits.length === 1);

  const stopped = rig.consumer.stop();
  await rig.send(bodyOf('Stream End', 1000));
  await new Promise((done) => setTimeout(done, 100));
  for (const commit of commits) commit();
  await stopped;

  expect(rig.observed).toHaveLength(1);
  const left = await rig.queue();
  expect(left.ready! + left.inFlight!).toBe(1);
});

test.concurrent('start and stop in any order and number end with nothing running', async () => {
  await using rig = await setup({ consumer: { waitTimeSeconds: 20 } });

  await rig.consumer.stop();
  await rig.consumer.start();
  await Promise.all([rig.consumer.stop(), rig.consumer.stop()]);
  await rig.send(bodyOf('Stream Start', 0));
  await new Promise((done) => setTimeout(done, 100));

  expect(await rig.queue()).toEqual({ ready: 1, inFlight: 0 });
});

test.concurrent('polls a failing queue server less and less often, and then continues', async () => {
  const askedAtMs: number[] = [];
  const broken: Server = createServer((_request, response) => {
    askedAtMs.push(performance.now());
    response.writeHead(503).end();
  });
  const port = await lastingPort();
  await new Promise<void>((done) => void broken.listen(port, '127.0.0.1', done));
  const endpoint = `http://127.0.0.1:${port}`;
  await using rig = await setup({
    consumer: { endpoint, queueUrl: `${endpoint}/000000000000/later`, parallel: 1 },
  });
  const lags = async () => (await rig.metrics.queueLagSeconds.get()).values;
  rig.metrics.queueLagSeconds.set({ shard: 'main' }, 7);

  await rig.consumer.start();
  await eventually(() => askedAtMs.length >= 4);
  broken.close();
  broken.closeAllConnections();
  // 200 ms, 400, 800, … with jitter from half to all of it; timers may be a millisecond early.
  for (const [index, atMs] of askedAtMs.slice(1).entries())
    expect(atMs - askedAtMs[index]!).toBeGreaterThan(100 * 2 ** index - 5);
  expect(rig.consumer.lastReadMs).toBeUndefined();
  expect(await lags()).toEqual([]);
  await using repaired = await startLocalSqs({ port });
  const { queueUrl } = await repaired.createQueue('later');
  await ask(endpoint, 'SendMessage', { QueueUrl: queueUrl, MessageBody: bodyOf('Stream Start', 0) });

  await eventually(() => rig.observed.length === 1);
  // Before its server goes away, so that the end of the test does not count as an outage.
  await rig.consumer.stop();
});

test.concurrent('reports a queue without a redrive policy once, until it has one, and shows it meanwhile', async () => {
  await using sqs = await startLocalSqs();
  const dead = await sqs.createQueue('dead');
  const { queueUrl } = await sqs.createQueue('bare');
  const metrics = testMetrics();
  const lines: Record<string, unknown>[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const depth = new QueueDepth({
    shard: 'main',
    queueUrl,
    region: 'us-west-2',
    endpoint: sqs.endpoint,
    credentials,
    clock: systemClock,
    logger,
    metrics,
    random: seededRandom(1),
  });
  const shown = async () => (await metrics.queueRedrives.get()).values.map(({ value }) => value);

  const bare = [await depth.runOnce(), await depth.runOnce()];
  const shownBare = await shown();
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.queueArn, maxReceiveCount: 3 });
  await ask(sqs.endpoint, 'SetQueueAttributes', { QueueUrl: queueUrl, Attributes: { RedrivePolicy } });
  const mended = await depth.runOnce();
  await depth.stop();

  expect(bare).toMatchObject([{ redrives: false }, { redrives: false }]);
  expect(shownBare).toEqual([0]);
  expect(mended).toMatchObject({ redrives: true, deadLetters: 0 });
  expect(await shown()).toEqual([1]);
  expect(lines.map(({ code, msg }) => code ?? msg)).toEqual([
    'QUEUE_WITHOUT_REDRIVE',
    'the event queue has a redrive policy now',
  ]);
});

test.concurrent('accepts events from other paths, and counts each path', async () => {
  await using rig = await setup();
  const sns = (body: string) =>
    JSON.stringify({ Type: 'Notification', TopicArn: 'arn:aws:sns:us-west-2:1:t', Message: body });
  await rig.send(sns(bodyOf('Session Created', 0)));
  await rig.send(`[${bodyOf('Stream Start', 1)},${bodyOf('Starvation Start', 2)}]`);
  await rig.send(JSON.stringify(bodyOf('Stream End', 3)));
  await rig.send(bodyOf('Session Ended', 4));

  await rig.consumer.start();
  await eventually(() => rig.observed.length === 5);
  await eventually(rig.drained);

  const names = rig.observed.map(({ envelope }) => String(envelope.detail['event_name'])).sort();
  expect(names).toEqual(['Session Created', 'Session Ended', 'Starvation Start', 'Stream End', 'Stream Start']);
  const { values } = await rig.metrics.eventMessages.get();
  expect(Object.fromEntries(values.map(({ labels, value }) => [String(labels.road), value]))).toEqual({
    direct: 1,
    sns: 1,
    pipes: 1,
    double_encoded: 1,
  });
});

test.concurrent('observes the events in a mixed list, and leaves the rest to the redrive', async () => {
  await using rig = await setup({ visibilitySeconds: 1, maxReceives: 2 });
  await rig.send(`[${bodyOf('Stream Start', 1)},{"hello":1}]`);

  await rig.consumer.start();
  await eventually(async () => (await rig.deadLetters()).ready === 1);

  expect(new Set(rig.observed.map(({ envelope }) => envelope.id)).size).toBe(1);
  expect(await rig.counted('IVS Stream State Change', 'repeated')).toBe(1);
});
