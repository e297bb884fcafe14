// What action handlers get in tests: the real client, state, sinks and senders, against a simulator and a Redis. For the handlers, one rig
// is one process; `hook` is called for every call that leaves it.
import type { ActionJob, ActionName } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import type { Receiver, Route } from '#domain/receiver.ts';
import type { SharedState, Transaction, TransactionOptions } from '#domain/shared-state.ts';
import { createActionCalls } from '#ivs/action-calls.ts';
import { createIvsShard } from '#ivs/shard.ts';
import { Outbox } from '#metadata/outbox.ts';
import { MetadataService } from '#metadata/service.ts';
import { EventBus } from '#outbound/event-bus.ts';
import { HttpSender } from '#outbound/http-sender.ts';
import { MailSender } from '#outbound/mail.ts';
import { SnsPublisher } from '#outbound/sns.ts';
import { channelView } from '#rules/channel-view.ts';
import { silenceOf } from '#rules/muting.ts';
import { matcherOf } from '#rules/pattern.ts';
import { systemClock } from '#runtime/clock.ts';
import type { Logger } from '#runtime/logger.ts';
import { Scrubber } from '#runtime/logger.ts';
import type { Redis } from '#runtime/redis.ts';
import { readSecretFile, replaceFile } from '#secrets/secret-file.ts';
import { SecretSinks } from '#secrets/sinks.ts';
import { deliveredFiles } from '#shard/file-authority.ts';
import { lossKeeper } from '#shard/loss-keeper.ts';
import { RedisState } from '#store/shared-state.ts';
import { bindActions } from '#workers/actions.ts';
import type { JobRun } from '#workers/host.ts';
import type { ActionPorts, HandlerResult } from '#workers/ports.ts';
import { quietLogger, seededRandom, testMetrics } from './quiet.ts';

export interface RigOptions {
  readonly simulatorUrl: string;
  readonly redis: Redis;
  readonly prefix: string;
  /** Runs each call that leaves the process; the default just makes it. */
  readonly hook?: (name: string, call: () => Promise<unknown>) => Promise<unknown>;
  /** Whether `hook` is also called for commits to the shared state. */
  readonly hookCommits?: boolean;
  readonly receivers?: readonly Receiver[];
  readonly route?: Route;
  /** How long the event of an ad break is awaited. */
  readonly eventWindowMs?: number;
  readonly logger?: Logger;
  readonly scrubber?: Scrubber;
}

export interface ActionRig extends AsyncDisposable {
  readonly ports: ActionPorts;
  readonly state: RedisState;
  readonly metrics: ReturnType<typeof testMetrics>;
  /** Accepts what put_metadata submits; nothing drains it. */
  readonly outbox: Outbox;
  /** One run of a job. */
  run<N extends ActionName>(jobId: string, job: ActionJob<N>, own?: Pick<JobRun, 'progress'>): Promise<HandlerResult>;
  /** Runs until it does not throw, as the queue would: only errors that are worth a retry are retried. */
  settle<N extends ActionName>(jobId: string, job: ActionJob<N>): Promise<HandlerResult>;
}

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

