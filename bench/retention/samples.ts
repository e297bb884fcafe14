// The cost of the samples of live sessions: every channel is live, each minute a sweep lists it, and health changes sometimes.
import type { StreamSnapshot } from '#domain/channel.ts';
import { createLogger, Scrubber } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { connectRedis, disconnectRedis, type Redis } from '#runtime/redis.ts';
import { applyObservation, splitObservation } from '#streams/changes.ts';
import { channelArnAt, streamIdAt } from '../noticing/events.ts';
import { sizeOf } from './size.ts';
import { VirtualClock, VirtualState } from './virtual-state.ts';

const minute = 60_000;
const prefix = '{bench:samples}';

export interface SampleCost {
  readonly channels: number;
  readonly hours: number;
  readonly samples: number;
  readonly bytes: number;
  readonly bytesPerChannelHour: number;
  /** For the whole fleet's figures. */
  readonly fleetBytesPerHour: number;
}

/** Plays this many live channels for this many hours; every tenth starves for five minutes of each hour. */
export async function sampleCost(
  redisUrl: string,
  { channels, hours }: { channels: number; hours: number },
): Promise<SampleCost> {
  const redis = connectRedis({
    url: redisUrl,
    role: 'store',
    logger: createLogger({ level: 'error', scrubber: new Scrubber() }),
  });
  await redis.connect();
  const beganMs = Date.UTC(2026, 10, 20);
  const clock = new VirtualClock(beganMs);
  const state = new VirtualState({ redis, prefix, metrics: createMetrics(), clock });
  for (let atMinute = 0; atMinute < hours * 60; atMinute += 1) {
    const atMs = beganMs + atMinute * minute;
    clock.advanceTo(atMs);
    const streams = Array.from(
      { length: channels },
      (_, index): StreamSnapshot => ({
        channelArn: channelArnAt(index),
        streamId: streamIdAt(index, 1),
        health: index % 10 === 0 && atMinute % 60 >= 30 && atMinute % 60 < 35 ? 'STARVING' : 'HEALTHY',
        // From a handful to a few thousand, never constant for long.
        viewerCount: ((index * 37) % 5_000) + ((atMinute * 13 + index) % 90),
        startTimeMs: beganMs - minute,
      }),
    );
    const sweep = { kind: 'poll', scope: 'all', pollId: String(atMs), startedAtMs: atMs, finishedAtMs: atMs } as const;
    const pages = Math.ceil(channels / 100);
    for (const piece of splitObservation({ ...sweep, complete: true, pages, streams }, state.view))
      await state.transact((tx) => applyObservation(tx, piece, { retentionMs: 60 * 1440 * minute }));
  }
  const { kinds } = await sizeOf(redis, prefix);
  const bytes = await bytesWithVirtualTimes(redis, beganMs);
  await disconnectRedis(redis);
  return {
    channels,
    hours,
    samples: kinds['log samples']!.entries,
    bytes,
    bytesPerChannelHour: Math.round(bytes / (channels * hours)),
    fleetBytesPerHour: Math.round(kinds['log samples-fleet']!.bytes / hours),
  };
}

/**
 * Redis gave the entries its own times, which are close together: they are written again with their virtual times, and what
 * Redis's memory grows by is measured. (`MEMORY USAGE` guesses what the tree around the entries takes, at twice as much.)
 */
async function bytesWithVirtualTimes(redis: Redis, beganMs: number): Promise<number> {
  const usedMemory = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  const keys = await redis.keys(`${prefix}:log:samples:*`);
  const before = await usedMemory();
  for (const key of keys) {
    const copy = redis.pipeline();
    const rows = await redis.xrange(key, '-', '+');
    for (const [index, [, fields]] of rows.entries())
      copy.xadd(key.replace(':samples:', ':samples-timed:'), `${beganMs + index * minute}-0`, ...fields);
    await copy.exec();
  }
  return (await usedMemory()) - before;
}
