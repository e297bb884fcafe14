import { describe, expect, test } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { arnOf, event, Noticing, poll, snapshot, startMs, streamIdFor } from '#test/support/streams.ts';
import { disagreementsOf } from './disagreements.ts';
import { pastOf } from './keys.ts';

const a = { channel: 'A', stream: 's1' };

describe('a session known from events alone', () => {
  test('goes from created through live to ended', async () => {
    const noticing = new Noticing();

    await noticing.see(event('Session Created', { ...a, at: 0 }));
    expect(noticing.record('A')).toMatchObject({ state: 'created', stateSinceMs: startMs });
    await noticing.see(event('Stream Start', { ...a, at: 6_000 }));
    expect(noticing.record('A')).toMatchObject({ state: 'live', startedAtMs: startMs + 6_000, channelName: 'A' });
    await noticing.see(event('Starvation Start', { ...a, at: 20_000 }));
    expect(noticing.record('A')).toMatchObject({ health: 'STARVING', healthSinceMs: startMs + 20_000 });
    await noticing.see(event('Stream End', { ...a, at: 60_000 }));

    expect(noticing.record('A')).toMatchObject({ state: 'ended', endedAtMs: startMs + 60_000, health: 'UNKNOWN' });
    expect(noticing.record('A')!.timeline.map(({ name }) => name)).toEqual([
      'Session Created',
      'Stream Start',
      'Starvation Start',
      'Stream End',
    ]);
  });

  test('has the reason of its failure', async () => {
    const noticing = new Noticing();

    const reason = 'Transcode capacity exceeded. Please try again.';
    await noticing.see(event('Stream Failure', { ...a, at: 3_000, detail: { reason } }));

    expect(noticing.record('A')).toMatchObject({ state: 'failed', failureReason: reason });
  });

  test('stays ended when its end arrives before its start', async () => {
    const noticing = new Noticing();

    await noticing.see(
      event('Stream End', { ...a, at: 60_000 }),
      event('Stream Start', { ...a, at: 6_000, arrived: 70_000 }),
    );

    expect(noticing.record('A')).toMatchObject({
      state: 'ended',
      startedAtMs: startMs + 6_000,
      endedAtMs: startMs + 60_000,
    });
  });

  test('does not change with a repeated event', async () => {
    const noticing = new Noticing();
    const start = event('Stream Start', { ...a, at: 6_000 });
    await noticing.see(start);
    const before = noticing.record('A');

    const changes = await noticing.see(start);

    expect(noticing.record('A')).toEqual(before);
    expect(changes.filter(({ kind }) => kind === 'stream')).toEqual([]);
  });

  test('does not pass its last health to the next session', async () => {
    const noticing = new Noticing();

    await noticing.see(
      event('Stream Start', { ...a, at: 0 }),
      event('Starvation Start', { ...a, at: 10_000 }),
      event('Stream Start', { channel: 'A', stream: 's2', at: 50_000 }),
    );

    expect(noticing.record('A')).toMatchObject({ streamId: streamIdFor('s2'), state: 'live', health: 'UNKNOWN' });
    expect(pastOf(noticing.state.view, arnOf('A'))[0]).toMatchObject({
      streamId: streamIdFor('s1'),
      state: 'ended',
      endedAtMs: startMs + 50_000,
    });
  });
});

