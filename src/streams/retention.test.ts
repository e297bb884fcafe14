// What becomes of ended sessions: they are kept for late events, then archived in the log, then deleted.
import { expect, test } from 'vitest';
import { kinds, logs } from '#domain/state-registry.ts';
import { arnOf, event, Noticing, poll, startMs, streamIdFor } from '#test/support/streams.ts';
import { archivedOf, pastOf, streamOf } from './keys.ts';
import { channelStory } from './queries.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const arn = arnOf('A');
const nameOf = (index: number) => `s${String(index).padStart(3, '0')}`;

/** Sessions of channel A that begin every `everyMs` and last half of that. */
function setup() {
  const noticing = new Noticing();
  const broadcast = async (count: number, { everyMs = minute, from = 0 } = {}) => {
    for (let index = 0; index < count; index += 1) {
      const session = { channel: 'A', stream: nameOf(index) };
      const at = from + index * everyMs;
      await noticing.see(
        event('Stream Start', { ...session, at }),
        event('Stream End', { ...session, at: at + everyMs / 2 }),
      );
    }
  };
  const story = async (sinceMs = 0, limit = 1_000) => (await channelStory(noticing.state, arn, { limit, sinceMs }))!;
  const ids = async () => (await story()).sessions.map(({ streamId }) => streamId);
  const logged = () => noticing.state.readLog(logs.sessions('A'), { limit: 1_000 });
  return { noticing, broadcast, story, ids, logged };
}

test('a late event still amends the session six sessions back', async () => {
  const { noticing, broadcast } = setup();
  await broadcast(7);

  await noticing.see(event('Stream Takeover', { channel: 'A', stream: nameOf(0), at: 5_000, arrived: hour }));

  expect(pastOf(noticing.state.view, arn).at(-1)).toMatchObject({
    streamId: streamIdFor(nameOf(0)),
    takeoverAtMs: startMs + 5_000,
    startedAtMs: startMs,
  });
});

test('an encoder that reconnects repeatedly leaves each session once, however late its events arrive', async () => {
  const { noticing, broadcast, ids, logged } = setup();
  await broadcast(40);

  const late = event('Stream Takeover', { channel: 'A', stream: nameOf(2), at: 2 * minute, arrived: hour });
  const changes = await noticing.see(late);

  expect(changes).toEqual([expect.objectContaining({ kind: 'event', record: undefined })]);
  expect(await ids()).toEqual(Array.from({ length: 39 }, (_, index) => streamIdFor(nameOf(38 - index))));
  expect((await logged()).map(({ entry }) => entry.streamId)).toHaveLength(19);
});

test('a session that was logged twice is shown once', async () => {
  const { noticing, broadcast, ids } = setup();
  await broadcast(1);
  const twice = { ...noticing.record('A')!, streamId: streamIdFor('s999') };

  await noticing.state.transact((tx) => {
    for (const round of [1, 2]) tx.append(logs.sessions('A'), { ...twice, viewerCount: round }, 100);
  });

  expect(await ids()).toEqual([streamIdFor('s999')]);
});

test('a session that is archived while its recording continues under the next one says that it is over', async () => {
  const { noticing, broadcast, logged } = setup();
  await noticing.see(event('Recording Start', { channel: 'A', stream: 'first', at: 0 }));

  await broadcast(21, { from: minute });

  expect((await logged())[0]!.entry).toMatchObject({ streamId: streamIdFor('first'), recording: 'ended' });
});

test('earlier sessions are archived when no event will amend them any longer, and their evidence is deleted', async () => {
  const { noticing, broadcast, ids, logged } = setup();
  await broadcast(3);
  await noticing.see(poll('all', { at: 11 * hour }));
  expect(await logged()).toEqual([]);

  await noticing.see(poll('all', { at: 13 * hour }));

  expect(pastOf(noticing.state.view, arn)).toEqual([]);
  expect((await logged()).map(({ entry }) => entry)).toMatchObject([
    { streamId: streamIdFor(nameOf(1)), state: 'ended', basis: { missed: [] } },
    { streamId: streamIdFor(nameOf(0)), state: 'ended', basis: { missed: [] } },
  ]);
  expect(await ids()).toEqual([streamIdFor(nameOf(1)), streamIdFor(nameOf(0))]);
  expect(streamOf(noticing.state.view, arn)).toMatchObject({ streamId: streamIdFor(nameOf(2)) });
});

test('the ids of sessions archived early are deleted when events can no longer amend them', async () => {
  const { noticing, broadcast } = setup();
  await broadcast(25);
  expect(Object.keys(archivedOf(noticing.state.view, arn))).toHaveLength(4);

  await noticing.see(poll('all', { at: 14 * hour }));

  expect(noticing.state.view.count(kinds.rested)).toBe(0);
});

test('the newest session of a channel is deleted at the end of the retention, and not a day earlier', async () => {
  const { noticing, broadcast, story } = setup();
  await broadcast(1);

  await noticing.see(poll('all', { at: 59 * day }), poll('all', { at: 59 * day + minute, complete: false }));
  expect((await story()).record).toMatchObject({ state: 'ended' });
  await noticing.see(poll('all', { at: 61 * day, complete: false }), poll('starving', { at: 61 * day + minute }));
  expect(streamOf(noticing.state.view, arn)).toBeDefined();
  await noticing.see(poll('all', { at: 61 * day + 2 * minute }));

  expect(streamOf(noticing.state.view, arn)).toBeUndefined();
});

test('the last hundred sessions of a channel are kept, however long the retention is', async () => {
  const { noticing, broadcast, ids, story } = setup();
  await broadcast(130, { everyMs: hour });

  await noticing.see(poll('all', { at: 200 * hour }));

  expect(await ids()).toHaveLength(100);
  expect((await ids())[0]).toBe(streamIdFor(nameOf(128)));
  expect((await story(startMs + 100 * hour)).sessions).toHaveLength(29);
});
