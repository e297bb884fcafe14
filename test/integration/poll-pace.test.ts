// The poll of starving streams together with everything else that calls ListStreams, on the real limiter.
import { expect, test } from 'vitest';
import type { Lane } from '#domain/action.ts';
import { readSweep } from '#intake/poll/sweep.ts';
import { createReader } from '#ivs/reader.ts';
import { shardScope } from '#test/support/ivs-shard.ts';

test('the poll of starving streams keeps its pace while a full sweep and others wait for the same calls', async () => {
  await using world = await shardScope(250);
  const reader = createReader(world.shard.client);
  const others = new AbortController();
  const sweepOf = (scope: 'all' | 'starving', signal: AbortSignal) =>
    readSweep({ scope, pollId: scope, reader, now: Date.now, signal, pageTimeoutMs: 60_000 });
  const list = (lane: Lane) => reader.listStreams({}, { lane, signal: others.signal }).catch(() => undefined);
  // Twelve seconds of calls, at five a second.
  const waiting = [
    ...Array.from({ length: 30 }, () => list('normal')),
    ...Array.from({ length: 10 }, () => sweepOf('all', others.signal)),
  ];

  const sweeps: { readonly fromMs: number; readonly untilMs: number }[] = [];
  const complete: boolean[] = [];
  for (let round = 0; round < 4; round += 1) {
    const fromMs = Date.now();
    const { observation } = await sweepOf('starving', AbortSignal.timeout(300_000));
    sweeps.push({ fromMs, untilMs: Date.now() });
    complete.push(observation.complete);
  }
  others.abort();
  await Promise.all(waiting);

  expect(complete).toEqual([true, true, true, true]);
  const calls = await world.simulator.control.calls({ operation: 'ListStreams' });
  // Its own, and the few that got their permits before it or between two of its pages: forty sweeps and calls are waiting.
  for (const { fromMs, untilMs } of sweeps)
    expect(calls.filter(({ at }) => at >= fromMs && at <= untilMs).length).toBeLessThan(20);
});