describe('polls', () => {
  test('open sessions that events missed', async () => {
    const noticing = new Noticing();

    const changes = await noticing.see(
      poll('all', { at: 20_000, streams: [snapshot('A', 's1', { started: 5_000, viewers: 7 })] }),
    );

    expect(noticing.record('A')).toMatchObject({
      state: 'live',
      startedAtMs: startMs + 5_000,
      health: 'HEALTHY',
      viewerCount: 7,
    });
    expect(changes.map(({ kind }) => kind)).toEqual(['stream', 'poll']);
  });

  test('close sessions whose end no event reported, after two complete sweeps without them', async () => {
    const noticing = new Noticing();
    await noticing.see(event('Stream Start', { ...a, at: 0 }));
    await noticing.see(poll('all', { at: 20_000, streams: [snapshot('A', 's1')] }));

    await noticing.see(poll('all', { at: 35_000 }));
    expect(noticing.record('A')!.state).toBe('live');
    await noticing.see(poll('all', { at: 50_000, complete: false }));
    expect(noticing.record('A')!.state).toBe('live');
    await noticing.see(poll('all', { at: 65_000 }));

    expect(noticing.record('A')).toMatchObject({ state: 'ended', endedAtMs: startMs + 65_100 });
    expect(disagreementsOf(noticing.state.view)).toEqual({ started: 0, ended: 1, health: 0 });
  });

  test('need only one sweep if an event said that the encoder is gone', async () => {
    const noticing = new Noticing();
    await noticing.see(
      poll('all', { at: 20_000, streams: [snapshot('A', 's1')] }),
      event('Session Ended', { ...a, at: 30_000 }),
    );
    expect(noticing.record('A')!.state).toBe('live');

    await noticing.see(poll('all', { at: 35_000 }));

    expect(noticing.record('A')).toMatchObject({ state: 'ended', endedAtMs: startMs + 30_000 });
  });

  test('confirm the end of a recording only by a sweep after it, not by an earlier one whose page had shifted', async () => {
    const noticing = new Noticing();
    await noticing.see(event('Stream Start', { ...a, at: 0 }));
    await noticing.see(poll('all', { at: 15_000, streams: [snapshot('A', 's1')] }), poll('all', { at: 30_000 }));

    await noticing.see(event('Recording End', { ...a, at: 34_000 }));
    expect(noticing.record('A')).toMatchObject({ state: 'live' });
    await noticing.see(poll('all', { at: 45_000 }));

    expect(noticing.record('A')).toMatchObject({ state: 'ended', endedAtMs: startMs + 45_100 });
  });

  test('do not end a short session before the end of its recording, the only thing known of it, whatever sweeps missed', async () => {
    const noticing = new Noticing();
    await noticing.see(poll('all', { at: 0 }), poll('all', { at: 15_000 }));

    await noticing.see(event('Recording End', { ...a, at: 20_000 }));

    expect(noticing.record('A')).toMatchObject({ state: 'ended', endedAtMs: startMs + 20_000 });
  });

  test('take the end of a recording as proof that the stream had started, not that it was live when earlier sweeps missed it', async () => {
    const noticing = new Noticing();

    await noticing.see(event('Session Created', { ...a, at: 0 }));
    await noticing.see(poll('all', { at: 2_000 }));
    await noticing.see(poll('all', { at: 17_000 }));
    await noticing.see(event('Recording End', { ...a, at: 32_000 }));
    expect(noticing.record('A')).toMatchObject({ state: 'created' });
    await noticing.see(poll('all', { at: 47_000 }));

    expect(noticing.record('A')).toMatchObject({ state: 'ended' });
    expect(noticing.record('A')!.endedAtMs).toBeGreaterThan(startMs + 32_000);
  });

  test('lose no stream when a page shifts', async () => {
    const noticing = new Noticing();
    const stream = snapshot('A', 's1');

    await noticing.see(
      poll('all', { at: 20_000, streams: [stream] }),
      poll('all', { at: 35_000 }),
      poll('all', { at: 50_000, streams: [stream] }),
      poll('all', { at: 65_000 }),
    );

    expect(noticing.record('A')!.state).toBe('live');
  });

  test('make a stream live again that comes back after two sweeps without it', async () => {
    const noticing = new Noticing();
    const stream = snapshot('A', 's1');

    await noticing.see(
      poll('all', { at: 20_000, streams: [stream] }),
      poll('all', { at: 35_000 }),
      poll('all', { at: 50_000 }),
      poll('all', { at: 65_000, streams: [stream] }),
    );

    expect(noticing.record('A')).toMatchObject({ state: 'live', endedAtMs: undefined, startedAtMs: startMs });
  });

  test('an older health event does not undo a newer sweep', async () => {
    const noticing = new Noticing();
    await noticing.see(poll('all', { at: 20_000, streams: [snapshot('A', 's1')] }));

    await noticing.see(event('Starvation Start', { ...a, at: 15_000, arrived: 25_000 }));

    expect(noticing.record('A')).toMatchObject({ state: 'live', health: 'HEALTHY' });
  });

  test('an event from the very second in which a sweep began is not contradicted by it', async () => {
    const noticing = new Noticing();
    await noticing.see(poll('all', { at: 20_500, streams: [snapshot('A', 's1')] }));

    await noticing.see(event('Starvation Start', { ...a, at: 20_000, arrived: 22_000 }));

    expect(noticing.record('A')!.health).toBe('STARVING');
  });

  test('a stream that is no longer in the starving list counts as not starving, but not as healthy', async () => {
    const noticing = new Noticing();
    await noticing.see(event('Stream Start', { ...a, at: 0 }), event('Starvation Start', { ...a, at: 10_000 }));

    await noticing.see(poll('starving', { at: 15_000, complete: false }));
    expect(noticing.record('A')!.health).toBe('STARVING');
    await noticing.see(poll('starving', { at: 20_000 }));
    expect(noticing.record('A')).toMatchObject({ state: 'live', health: 'UNKNOWN' });
    await noticing.see(poll('all', { at: 25_000, streams: [snapshot('A', 's1')] }));

    expect(noticing.record('A')!.health).toBe('HEALTHY');
  });

  test('a list of starving streams with several pages must miss a stream twice', async () => {
    const noticing = new Noticing();
    const others = Array.from({ length: 150 }, (_, index) =>
      snapshot(`B${index}`, `b${index}`, { health: 'STARVING' }),
    );
    await noticing.see(
      poll('starving', { at: 5_000, streams: [...others, snapshot('A', 's1', { health: 'STARVING' })] }),
    );

    await noticing.see(poll('starving', { at: 10_000, streams: others }));
    expect(noticing.record('A')!.health).toBe('STARVING');
    await noticing.see(poll('starving', { at: 15_000, streams: others }));

    expect(noticing.record('A')!.health).toBe('UNKNOWN');
  });

  test('a list of starving streams with a short page and another one must miss a stream twice as well', async () => {
    const noticing = new Noticing();
    await noticing.see(poll('starving', { at: 5_000, streams: [snapshot('A', 's1', { health: 'STARVING' })] }));

    await noticing.see(poll('starving', { at: 10_000, pages: 2 }));
    expect(noticing.record('A')!.health).toBe('STARVING');
    await noticing.see(poll('starving', { at: 15_000, pages: 2 }));

    expect(noticing.record('A')!.health).toBe('UNKNOWN');
  });

  test('one list of starving streams in two short pages does not overrule a fall that is reported after it', async () => {
    const noticing = new Noticing();
    await noticing.see(event('Stream Start', { ...a, at: 0 }), poll('starving', { at: 10_000, pages: 2 }));

    await noticing.see(event('Starvation Start', { ...a, at: 8_000, arrived: 12_000 }));

    expect(noticing.record('A')!.health).toBe('STARVING');
  });

  test('a viewer count of -1 is not a count', async () => {
    const noticing = new Noticing();
    await noticing.see(poll('all', { at: 20_000, streams: [snapshot('A', 's1', { viewers: 12 })] }));

    await noticing.see(poll('all', { at: 35_000, streams: [snapshot('A', 's1', { viewers: -1 })] }));

    expect(noticing.record('A')).toMatchObject({ viewerCount: 12, viewerCountAtMs: startMs + 20_000 });
  });

  test('a start that arrives hours late is not the start of a live stream', async () => {
    const noticing = new Noticing();
    await noticing.see(poll('all', { at: 7_200_000 }), poll('all', { at: 7_215_000 }));

    await noticing.see(event('Stream Start', { ...a, at: 0, arrived: 7_220_000 }));

    expect(noticing.record('A')!.state).toBe('ended');
  });

  test('a session that was created but never began is over once IVS has given up on it', async () => {
    const noticing = new Noticing();
    await noticing.see(
      event('Session Created', { ...a, at: 0 }),
      poll('all', { at: 15_000 }),
      poll('all', { at: 30_000 }),
    );
    expect(noticing.record('A')!.state).toBe('created');

    await noticing.see(poll('all', { at: 65_000 }), poll('all', { at: 80_000 }));

    expect(noticing.record('A')!.state).toBe('ended');
  });
});

