// However many channels an observation concerns, by what it lists or by what it does not: one commit has few of them, so that nothing else
// waits for the daemon.
import { expect, test } from 'vitest';
import { kinds, notes } from '#domain/state-registry.ts';
import { arnOf, event, Noticing, poll, snapshot, startMs } from '#test/support/streams.ts';
import { splitObservation } from './changes.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const count = 260;
const names = Array.from({ length: count }, (_, index) => `C${index}`);
/** A piece has 25 channels; each writes its record, and there are a few notes. */
const mostWritten = 30;

const streamsOf = (health: 'HEALTHY' | 'STARVING') =>
  names.map((name) => snapshot(name, name, { health, started: -minute }));

/** What is done after a quiet beginning: the most entries that one of its commits wrote, and how many commits there were. */
async function commitsOf(noticing: Noticing, body: () => Promise<unknown>) {
  const before = noticing.written.length;
  await body();
  const written = noticing.written.slice(before);
  return { most: Math.max(...written), commits: written.length };
}

const records = (noticing: Noticing) => Array.from(noticing.state.view.entries(kinds.stream), ([, record]) => record);

test('all channels recover from one starving poll to the next', async () => {
  const noticing = new Noticing();
  await noticing.see(poll('starving', { at: 0, streams: streamsOf('STARVING') }));

  const { most, commits } = await commitsOf(noticing, () => noticing.see(poll('starving', { at: 5_000 })));

  expect(most).toBeLessThanOrEqual(mostWritten);
  expect(commits).toBe(Math.ceil(count / 25));
  expect(new Set(records(noticing).map(({ health }) => health))).toEqual(new Set(['UNKNOWN']));
  expect(noticing.state.view.get(notes.sweep('starving'))).toMatchObject({ startedAtMs: startMs + 5_000, streams: 0 });
});

test('a list of several pages says of those that it no longer has, in pieces, once a second one agrees', async () => {
  const noticing = new Noticing();
  const rest = streamsOf('STARVING').slice(0, 60);
  await noticing.see(poll('starving', { at: 0, streams: streamsOf('STARVING') }));
  await noticing.see(poll('starving', { at: 5_000, streams: rest, pages: 2 }));
  expect(records(noticing).filter(({ health }) => health === 'STARVING')).toHaveLength(count);

  const { most } = await commitsOf(noticing, () =>
    noticing.see(poll('starving', { at: 10_000, streams: rest, pages: 2 })),
  );

  expect(most).toBeLessThanOrEqual(2 * mostWritten);
  expect(records(noticing).filter(({ health }) => health === 'STARVING')).toHaveLength(60);
  expect(noticing.state.view.get(notes.sweep('starving'))).toMatchObject({ streams: 60 });
});

test('all streams vanish: each is missed once by each sweep, and has ended after the second', async () => {
  const noticing = new Noticing();
  await noticing.see(poll('all', { at: 0, streams: streamsOf('HEALTHY') }));

  const first = await commitsOf(noticing, () => noticing.see(poll('all', { at: 15_000 })));
  expect(new Set(records(noticing).map(({ state, basis }) => `${state} ${basis.missed.length}`))).toEqual(
    new Set(['live 1']),
  );
  const second = await commitsOf(noticing, () => noticing.see(poll('all', { at: 30_000 })));

  for (const { most } of [first, second]) expect(most).toBeLessThanOrEqual(mostWritten);
  expect(new Set(records(noticing).map(({ state }) => state))).toEqual(new Set(['ended']));
});

test('recordings whose end nobody reported are over', async () => {
  const noticing = new Noticing();
  for (const name of names)
    await noticing.see(
      event('Stream Start', { channel: name, stream: name, at: 0 }),
      event('Recording Start', { channel: name, stream: name, at: 1_000 }),
      event('Stream End', { channel: name, stream: name, at: minute }),
    );

  const { most } = await commitsOf(noticing, () => noticing.see(poll('all', { at: 10 * minute })));

  expect(most).toBeLessThanOrEqual(mostWritten);
  expect(new Set(records(noticing).map(({ recording }) => recording))).toEqual(new Set(['ended']));
});

test('what a piece says is judged by what is known at its commit', async () => {
  const noticing = new Noticing();
  await noticing.see(poll('starving', { at: 0, streams: streamsOf('STARVING') }));
  const pieces = splitObservation(poll('starving', { at: 5_000 }), noticing.state.view);

  // Meanwhile one starves again, and another ends.
  await noticing.see(
    event('Starvation Start', { channel: 'C0', stream: 'C0', at: 9_000 }),
    event('Stream End', { channel: 'C1', stream: 'C1', at: 9_000 }),
  );
  await noticing.see(...pieces);

  expect(noticing.record('C0')).toMatchObject({ health: 'STARVING' });
  expect(noticing.record('C1')).toMatchObject({ state: 'ended' });
  expect(noticing.record('C2')).toMatchObject({ state: 'live', health: 'UNKNOWN' });
});

test('a sweep that an interruption left in the middle is completed by the next one', async () => {
  const noticing = new Noticing();
  await noticing.see(poll('starving', { at: 0, streams: streamsOf('STARVING') }));
  const pieces = splitObservation(poll('starving', { at: 5_000 }), noticing.state.view);

  await noticing.see(...pieces.slice(0, 3));
  expect(records(noticing).filter(({ health }) => health === 'STARVING')).toHaveLength(count - 75);
  await noticing.see(poll('starving', { at: 10_000 }));

  expect(records(noticing).filter(({ health }) => health === 'STARVING')).toEqual([]);
});

test('channels that two listings do not show are removed', async () => {
  const noticing = new Noticing();
  const channels = names.map((name) => ({
    arn: arnOf(name),
    name,
    type: 'STANDARD',
    latencyMode: 'LOW',
    recordingConfigurationArn: '',
    tags: {},
  }));
  const listing = { kind: 'inventory', removed: [], atMs: startMs, complete: true } as const;
  await noticing.see({ ...listing, channels });
  const without = { ...listing, channels: channels.slice(0, 5), removed: names.slice(5).map(arnOf) };

  await noticing.see(without);
  expect(noticing.state.view.count(kinds.channel)).toBe(count);
  const { most } = await commitsOf(noticing, () => noticing.see(without));

  expect(most).toBeLessThanOrEqual(mostWritten);
  expect(noticing.state.view.count(kinds.channel)).toBe(5);
  expect(noticing.state.view.get(notes.missingChannels)).toBeUndefined();
});

test('sessions older than the retention are deleted, some with each sweep', async () => {
  const noticing = new Noticing();
  for (const name of names)
    await noticing.see(
      event('Stream Start', { channel: name, stream: name, at: 0 }),
      event('Stream End', { channel: name, stream: name, at: minute }),
    );

  await noticing.see(poll('all', { at: 61 * day }));
  expect(records(noticing)).toHaveLength(count - 200);
  await noticing.see(poll('all', { at: 61 * day + minute }));

  expect(records(noticing)).toEqual([]);
});
