// A small live platform for system tests: the simulator of IVS, an SQS, and daemons that use both. Everything listens on port 0, uses a
// random namespace in Redis, and ends with the test.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '#config/load.ts';
import type { ReplicaRole } from '#domain/replica.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLogger, Scrubber } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import type { AwsOptions } from '#shard/aws-access.ts';
import type { CarrierPace } from '#shard/carrier-watch.ts';
import { type SimulatorHandle, type SimulatorOptions, startSimulator } from '#simulator/server.ts';
import { type LocalSqs, startLocalSqs } from '#simulator/sqs.ts';
import { type App, createApp } from '#src/app.ts';
import type { Committed } from '#src/pipeline.ts';
import { lastingPort } from './ports.ts';
import { type RedisScope, redisScope } from './redis.ts';

/** Credentials that only stand-ins accept. */
export const testCredentials = { accessKeyId: 'test', secretAccessKey: 'test' };

export interface DaemonOptions {
  /** The configuration file's text; `version` and fast polling are added. */
  readonly rules: string;
  readonly role?: ReplicaRole;
  readonly env?: Readonly<Record<string, string>>;
  readonly redisUrl?: string;
  /** Start without waiting for the first full poll. */
  readonly cold?: boolean;
  /** `run --standby`; start it cold. */
  readonly standby?: boolean;
  /** Replaces the line with that name in the fast settings. */
  readonly polling?: string;
  /** Other peers than the platform's. */
  readonly aws?: Partial<AwsOptions>;
  /** Further settings under `http`, such as `max_connections: 16`. */
  readonly http?: string;
  /** How soon it is reported that nobody carries an account. */
  readonly carrierPace?: CarrierPace;
  /** Called for every commit. */
  readonly onCommitted?: (committed: Committed) => void;
}

export interface Daemon extends AsyncDisposable {
  readonly app: App;
  readonly url: string;
  readonly metrics: Metrics;
  readonly configFile: string;
  /** Every log line so far. */
  readonly log: string[];
  /** Calls the API; the answer's status and parsed body. */
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: any }>;
}

export interface Broadcast extends AsyncDisposable {
  readonly scope: RedisScope;
  readonly simulator: SimulatorHandle;
  readonly sqs: LocalSqs;
  readonly queueUrl: string;
  daemon(options: DaemonOptions): Promise<Daemon>;
  /** Puts a message into the event queue. */
  send(body: string): Promise<void>;
  /** Messages in the queue: visible and in flight. */
  queueDepth(): Promise<number>;
}

/** Settings that make a daemon fast enough for a test. */
export const quickSettings = `version: 1
polling: {starving_interval: 500ms, full_interval: 1s, inventory_interval: 10s, silent_after: 30s}
shutdown_window: 10s
http: {allow_private_webhooks: true, requests_per_minute: 100000}
`;

/** Starts the platform; use with `await using`. */
export async function broadcast(options: SimulatorOptions = {}): Promise<Broadcast> {
  const scope = await redisScope();
  const sqs = await startLocalSqs({ port: await lastingPort() });
  const { queueUrl } = await sqs.createQueue('ivs-events', { VisibilityTimeout: '5' });
  const simulator = await startSimulator({
    ...options,
    sqs: { endpoint: sqs.endpoint, queueUrl, ...options.sqs },
  });
  const daemons: Daemon[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-system-'));

  const askQueue = async (operation: string, input: object): Promise<any> => {
    const answer = await fetch(sqs.endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': `AmazonSQS.${operation}`, 'content-type': 'application/x-amz-json-1.0' },
      body: JSON.stringify({ QueueUrl: queueUrl, ...input }),
    });
    return answer.json();
  };

  return {
    scope,
    simulator,
    sqs,
    queueUrl,
    async daemon({
      rules,
      role = 'all',
      env = {},
      redisUrl = scope.url,
      cold = false,
      standby = false,
      polling,
      http,
      aws,
      carrierPace,
      onCommitted,
    }) {
      const configFile = join(folder, `autopilot-${daemons.length}.yaml`);
      const quick = polling === undefined ? quickSettings : quickSettings.replace(/^polling:.*$/m, polling);
      const settings = http === undefined ? quick : quick.replace('http: {', `http: {${http}, `);
      await writeFile(configFile, settings + rules);
      const load = () => loadConfig(configFile, { queueUrl });
      const log: string[] = [];
      const scrubber = new Scrubber();
      const metrics = createMetrics();
      const app = createApp({
        config: await load(),
        loadConfig: load,
        redisUrl,
        standby,
        role,
        env: { AWS_REGION: 'us-west-2', AUTOPILOT_HTTP_PORT: '0', ...env },
        clock: systemClock,
        random: Math.random,
        logger: createLogger({ level: 'debug', scrubber, destination: { write: (line) => void log.push(line) } }),
        metrics,
        scrubber,
        namespace: scope.namespace,
        emptyLedgerPatienceMs: 100,
        ...(onCommitted === undefined ? {} : { onCommitted }),
        ...(carrierPace === undefined ? {} : { carrierPace }),
        aws: {
          ivsEndpoint: simulator.url,
          sqsEndpoint: sqs.endpoint,
          eventBridgeEndpoint: simulator.url,
          secretsEndpoint: simulator.url,
          credentials: testCredentials,
          ...aws,
        },
      });
      await app.start();
      const daemon: Daemon = {
        app,
        url: app.url ?? '',
        metrics,
        configFile,
        log,
        async ask(method, path, body) {
          const answer = await fetch(`${app.url}${path}`, {
            method,
            ...(body === undefined
              ? {}
              : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
          });
          const text = await answer.text();
          return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
        },
        [Symbol.asyncDispose]: () => app.stop(),
      };
      daemons.push(daemon);
      if (!cold) await untilReady(daemon);
      return daemon;
    },
    async send(body) {
      await askQueue('SendMessage', { MessageBody: body });
    },
    async queueDepth() {
      const { Attributes } = await askQueue('GetQueueAttributes', {
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      });
      return Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(daemons.map((daemon) => daemon.app.stop()));
      await simulator.close();
      await sqs.close();
      await rm(folder, { recursive: true, force: true });
      await scope[Symbol.asyncDispose]();
    },
  };
}

async function untilReady(daemon: Daemon): Promise<void> {
  const deadline = performance.now() + 300_000;
  let last: unknown;
  while (performance.now() < deadline) {
    const { status, body } = await daemon.ask('GET', '/readyz');
    if (status === 200) return;
    last = body;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`the daemon did not become ready: ${JSON.stringify(last)}\n${daemon.log.slice(-20).join('')}`);
}
