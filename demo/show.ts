// The show of `npm run demo` (main.ts): a broadcast evening of forty channels, with everything it needs on this machine and no AWS account.
// `-- --once` ends by itself, with a summary and an exit code; otherwise the page stays up until Ctrl-C.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '#config/load.ts';
import { systemClock } from '#runtime/clock.ts';
import { startEmbeddedRedis } from '#runtime/embedded-redis.ts';
import { createLogger, Scrubber } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { connectRedis, keyPrefix, triedOnce } from '#runtime/redis.ts';
import { startSimulator } from '#simulator/server.ts';
import { startLocalSqs } from '#simulator/sqs.ts';
import { createApp } from '#src/app.ts';
import { evening, eveningEndsAtSeconds, type Stage, senders, studio } from './evening.ts';
import { startMessages } from './messages.ts';
import { Narrator } from './narrator.ts';
import { printSummary, type Summary } from './summary.ts';

const once = process.argv.includes('--once');
const credentials = { accessKeyId: 'demo', secretAccessKey: 'demo' };
const stopping = new AbortController();
let stoppingSince = Number.POSITIVE_INFINITY;
process.on('SIGINT', () => {
  // Ctrl-C may arrive twice, from the terminal and from the launcher; a second one does not wait.
  if (performance.now() - stoppingSince > 1_000) process.exit(130);
  if (!stopping.signal.aborted) stoppingSince = performance.now();
  stopping.abort();
});
process.on('SIGTERM', () => stopping.abort());

await using cleanup = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), 'ivs-autopilot-demo-'));
cleanup.defer(() => rm(folder, { recursive: true, force: true }));
await mkdir(join(folder, 'keys'));

const step = (what: string) => console.log(`  starting ${what} …`);

// Always a separate one: nothing of the evening stays behind.
const namespace = `demo-${process.pid}`;
step('Redis and an SQS queue');
const redisUrl = process.env['REDIS_URL'] ? await borrowedRedis(process.env['REDIS_URL']) : await ownRedis();
const sqs = cleanup.use(await startLocalSqs());
const { queueArn: deadLetterTargetArn } = await sqs.createQueue('ivs-events-dead-letters');
const { queueUrl } = await sqs.createQueue('ivs-events', {
  RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 5 }),
});
step('the simulator of IVS');
const simulator = cleanup.use(
  await startSimulator({
    sqs: { endpoint: sqs.endpoint, queueUrl },
    timings: { sessionToStartMs: 500, sessionEndToStreamEndMs: 500, encoderReconnectMs: 1_000 },
  }),
);
const { control } = simulator;
const channels = await control.createChannels(
  Array.from({ length: 40 }, (_, index) => ({
    name: studio(index + 1),
    ads: true,
    tags: {
      tier: index % 4 === 3 ? 'bronze' : index % 2 === 0 ? 'gold' : 'silver',
      show: `show-${(index % 5) + 1}`,
      ...(index % 3 === 2 ? { 'key-rotation': 'on-stream-end' } : {}),
    },
  })),
);
await createRecordingConfiguration();