export async function actionRig(options: RigOptions): Promise<ActionRig> {
  const { simulatorUrl, redis, prefix, hook = (_name, call) => call() } = options;
  const logger = options.logger ?? quietLogger();
  const metrics = testMetrics();
  const random = seededRandom(7);
  const state = new RedisState({ redis, prefix, metrics, losses: lossKeeper({ shard: 'main', logger, metrics }) });
  const shard = createIvsShard({
    name: 'main',
    region: 'us-west-2',
    redis,
    keyPrefix: prefix,
    endpoint: simulatorUrl,
    credentials,
    limits: { overrides: generousLimits },
    onRedisDown: 'fail',
    requestTimeoutMs: 20_000,
    emptyLedgerPatienceMs: 0,
    clock: systemClock,
    logger,
    metrics,
    random,
  });
  await shard.start();
  const http = new HttpSender({
    addresses: { allowPrivate: true, allowLinkLocal: false },
    nowMs: () => systemClock.now(),
    metrics,
    timeoutMs: 20_000,
  });
  const aws = { region: 'us-west-2', credentials, endpoint: simulatorUrl };
  const sinks = new SecretSinks({ aws, sender: http, metrics, delivered: deliveredFiles(state), ownFiles: [] });
  const events = new EventBus(aws);
  const sns = new SnsPublisher(aws, { allowLinkLocal: false });
  const hooked = <T extends object>(name: string, target: T): T =>
    new Proxy(target, {
      get: (object, member) => {
        const value: unknown = Reflect.get(object, member);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) =>
          hook(`${name}.${String(member)}`, () => Reflect.apply(value, object, args) as Promise<unknown>);
      },
    });
  const counted: SharedState = {
    get view() {
      return state.view;
    },
    nowMs: () => state.nowMs(),
    refresh: (options) => state.refresh(options),
    readLog: (log, page) => state.readLog(log, page),
    insist: (key, value, body) => state.insist(key, value, body),
    withdraw: (key) => state.withdraw(key),
    unwritten: state.unwritten,
    transact: <T>(body: (tx: Transaction) => T, options?: TransactionOptions) =>
      hook('state.transact', () => state.transact(body, options)) as Promise<T>,
  };
  const outbox = new Outbox({
    redis,
    prefix,
    maxItemsPerChannel: 1_000,
    maxItemsTotal: 100_000,
    maxBytes: 1_024,
    metrics,
  });
  const metadata = new MetadataService({
    outbox: hooked('outbox', outbox),
    state,
    sweeper: { sweep: () => Promise.resolve(0) },
    nudge: () => undefined,
    announce: () => Promise.resolve(),
    logger,
    fleetKnown: () => ({ live: true, tags: true }),
    home: () => ({ region: 'us-west-2', account: '111122223333' }),
    packing: 'on',
    defaultExpiresMs: 300_000,
    accountCallsPerSecond: 155,
    channelCallsPerSecond: 5,
  });
  const ports: ActionPorts = {
    ivs: hooked('ivs', createActionCalls(shard.client)),
    state: options.hookCommits ? counted : state,
    clock: systemClock,
    random,
    sink: ({ params }) => hooked('sink', sinks.sink(params.deliver)),
    http: {
      send: (message, signal) => hook('http.send', () => http.send(message, signal)) as Promise<{ status: number }>,
    },
    events: {
      put: (event, signal) => hook('events.put', () => events.put(event, signal)) as Promise<{ eventId: string }>,
    },
    metadata,
    mail: new MailSender({ addresses: { allowPrivate: true, allowLinkLocal: false } }),
    sns,
    externalUrl: () => 'https://autopilot.example',
    countNotification: (labels) => metrics.notifications.inc(labels),
    receiver: (name) => options.receivers?.find((receiver) => receiver.name === name),
    route: () => options.route,
    readSecretFile: (path) => readSecretFile(path),
    adBreaks: { spacingMs: () => 1_000, aheadMs: 60_000, eventWindowMs: options.eventWindowMs ?? 60_000 },
    silenceOf: (action) => silenceOf(state.view, state.nowMs(), action),
    writeFile: (_job, path, text) =>
      hook('file.write', () =>
        replaceFile({ path, never: [], delivered: deliveredFiles(state) }, text, AbortSignal.timeout(120_000)),
      ) as Promise<void>,
    selects: (match, arn) => matcherOf(match).match(channelView(state.view, arn, state.nowMs()).channel),
    matcher: (source) => ({ source, match: (document) => matchesExactly(source, document) }),
    hide: (value) => {
      options.scrubber?.hide(value, 'hidden');
      return { [Symbol.dispose]: () => options.scrubber?.forget(value) };
    },
    configHash: () => 'test',
    nudge: () => undefined,
  };
  const handlers = bindActions(ports);
  const run: ActionRig['run'] = (jobId, job, own) =>
    handlers[job.action](job, {
      jobId,
      name: job.action,
      attempt: 1,
      lastAttempt: false,
      signal: AbortSignal.timeout(120_000),
      logger,
      check: (_check, passed) => passed,
      progress: async () => undefined,
      ...own,
    });
  return {
    ports,
    state,
    metrics,
    outbox,
    run,
    async settle(jobId, job) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await run(jobId, job);
        } catch (error) {
          const kind = error instanceof AppError ? error.disposition.kind : 'retry';
          if (kind === 'give-up' || attempt === 20) throw error;
          await systemClock.sleep(kind === 'retry-after' ? 100 : 20);
        }
      }
    },
    async [Symbol.asyncDispose]() {
      sinks.destroy();
      events.destroy();
      sns.destroy();
      await shard.stop();
    },
  };
}

/** Enough for a test that is not about rates. */
const generousLimits = Object.fromEntries(
  [
    'GetStream StopStream InsertAdBreak GetStreamSession GetChannel UpdateChannel DeleteChannel ListChannels ListStreamKeys GetStreamKey',
    'CreateStreamKey DeleteStreamKey ListRecordingConfigurations GetRecordingConfiguration DeleteRecordingConfiguration',
    'CreateChannel CreateRecordingConfiguration GetPlaybackKeyPair',
    'ListAdConfigurations GetAdConfiguration ListPlaybackRestrictionPolicies GetPlaybackRestrictionPolicy',
    'UpdatePlaybackRestrictionPolicy BatchStartViewerSessionRevocation',
    'ListPlaybackKeyPairs ImportPlaybackKeyPair DeletePlaybackKeyPair ListTagsForResource TagResource UntagResource',
  ]
    .flatMap((names) => names.split(' '))
    .map((name) => [name, { perAccount: 1_000 }]),
);

/** Patterns in these tests are plain values: `{ health: ['STARVING'] }`. */
function matchesExactly(pattern: object, document: unknown): boolean {
  const fields = document as Readonly<Record<string, unknown>>;
  return Object.entries(pattern).every(([field, values]) => (values as unknown[]).includes(fields[field]));
}

/** A job as requested by an operator. */
export function operatorJob<N extends ActionName>(
  action: N,
  params: ActionJob<N>['params'],
  rest: Partial<ActionJob<N>> = {},
): ActionJob<N> {
  return {
    action,
    params,
    cause: { kind: 'operator', who: 'token test', reason: 'a test' },
    decidedAtMs: Date.now(),
    ...rest,
  };
}
