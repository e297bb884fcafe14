// A session's viewers and health over time: once a minute, at each change of health, and nothing where nothing was seen.
import { expect, test } from 'vitest';
import type { StreamHealth } from '#domain/channel.ts';
import { logs } from '#domain/state-registry.ts';
import { arnOf, event, Noticing, poll, snapshot, startMs, streamIdFor } from '#test/support/streams.ts';
import { allSamples, fleetSamples, readSamples } from './samples.ts';

const second = 1_000;
const minute = 60 * second;
const session = { channelArn: arnOf('A'), streamId: streamIdFor('one') };

function setup() {
  const noticing = new Noticing();
  const seen = (at: number, viewers: number, health: StreamHealth = 'HEALTHY', stream = 'one') =>
    noticing.see(poll('all', { at, took: 0, streams: [snapshot('A', stream, { health, viewers })] }));
  const samples = async (of = session) =>
    (await allSamples(noticing.state, of)).map(({ atMs, health, viewers }) => [
      (atMs - startMs) / second,
      health,
      viewers,
    ]);
  return { noticing, seen, samples };
}

test('a sweep every 15 s leaves one sample a minute, the first of each', async () => {
  const { seen, samples } = setup();
  for (let at = 0; at < 3 * minute; at += 15 * second) await seen(at, at / second);

  expect(await samples()).toEqual([
    [0, 'HEALTHY', 0],
    [60, 'HEALTHY', 60],
    [120, 'HEALTHY', 120],
  ]);
});

test('a change of health is a sample at the time of its event, however late that arrives', async () => {
  const { noticing, seen, samples } = setup();
  await seen(0, 10);
  await noticing.see(event('Starvation Start', { channel: 'A', stream: 'one', at: 20 * second, arrived: 50 * second }));
  await seen(55 * second, 12, 'STARVING');
  await seen(minute, 13);

  expect(await samples()).toEqual([
    [0, 'HEALTHY', 10],
    [20, 'STARVING', 10],
    [60, 'HEALTHY', 13],
  ]);
});

test('a missing viewer count is not zero, and minutes without a sweep have no sample', async () => {
  const { seen, samples } = setup();
  await seen(0, 7);
  await seen(minute, -1);
  await seen(10 * minute, -1);
  await seen(11 * minute, 0);

  expect(await samples()).toEqual([
    [0, 'HEALTHY', 7],
    [60, 'HEALTHY', undefined],
    [600, 'HEALTHY', undefined],
    [660, 'HEALTHY', 0],
  ]);
});

test('each session has its own samples, and none after its end', async () => {
  const { noticing, seen, samples } = setup();
  await seen(0, 1);
  await noticing.see(event('Stream End', { channel: 'A', stream: 'one', at: 30 * second }));
  await noticing.see(event('Starvation Start', { channel: 'A', stream: 'one', at: 10 * second, arrived: 2 * minute }));
  await noticing.see(
    poll('all', { at: 3 * minute, took: 0, streams: [snapshot('A', 'two', { viewers: 5, started: 2 * minute })] }),
  );

  expect(await samples()).toEqual([[0, 'HEALTHY', 1]]);
  expect(await samples({ ...session, streamId: streamIdFor('two') })).toEqual([[180, 'HEALTHY', 5]]);
});

test('the fleet has one row of figures a minute', async () => {
  const { noticing } = setup();
  const sweep = (at: number, ...streams: ReturnType<typeof snapshot>[]) =>
    noticing.see(poll('all', { at, took: 0, streams }));
  const both = (viewers: number) => [
    snapshot('A', 'one', { viewers: 3 }),
    snapshot('B', 'two', { health: 'STARVING', viewers }),
  ];
  await sweep(0, ...both(4));
  await sweep(30 * second, ...both(9));
  await sweep(2 * minute, ...both(-1));
  await noticing.see(poll('all', { at: 3 * minute, complete: false }));

  const found = await fleetSamples(noticing.state, { sinceMs: startMs });
  expect(found).toEqual([
    { atMs: startMs, healthy: 1, starving: 1, unknown: 0, viewers: 7, uncounted: 0 },
    { atMs: startMs + 2 * minute, healthy: 1, starving: 1, unknown: 0, viewers: 3, uncounted: 1 },
  ]);
  expect(await fleetSamples(noticing.state, { sinceMs: startMs + minute })).toEqual(found.slice(1));
});

test('pages go back in time, and an entry that is not a sample is left out', async () => {
  const { noticing, seen, samples } = setup();
  for (let at = 0; at < 5 * minute; at += minute) await seen(at, 1);
  await noticing.state.transact((tx) => {
    for (const odd of [null, 'x', -1, 3, [4], [4, -1], {}, 1.5])
      tx.append(logs.samples('A', session.streamId), odd as never, 100);
  });

  const newest = await readSamples(noticing.state, session, { limit: 10 });
  const older = await readSamples(noticing.state, session, { limit: 10, before: newest.next });
  expect(newest.samples).toHaveLength(2);
  expect(older).toMatchObject({ next: undefined, samples: [{ atMs: startMs }, {}, {}] });
  expect(await samples()).toHaveLength(5);
});

test('the state that every replica holds contains no samples', async () => {
  const { noticing, seen } = setup();
  await seen(0, 1);
  const sizeOf = () => JSON.stringify([...noticing.state.view.entries({ name: 'stream' } as never)]).length;
  const before = sizeOf();
  for (let at = minute; at < 200 * minute; at += minute) await seen(at, 1);
  expect(sizeOf()).toBeLessThan(before + 500);
});