const narrator = new Narrator({
  names: new Map(channels.map(({ arn, name }) => [arn, name])),
  senders,
  colour: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
});
const port = await freePort(process.env['AUTOPILOT_HTTP_PORT']);
const page = `http://127.0.0.1:${port}`;
const messages = cleanup.use(
  await startMessages({
    onMessage: (where, line) => narrator.did(`${where === 'chat' ? 'the chat room reads' : 'the pager'}: ${line}`),
    operatorsPage: () => `${page}/`,
  }),
);
const configFile = join(folder, 'autopilot.yaml');
const rules = await readFile(join(import.meta.dirname, 'autopilot.yaml'), 'utf8');
const places: Readonly<Record<string, string>> = { folder, messages: messages.url, page };
await writeFile(
  configFile,
  rules.replaceAll(/\$\{(folder|messages|page)\}/g, (_, name: string) => places[name]!),
);
const scrubber = new Scrubber();
const load = () => loadConfig(configFile, { queueUrl });
step('the daemon, and waiting for its first poll');
const app = createApp({
  config: await load(),
  loadConfig: load,
  redisUrl,
  role: 'all',
  env: {
    AWS_REGION: 'us-west-2',
    AUTOPILOT_HTTP_PORT: port,
    AUTOPILOT_API_TOKEN: process.env['AUTOPILOT_API_TOKEN'],
  },
  clock: systemClock,
  random: Math.random,
  // Warnings only: people come for the narration.
  logger: createLogger({ level: process.env['LOG_LEVEL'] ?? 'error', scrubber }),
  metrics: createMetrics(),
  scrubber,
  namespace,
  emptyLedgerPatienceMs: 200,
  aws: {
    ivsEndpoint: simulator.url,
    sqsEndpoint: sqs.endpoint,
    eventBridgeEndpoint: simulator.url,
    secretsEndpoint: simulator.url,
    credentials,
  },
  onCommitted: (committed) => narrator.committed(committed),
});
cleanup.defer(() => app.stop());
await app.start();
await untilReady(`${app.url}/readyz`);

console.log(`
ivs-autopilot demo: forty channels, one evening, about a minute.
  the operator's page   ${app.url}/
  what people are told  ${messages.url}
  the API               ${app.url}/docs
  the simulator of IVS  ${simulator.url}
`);

const stage: Stage = {
  control,
  narrator,
  arn: (name) => channels.find((channel) => channel.name === name)!.arn,
  get: (path) => ask('GET', path),
  post: (path, body) => ask('POST', path, body),
  async deliver(event) {
    await fetch(sqs.endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSQS.SendMessage', 'content-type': 'application/x-amz-json-1.0' },
      body: JSON.stringify({ QueueUrl: queueUrl, MessageBody: JSON.stringify(event) }),
    });
  },
};

narrator.begin();
const startedAt = performance.now();
const watch = watchCalls();
const untilSecond = async (second: number): Promise<void> => {
  const leftMs = second * 1000 - (performance.now() - startedAt);
  if (leftMs > 0) await sleep(leftMs, undefined, { signal: stopping.signal }).catch(() => undefined);
};
for (const moment of evening) {
  await untilSecond(moment.atSeconds);
  if (stopping.signal.aborted) break;
  narrator.world(moment.says);
  await moment.run(stage);
}
await untilSecond(eveningEndsAtSeconds);
const unfinished = await untilQuiet();

await watch();
const summary = await summarise();
printSummary(summary);
for (const each of unfinished) console.log(`  not finished yet: ${each}`);
process.exitCode = summary.problems.length === 0 ? 0 : 1;
if (!once && !stopping.signal.aborted) {
  console.log(`\nThe page stays at ${app.url}/ until Ctrl-C.`);
  await new Promise<void>((done) => stopping.signal.addEventListener('abort', () => done()));
}

async function ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Record<string, unknown>> {
  const token = process.env['AUTOPILOT_API_TOKEN'];
  const answer = await fetch(`${app.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const parsed = (await answer.json()) as Record<string, unknown>;
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${String(parsed['detail'])}`);
  return parsed;
}

async function ownRedis(): Promise<string> {
  const redis = await startEmbeddedRedis({
    program: process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server',
    directory: join(folder, 'redis'),
  });
  cleanup.defer(() => redis.stop());
  return redis.url;
}

/** A user's Redis, possibly a cluster or sentinels: what the demo put there is deleted with it. */
async function borrowedRedis(url: string): Promise<string> {
  cleanup.defer(async () => {
    const logger = createLogger({ level: 'silent', scrubber: new Scrubber() });
    const redis = connectRedis({ url, prefix: keyPrefix(namespace, 'main'), role: 'store', logger });
    // In a cluster the first node may redirect to another one.
    redis.connect().catch(() => undefined);
    await triedOnce(redis);
    for await (const keys of redis.scanStream({ match: `*${namespace}:*`, count: 1000 })) {
      if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]));
    }
    redis.disconnect();
  });
  return url;
}

