// One odd event does not outweigh what every sweep shows. The property test is in reconcile.test.ts.
import { expect, test } from 'vitest';
import { event, Noticing, poll, snapshot, startMs, streamIdFor } from '#test/support/streams.ts';

const a = { channel: 'A', stream: 's1' };
const listed = [snapshot('A', 's1', { started: 10_000 })];

/** Complete sweeps of all streams, one per second. */
async function sweeps(noticing: Noticing, from: number, count: number, streams = listed) {
  for (let sweep = 0; sweep < count; sweep += 1) await noticing.see(poll('all', { at: from + sweep * 1_000, streams }));
}

test.each([['Stream End'], ['Stream Failure'], ['Session Ended']])(
  'a %s dated before its session began ends nothing',
  async (name) => {
    const noticing = new Noticing();
    await sweeps(noticing, 20_000, 1);
    await noticing.see(event(name, { ...a, at: -3_600_000, arrived: 21_000 }));
    expect(noticing.record('A')).toMatchObject({ state: 'live', startedAtMs: startMs + 10_000 });

    await sweeps(noticing, 22_000, 1);
    expect(noticing.record('A')).toMatchObject({ state: 'live', endedAtMs: undefined });
    // Nor does it prevent the stream from ending.
    await sweeps(noticing, 60_000, 2, []);
    expect(noticing.record('A')).toMatchObject({ state: 'ended', endedAtMs: startMs + 61_100 });
  },
);

test.each([
  ['Stream End', 0],
  ['Stream Failure', 0],
  ['Stream End', 86_400_000],
  ['Session Ended', 86_400_000],
])('after a %s dated %i ms ahead of its arrival, a stream that sweeps still list is live', async (name, ahead) => {
  const noticing = new Noticing();
  await sweeps(noticing, 20_000, 2);
  await noticing.see(event(name, { ...a, at: 30_000 + ahead, arrived: 30_000 }));
  await sweeps(noticing, 31_000, 8);
  expect(noticing.record('A')).toMatchObject({ state: 'live', streamId: streamIdFor('s1') });

  await sweeps(noticing, 60_000, 2, []);
  const { state, endedAtMs } = noticing.record('A')!;
  expect(state).toBe('ended');
  expect(endedAtMs).toBeLessThanOrEqual(startMs + 61_100);
});

test('an event about another channel’s stream changes nothing for this channel', async () => {
  const noticing = new Noticing();
  const both = [...listed, snapshot('B', 's2', { started: 5_000 })];
  await sweeps(noticing, 20_000, 2, both);
  await noticing.see(event('Stream Start', { channel: 'A', stream: 's2', at: 25_000 }));
  await noticing.see(event('Stream Start', { channel: 'C', stream: 's2', at: 25_000 }));
  await sweeps(noticing, 26_000, 8, both);

  expect(noticing.record('A')).toMatchObject({ state: 'live', streamId: streamIdFor('s1') });
  expect(noticing.record('B')).toMatchObject({ state: 'live', streamId: streamIdFor('s2') });
  // No sweep lists it for this channel.
  expect(noticing.record('C')).toMatchObject({ state: 'ended' });
});

test('no event makes a session live that no sweep shows, and the listed session stays the newest', async () => {
  const noticing = new Noticing();
  await sweeps(noticing, 20_000, 2);
  for (const name of ['Session Created', 'Stream Start', 'Recording Start', 'Stream End'])
    await noticing.see(event(name, { channel: 'A', stream: 'nobody', at: 24_000, arrived: 25_000 }));
  await sweeps(noticing, 27_000, 8);

  expect(noticing.record('A')).toMatchObject({ state: 'live', streamId: streamIdFor('s1') });
});

test('a listed stream returns among any number of invented sessions', async () => {
  const noticing = new Noticing();
  await sweeps(noticing, 20_000, 2);
  for (let n = 0; n < 60; n += 1)
    await noticing.see(event('Stream Start', { channel: 'A', stream: `invented${n}`, at: 30_000 + n * 1_000 }));
  await sweeps(noticing, 100_000, 8);

  expect(noticing.record('A')).toMatchObject({ state: 'live', streamId: streamIdFor('s1') });
});

test('a list that dates the start of a stream years ago, or in the future, still shows that it is live', async () => {
  for (const started of [-20 * 365 * 86_400_000, 86_400_000]) {
    const noticing = new Noticing();
    await noticing.see(event('Stream Start', { channel: 'A', stream: 'before', at: 1_000 }));
    await noticing.see(event('Stream End', { channel: 'A', stream: 'before', at: 9_000 }));
    await sweeps(noticing, 20_000, 8, [snapshot('A', 's1', { started })]);

    expect(noticing.record('A')).toMatchObject({ state: 'live', streamId: streamIdFor('s1') });
    await sweeps(noticing, 40_000, 2, []);
    await noticing.see(event('Stream Start', { channel: 'A', stream: 'after', at: 50_000 }));
    await sweeps(noticing, 51_000, 2, [snapshot('A', 'after', { started: 50_000 })]);
    expect(noticing.record('A')).toMatchObject({ state: 'live', streamId: streamIdFor('after') });
  }
});
