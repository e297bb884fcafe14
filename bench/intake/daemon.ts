// The intake half of the daemon: its event queue consumer, ticker and gauges, with its pipeline and relay behind them.
import type { Config } from '#config/load.ts';
import type { Observation } from '#domain/observation.ts';
import { systemClock } from '#runtime/clock.ts';
import { Intake } from '#shard/intake.ts';
import { fleetCounts } from '#streams/fleet.ts';
import { core } from '../noticing/core.ts';
import { channelArnAt, streamIdAt } from '../noticing/events.ts';
import { credentials } from '../noticing/stand.ts';

export interface NoticingDaemon extends AsyncDisposable {
  /** Resolves when this many events were committed and their messages are deleted. Between two calls only the relay runs. */
  take(queueUrl: string, count: number): Promise<void>;
  totals(): { readonly live: number; readonly commits: number; readonly decisions: number };
}

export async function noticingDaemon(options: {
  readonly redisUrl: string;
  readonly sqsEndpoint: string;
  readonly config: Config;
  /** The events are about this many channels, numbered from 0. */
  readonly channels: number;
  readonly beganMs: number;
}): Promise<NoticingDaemon> {
  const { sqsEndpoint } = options;
  const config = withoutPolls(options.config);
  let awaited = { events: 0, arrived: () => {} };
  const parts = await core({
    redisUrl: options.redisUrl,
    config,
    prefix: '{bench:events}',
    hasEventQueue: true,
    onCommitted: ({ observations }) => {
      awaited.events -= observations.filter(({ kind }) => kind === 'event').length;
      if (awaited.events <= 0) awaited.arrived();
    },
  });
  const { pipeline, state, done } = parts;
  for (const observation of whatIsThere(options.channels, options.beganMs)) await pipeline.observe(observation);
  const start = { ...done };
  return {
    async take(queueUrl, count) {
      const all = new Promise<void>((resolve) => {
        awaited = { events: count, arrived: resolve };
      });
      const noticing = new Intake({
        ...parts,
        account: { name: 'bench', region: 'us-west-2', queue_url: queueUrl },
        home: () => ({ region: 'us-west-2', account: undefined }),
        ownerOf: () => ({ take: (observation) => parts.pipeline.observe(observation) }),
        config: () => config,
        hearers: () => [parts],
        queueAccess: { region: 'us-west-2', credentials, sqsEndpoint },
        reader: noReader,
        clock: systemClock,
        random: Math.random,
        graceOver: new AbortController().signal,
        isSending: () => false,
      });
      const running = [noticing.ticker(), noticing.gauges(), noticing.consumer!];
      for (const part of running) await part.start();
      await all;
      await Promise.all(running.map((part) => part.stop()));
    },
    totals: () => ({
      live: fleetCounts(state.view).live,
      commits: done.commits - start.commits,
      decisions: done.decisions - start.decisions,
    }),
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  };
}

/** Polls are measured by the sweep. Their silence is not a gap here: otherwise rules would stand still. */
function withoutPolls(config: Config): Config {
  const { settings } = config;
  return { ...config, settings: { ...settings, polling: { ...settings.polling, silent_after: '1h' } } };
}

/** A full listing of the channels, with the tags that the example rules look for, and a complete poll that shows all of them live. */
function whatIsThere(count: number, beganMs: number): Observation[] {
  const numbers = Array.from({ length: count }, (_, index) => index);
  const tags = { tier: 'gold', 'key-rotation': 'on-stream-end', record: 'scheduled', show: 'bench' };
  const common = { type: 'STANDARD', latencyMode: 'LOW', recordingConfigurationArn: '', tags } as const;
  const channels = numbers.map((index) => ({ arn: channelArnAt(index), name: `bench-${index}`, ...common }));
  // Events are dated to the second.
  const atMs = beganMs - 1_000;
  const streams = numbers.map((index) => ({
    channelArn: channelArnAt(index),
    streamId: streamIdAt(index),
    health: 'HEALTHY' as const,
    viewerCount: 12,
    startTimeMs: atMs - 3_600_000,
  }));
  const poll = {
    kind: 'poll',
    scope: 'all',
    pollId: 'before',
    complete: true,
    pages: Math.ceil(streams.length / 100),
    streams,
  } as const;
  return [
    { kind: 'inventory', channels, removed: [], atMs, complete: true },
    { ...poll, startedAtMs: atMs - 1, finishedAtMs: atMs },
  ];
}

const unasked = () => Promise.reject(new Error('nobody polls here'));
const noReader = {
  listStreams: unasked,
  listChannels: unasked,
  getChannel: unasked,
  getChannels: unasked,
  listStreamSessions: unasked,
  sessionEvents: unasked,
  getStreamKeys: unasked,
  listStreamKeys: unasked,
};