async function createRecordingConfiguration(): Promise<void> {
  await fetch(`${simulator.url}/CreateRecordingConfiguration`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'evening-archive',
      destinationConfiguration: { s3: { bucketName: 'evening-archive' } },
    }),
  });
}

async function untilReady(url: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if ((await fetch(url)).ok) return;
    await sleep(50);
  }
  throw new Error(`the daemon did not become ready: ${await (await fetch(url)).text()}`);
}

/** Narrates the calls that reach IVS; returns a function that ends this. */
function watchCalls(): () => Promise<void> {
  const ended = new AbortController();
  const look = async (): Promise<void> => {
    let [callsAfter, cuesAfter] = [0, 0];
    for (let isLast = false; ; ) {
      const calls = await control.calls({ afterSeq: callsAfter, limit: 1_000 });
      const cues = await control.cues({ afterSeq: cuesAfter });
      callsAfter = calls.at(-1)?.seq ?? callsAfter;
      cuesAfter = cues.at(-1)?.seq ?? cuesAfter;
      narrator.called(calls, cues);
      if (isLast) return;
      await sleep(300, undefined, { signal: ended.signal }).catch(() => undefined);
      isLast = ended.signal.aborted;
    }
  };
  const looking = look();
  return async () => {
    ended.abort();
    await looking;
  };
}

/** The port that was asked for, else the usual one if it is free, otherwise another one. Links name it, so 0 is none. */
async function freePort(asked = ''): Promise<string> {
  if (asked !== '' && asked !== '0') return asked;
  for (const wanted of asked === '0' ? [0] : [8080, 0]) {
    const probe = createServer();
    const free = await new Promise<number | undefined>((done) => {
      probe.once('error', () => done(undefined));
      probe.listen(wanted, '127.0.0.1', () => done((probe.address() as AddressInfo).port));
    });
    await new Promise<void>((done) => (free === undefined ? done() : probe.close(() => done())));
    if (free !== undefined) return String(free);
  }
  throw new Error('no port is free');
}

/** Waits until nothing of the evening is under way any longer; after half a minute returns what is. */
async function untilQuiet(): Promise<readonly string[]> {
  const { queues } = app.shards[0]!;
  const names = ['actions', 'notifications'] as const;
  const underWay = async (): Promise<string[]> => {
    const counts = await Promise.all(
      names.map((name) => queues.get(name).getJobCountByTypes('active', 'waiting', 'prioritized', 'delayed')),
    );
    const jobs = names.flatMap((name, index) => (counts[index] === 0 ? [] : [`${counts[index]} jobs of ${name}`]));
    return [...narrator.pending, ...jobs];
  };
  const deadline = performance.now() + 30_000;
  for (;;) {
    const left = await underWay();
    if (stopping.signal.aborted || performance.now() > deadline) return left;
    // A stop is followed by an event, and that by a decision: what follows comes within two seconds.
    if (left.length === 0 && narrator.quietForMs > 2_000) return [];
    await sleep(250, undefined, { signal: stopping.signal }).catch(() => undefined);
  }
}

async function summarise(): Promise<Summary> {
  const calls = await control.calls({ limit: 100_000 });
  const jobs = new Map<string, number>();
  const { queues } = app.shards[0]!;
  const ended = (name: 'actions' | 'notifications') => queues.get(name).getJobs(['completed', 'failed'], 0, 10_000);
  for (const job of [...(await ended('actions')), ...(await ended('notifications'))]) {
    const outcome = (job.returnvalue as { outcome?: string } | null)?.outcome ?? 'failed';
    const label = `${job.name}: ${outcome}`;
    jobs.set(label, (jobs.get(label) ?? 0) + 1);
  }
  return { ...narrator.counts, jobs, calls, cues: await control.cues(), problems: [] };
}