test('of two sessions that began in the same second, the one that is still live is the newest', async () => {
  const noticing = new Noticing();

  await noticing.see(
    event('Session Created', { channel: 'A', stream: 's9', at: 100 }),
    event('Session Created', { channel: 'A', stream: 's1', at: 700 }),
    event('Stream End', { channel: 'A', stream: 's9', at: 600, arrived: 900 }),
    poll('all', { at: 2_000, streams: [snapshot('A', 's1', { started: 900 })] }),
  );

  expect(noticing.record('A')).toMatchObject({ streamId: streamIdFor('s1'), state: 'live' });
});

test('a source whose clock runs ahead of ours does not block what polls report', async () => {
  const noticing = new Noticing();
  const ahead = (name: string, at: number, arrived: number) => event(name, { ...a, at, arrived });

  await noticing.see(ahead('Stream Start', 3_600_000, 1_000), poll('all', { at: 15_000 }), poll('all', { at: 30_000 }));

  expect(noticing.record('A')!.state).toBe('ended');
});

test('a sweep in pieces has the same effect as the whole', async () => {
  const streams = Array.from({ length: 1_234 }, (_, index) => snapshot(`C${index}`, `c${index}`, { viewers: index }));
  const noticing = new Noticing();
  await noticing.see(poll('all', { at: 1_000, streams: [...streams, snapshot('A', 's1')] }));

  await noticing.see(poll('all', { at: 20_000, streams }), poll('all', { at: 40_000, streams }));

  expect(noticing.state.view.count(kinds.stream)).toBe(1_235);
  expect(noticing.record('A')!.state).toBe('ended');
  expect(noticing.record('C1233')).toMatchObject({ state: 'live', viewerCount: 1_233 });
});

