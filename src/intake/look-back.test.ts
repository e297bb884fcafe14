// Looking back at a period without data: which channels IVS is asked about and when, how the answers are used, and that any replica
// continues where another one ended.
import { expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import { noteQueueRead } from '#streams/gaps.ts';
import { noteUnseen } from '#streams/history.ts';
import { keptLogger } from '#test/support/quiet.ts';
import { arnOf, Noticing, poll, snapshot, startMs, streamIdFor } from '#test/support/streams.ts';
import { LookBack } from './look-back.ts';

const second = 1_000;
const minute = 60 * second;
const signal = new AbortController().signal;
type Kept = readonly { readonly id: string; readonly start?: number; readonly end?: number }[];

/** No data from the 1st to the 10th minute; the sweep after it lists nothing. */
async function setup({ hasEventQueue = false, channels = ['A'] } = {}) {
  const noticing = new Noticing();
  const { state } = noticing;
  const kept = new Map<string, Kept>();
  const asked: string[] = [];
  let failure: AppError | undefined;
  let oddChannel: string | undefined;
  const { logger, lines } = keptLogger();
  const service = (replica: string) =>
    new LookBack({
      state,
      hasEventQueue,
      replica,
      reader: {
        async listStreamSessions(arn) {
          asked.push(arn.split('/')[1]!);
          if (failure) throw failure;
          if (arn === oddChannel) throw new AppError('IVS_ANSWER_INVALID', 'it does not end');
          const at = (ms: number | undefined) => (ms === undefined ? undefined : startMs + ms);
          const sessions = (kept.get(arn) ?? []).map(({ id, start, end }) => ({
            streamId: streamIdFor(id),
            startTimeMs: at(start),
            endTimeMs: at(end),
          }));
          return { sessions, nextToken: undefined };
        },
        async sessionEvents(arn, streamId) {
          asked.push(`${arn.split('/')[1]} ${streamId}`);
          return [];
        },
      },
      observe: (observation) => noticing.see(observation),
      logger,
    });
  await noticing.see(poll('all', { at: 0, took: 0, streams: [snapshot('A', 'before', { viewers: 1 })] }));
  await state.transact((tx) => {
    for (const id of channels)
      tx.set(kinds.channel.of(arnOf(id)), {
        arn: arnOf(id),
        name: id,
        type: 'STANDARD',
        latencyMode: 'LOW',
        recordingConfigurationArn: '',
        tags: {},
      });
    noteUnseen(tx, { fromMs: startMs + minute, toMs: startMs + 10 * minute });
  });
  const sweeps = async () => {
    for (const at of [10 * minute, 10 * minute + 15 * second]) await noticing.see(poll('all', { at, took: 0 }));
  };
  return {
    noticing,
    state,
    kept,
    asked,
    lines,
    service,
    sweeps,
    fail: (code: ConstructorParameters<typeof AppError>[0] | undefined) => {
      failure = code && new AppError(code, 'no');
    },
    spoil: (id: string) => {
      oddChannel = arnOf(id);
    },
    run: async (replica = 'one') => {
      const looking = service(replica);
      let steps = 0;
      while ((await looking.step(signal)) === 'worked') steps += 1;
      return steps;
    },
  };
}

test('completes sessions that began or ended unobserved, and marks them as learnt', async () => {
  const t = await setup();
  t.kept.set(arnOf('A'), [
    { id: 'after', start: 9 * minute, end: 9.5 * minute },
    { id: 'between', start: 4 * minute, end: 6 * minute },
    { id: 'before', start: -minute, end: 3 * minute },
    { id: 'old', start: -10 * minute, end: -5 * minute },
  ]);
  await t.sweeps();
  expect(t.noticing.record('A')).toMatchObject({ state: 'ended', endedAtMs: startMs + 10 * minute + 15 * second });
  await t.run();

  const sessions = [t.noticing.record('A')!, ...t.state.view.get(kinds.past.of(arnOf('A')))!];
  expect(
    sessions.map(({ streamId, startedAtMs, endedAtMs, learntAtMs }) => [
      streamId,
      startedAtMs,
      endedAtMs,
      learntAtMs !== undefined,
    ]),
  ).toEqual([
    [streamIdFor('after'), startMs + 9 * minute, startMs + 9.5 * minute, true],
    [streamIdFor('between'), startMs + 4 * minute, startMs + 6 * minute, true],
    // Its start had been observed.
    [streamIdFor('before'), expect.any(Number), startMs + 3 * minute, true],
  ]);
  expect(sessions[1]!.timeline.filter(({ source }) => source === 'history')).toMatchObject([
    { source: 'history', name: 'Stream Start', text: 'live (learnt afterwards)' },
    { source: 'history', name: 'Stream End', text: 'ended (learnt afterwards)' },
  ]);
  expect(t.state.view.get(notes.lookBack)).toBeUndefined();
  expect(t.lines).toMatchObject([{ msg: 'looked back at the unobserved time', sessions: 3 }]);
});

test('asks nothing before the polls are back, or while events still wait in the queue', async () => {
  const t = await setup({ hasEventQueue: true });
  expect(await t.run()).toBe(0);
  await t.sweeps();
  expect(await t.run()).toBe(0);
  const read = (lagMs: number) => t.state.transact((tx) => noteQueueRead(tx, { atMs: t.noticing.nowMs, lagMs }));
  await read(minute);
  expect(await t.run()).toBe(0);
  t.noticing.nowMs += second;
  await read(0);
  expect(await t.run()).toBeGreaterThan(0);
  expect(t.asked).toContain('A');
});

test('asks first about channels whose streams changed, and again about each with all others', async () => {
  const t = await setup({ channels: ['0', '1', '2', '3', '4', '5', 'A'] });
  await t.sweeps();
  await t.run();
  expect(t.asked).toEqual(['A', '0', '1', '2', '3', '4', '5', 'A']);
});

test('one replica asks at a time, and after a failure another continues from there', async () => {
  const t = await setup({ channels: ['0', '1', '2', '3', '4', '5'] });
  await t.sweeps();
  // The suspects, and the first five of the others.
  await t.service('one').step(signal);
  await t.service('one').step(signal);
  await t.service('one').step(signal);
  t.fail('IVS_UNAVAILABLE');
  await expect(t.service('one').step(signal)).rejects.toMatchObject({ code: 'IVS_UNAVAILABLE' });
  t.fail(undefined);
  t.asked.length = 0;
  expect(await t.run('two')).toBe(0);
  t.noticing.nowMs += 3 * minute;
  await t.sweeps();
  expect(await t.run('two')).toBeGreaterThan(0);
  expect(t.asked).toEqual(['5']);
});

test('logs a missing permission once, and does not ask again', async () => {
  const t = await setup();
  await t.sweeps();
  t.fail('IVS_ACCESS_DENIED');
  expect(await t.run()).toBe(0);
  expect(await t.run()).toBe(0);
  expect(t.asked).toEqual(['A']);
  expect(t.lines.map(({ msg }) => msg)).toEqual([expect.stringContaining('ListStreamSessions')]);
});

test('repeated or impossible answers change nothing', async () => {
  const t = await setup();
  t.kept.set(arnOf('A'), [
    { id: 'unknown', end: 5 * minute },
    { id: 'backwards', start: 8 * minute, end: 7 * minute },
    { id: 'between', start: 4 * minute, end: 6 * minute },
  ]);
  await t.sweeps();
  await t.run();
  const learnt = t.state.view.get(kinds.stream.of(arnOf('A')));
  expect(learnt?.streamId).toBe(streamIdFor('between'));

  await t.state.transact((tx) => noteUnseen(tx, { fromMs: startMs + minute, toMs: startMs + 10 * minute }));
  t.noticing.changes.length = 0;
  await t.run();
  expect(t.state.view.get(kinds.stream.of(arnOf('A')))).toEqual(learnt);
  expect(t.noticing.changes).toEqual([]);
});

test('leaves a channel with an unusable list of sessions out after some attempts, without delaying the others', async () => {
  const t = await setup({ channels: ['0', '1', '2', '3', '4', '5', 'A'] });
  await t.sweeps();
  t.spoil('0');
  t.kept.set(arnOf('5'), [{ id: 'between', start: 4 * minute, end: 6 * minute }]);
  const looking = t.service('one');
  const odd = { code: 'IVS_ANSWER_INVALID' };
  expect(await looking.step(signal)).toBe('worked');
  expect(await looking.step(signal)).toBe('worked');
  for (const _ of [1, 2]) await expect(looking.step(signal)).rejects.toMatchObject(odd);
  while ((await looking.step(signal)) === 'worked');
  expect(t.noticing.record('5')).toMatchObject({ streamId: streamIdFor('between') });
  expect(t.lines.map(({ msg, channelArn }) => [msg, channelArn])).toEqual([
    [expect.stringContaining('cannot be looked up'), arnOf('0')],
    ['looked back at the unobserved time', undefined],
  ]);
});

test('does not learn an archived session again, and takes from an endless list only as many sessions as are kept', async () => {
  const t = await setup();
  t.kept.set(arnOf('A'), [
    { id: 'late', start: 8 * minute, end: 9 * minute },
    { id: 'between', start: 4 * minute, end: 6 * minute },
  ]);
  await t.sweeps();
  const ends = () => t.noticing.changes.filter(({ kind }) => kind === 'event').length;
  await t.service('one').step(signal);
  expect(ends()).toBe(2);
  // More than half a day later, before all channels were asked about.
  for (const at of [13 * 60, 13 * 60 + 1]) await t.noticing.see(poll('all', { at: at * minute, took: 0 }));
  expect(t.state.view.get(kinds.past.of(arnOf('A')))).toBeUndefined();
  t.asked.length = 0;
  await t.run();
  expect(t.asked).toEqual(['A']);
  expect(ends()).toBe(2);

  t.kept.set(
    arnOf('A'),
    Array.from({ length: 300 }, (_, index) => ({
      id: `s${index}`,
      start: 4 * minute + index,
      end: 5 * minute + index,
    })),
  );
  await t.state.transact((tx) => noteUnseen(tx, { fromMs: startMs + minute, toMs: startMs + 10 * minute }));
  t.asked.length = 0;
  await t.service('one').step(signal);
  await t.service('one').step(signal);
  expect(t.asked).toHaveLength(1 + 100);
});