test('the end of a recording that continued over reconnects ends it for all the streams it merged', async () => {
  const noticing = new Noticing();
  const ids = [streamIdFor('s1'), streamIdFor('s2')];

  await noticing.see(
    event('Recording Start', { ...a, at: 0, detail: { recording_s3_key_prefix: 'ivs/v1/x' } }),
    event('Stream End', { ...a, at: 10_000 }),
    event('Stream Start', { channel: 'A', stream: 's2', at: 20_000 }),
    event('Recording End', { channel: 'A', stream: 's2', at: 90_000, detail: { recording_session_stream_ids: ids } }),
  );

  expect(noticing.record('A')).toMatchObject({ recording: 'ended' });
  expect(pastOf(noticing.state.view, arnOf('A'))[0]).toMatchObject({ recording: 'ended', recordingPrefix: 'ivs/v1/x' });
});

test('the start of a merged recording that arrives after its end does not begin it again', async () => {
  const noticing = new Noticing();
  const ids = [streamIdFor('s1'), streamIdFor('s2')];
  await noticing.see(
    event('Stream Start', { channel: 'A', stream: 's2', at: 20_000 }),
    event('Recording End', { channel: 'A', stream: 's2', at: 90_000, detail: { recording_session_stream_ids: ids } }),
  );

  await noticing.see(event('Recording Start', { ...a, at: 1_000, arrived: 7_200_000 }));

  expect(pastOf(noticing.state.view, arnOf('A'))[0]).toMatchObject({
    streamId: streamIdFor('s1'),
    recording: 'ended',
    recordingSinceMs: startMs + 90_000,
  });
});

describe('a recording whose end was never reported', () => {
  const minute = 60_000;
  async function ended() {
    const noticing = new Noticing();
    await noticing.see(
      event('Stream Start', { ...a, at: 0 }),
      event('Recording Start', { ...a, at: 1_000 }),
      event('Stream End', { ...a, at: 2 * minute }),
    );
    return noticing;
  }

  test('continues while a reconnect may resume it, and is over at the first sweep after that', async () => {
    const noticing = await ended();

    await noticing.see(poll('all', { at: 6 * minute }));
    expect(noticing.record('A')).toMatchObject({ state: 'ended', recording: 'recording' });
    const changes = await noticing.see(poll('all', { at: 8 * minute }));

    // The end is known only to two seconds.
    const overMs = startMs + 7 * minute + 2_000;
    expect(noticing.record('A')).toMatchObject({ recording: 'ended', recordingSinceMs: overMs });
    expect(changes.map(({ kind }) => kind)).toEqual(['stream', 'poll']);
  });

  test('ended when its end event says, if that arrives after all', async () => {
    const noticing = await ended();
    await noticing.see(poll('all', { at: 8 * minute }));

    await noticing.see(event('Recording End', { ...a, at: 2 * minute + 5_000, arrived: 60 * minute }));

    expect(noticing.record('A')).toMatchObject({
      recording: 'ended',
      recordingSinceMs: startMs + 2 * minute + 5_000,
    });
  });

  test('is over for an earlier session as well', async () => {
    const noticing = await ended();
    await noticing.see(event('Stream Start', { channel: 'A', stream: 's2', at: 3 * minute }));

    await noticing.see(poll('all', { at: 8 * minute, streams: [snapshot('A', 's2', { started: 3 * minute })] }));

    expect(pastOf(noticing.state.view, arnOf('A'))[0]).toMatchObject({ recording: 'ended' });
  });
});

test('that fails while the stream continues does not end the stream', async () => {
  const noticing = new Noticing();
  const stream = snapshot('A', 's1');
  await noticing.see(event('Stream Start', { ...a, at: 0 }), event('Recording End Failure', { ...a, at: 10_000 }));
  await noticing.see(poll('all', { at: 15_000, streams: [stream] }));

  await noticing.see(poll('all', { at: 30_000 }));

  expect(noticing.record('A')).toMatchObject({ state: 'live', recording: 'failed' });
});

test.each(['Recording End Failure', 'Something New'])(
  'is not ended earlier by sweeps from before a session of which only %s is known',
  async (name) => {
    const noticing = new Noticing();
    await noticing.see(poll('all', { at: 0 }), poll('all', { at: 15_000 }));

    await noticing.see(event(name, { ...a, at: 20_000 }));
    expect(noticing.record('A')!.endedAtMs ?? Infinity).toBeGreaterThanOrEqual(startMs + 20_000);
    await noticing.see(poll('all', { at: 90_000 }), poll('all', { at: 105_000 }));

    expect(noticing.record('A')!.state).toBe('ended');
    expect(noticing.record('A')!.endedAtMs).toBeGreaterThanOrEqual(startMs + 20_000);
  },
);

test('a session of which only the end of its recording is known is not over earlier because another one began earlier', async () => {
  const noticing = new Noticing();
  await noticing.see(
    event('Stream Start', { ...a, at: 0 }),
    event('Session Ended', { ...a, at: 20_000 }),
    event('Recording End', { channel: 'A', stream: 's2', at: 60_000 }),
  );

  const known = [noticing.record('A')!, ...pastOf(noticing.state.view, arnOf('A'))];

  expect(known.map(({ streamId }) => streamId)).toEqual([streamIdFor('s2'), streamIdFor('s1')]);
  expect(known[0]!.endedAtMs ?? Infinity).toBeGreaterThanOrEqual(startMs + 60_000);
});

test('an event with an unknown name from an unknown session comes after a session that is over', async () => {
  const noticing = new Noticing();
  await noticing.see(event('Stream Start', { ...a, at: 0 }), event('Stream End', { ...a, at: 20_000 }));

  await noticing.see(event('Something New', { channel: 'A', stream: 's2', at: 30_000 }));

  expect(noticing.record('A')).toMatchObject({ streamId: streamIdFor('s2'), state: 'created' });
});

describe('events in either order have the same result', () => {
  const breach = (unit: string, at = 5_000) =>
    event('Ingest Bitrate', { ...a, at, id: `${unit}-${at}`, detail: { limit_value: 8, limit_unit: unit } });

  test.each([
    [
      'two breaches of one limit in one second',
      [breach('bits per second'), breach('frames')],
      { limitBreaches: [{ limitUnit: 'bits per second' }, { limitUnit: 'frames' }] },
    ],
    [
      'two prefixes',
      [
        event('Recording Start', { ...a, at: 1_000, detail: { recording_s3_key_prefix: 'ivs/v1/one' } }),
        event('Recording End', { ...a, at: 9_000, detail: { recording_s3_key_prefix: 'ivs/v1/two' } }),
      ],
      { recordingPrefix: 'ivs/v1/two' },
    ],
    [
      'two reasons of one second',
      [
        event('Stream Failure', { ...a, at: 3_000, detail: { reason: 'capacity' } }),
        event('Session Ended', { ...a, at: 3_000, detail: { code: 'StreamQuotaExceeded' } }),
      ],
      { failureReason: 'StreamQuotaExceeded' },
    ],
  ])('%s', async (_what, events, expected) => {
    const inOrder = new Noticing();
    const reversed = new Noticing();

    await inOrder.see(...events);
    await reversed.see(...events.toReversed());

    expect(inOrder.record('A')).toMatchObject(expected);
    expect(reversed.record('A')).toMatchObject(expected);
  });

  test('and of more breaches than are kept, each new one is reported', async () => {
    const noticing = new Noticing();
    for (let at = 0; at < 10_000; at += 1_000) await noticing.see(breach('frames', at));

    const changes = await noticing.see(breach('frames', 11_000));

    expect(changes.map(({ kind }) => kind)).toEqual(['stream', 'event']);
    expect(noticing.record('A')!.limitBreaches).toHaveLength(10);
  });
});

test('a breach of a limit is kept with the session', async () => {
  const noticing = new Noticing();
  const detail = { limit_value: 8_500_000, exceeded_by: 420_000, limit_unit: 'bits per second' };

  await noticing.see(event('Stream Start', { ...a, at: 0 }), event('Ingest Bitrate', { ...a, at: 5_000, detail }));

  expect(noticing.record('A')!.limitBreaches).toEqual([
    {
      limitName: 'Ingest Bitrate',
      limitValue: 8_500_000,
      exceededBy: 420_000,
      limitUnit: 'bits per second',
      atMs: startMs + 5_000,
    },
  ]);
});
