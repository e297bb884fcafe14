// Facts learnt afterwards, and the rules: an end is acted on only within `max_event_age`, once, and no timer counts unseen time.
import { expect, test } from 'vitest';
import type { HistoryObservation } from '#domain/observation.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import { arnOf, event, poll, snapshot, startMs, streamIdFor } from '#test/support/streams.ts';
import { Watch } from '#test/support/watch.ts';

const minute = 60;
const rules = (more: string, action = 'notify: {receiver: noc, text: over}') => `
receivers: [{name: noc, webhook_configs: [{url: "https://example.com/"}]}]
rules:
  - name: after-show
    mode: enforce
    trigger: {event: {source: [aws.ivs], detail-type: [IVS Stream State Change], detail: {event_name: [Stream End]}}}
    guards: {cooldown: 0s, max_event_age: 15m}
    actions: [{${action}}]
    ${more}
`;

const history = (seconds: number, endSeconds: number): HistoryObservation => ({
  kind: 'history',
  channelArn: arnOf('A'),
  atMs: startMs + seconds * 1000,
  sessions: [
    { streamId: streamIdFor('one'), startTimeMs: startMs - 60_000, endTimeMs: startMs + endSeconds * 1000, events: [] },
  ],
});
const live = (seconds: number) => poll('all', { at: seconds * 1000, took: 0, streams: [snapshot('A', 'one')] });
const nobody = (seconds: number) => poll('all', { at: seconds * 1000, took: 0 });

/** The process is down from the 1st minute to the 20th; two sweeps later the stream is known to be gone. */
async function downWhileItEnds(watch: Watch) {
  await watch.see(live(0));
  await watch.goTo(minute);
  await watch.see(live(minute));
  watch.downUntil(20 * minute);
  await watch.see(nobody(20 * minute));
  await watch.goTo(20 * minute + 15);
  await watch.see(nobody(20 * minute + 15));
}

test('a downtime is looked up from its last data to the first data after it', async () => {
  const watch = new Watch(rules(''));
  await downWhileItEnds(watch);
  expect(watch.state.view.get(notes.lookBack)).toMatchObject({ fromMs: startMs + minute * 1000, phase: 'suspects' });
});

test('an end learnt within max_event_age is acted on, once, whatever comes later', async () => {
  const watch = new Watch(rules(''));
  await downWhileItEnds(watch);
  expect(watch.log).toEqual([]);

  await watch.see(history(20 * minute + 20, 10 * minute));
  await watch.goTo(21 * minute);
  expect(watch.log).toEqual([expect.stringMatching(/notify A$/)]);
  await watch.see(history(21 * minute, 10 * minute));
  await watch.see(
    event('Stream End', { channel: 'A', stream: 'one', at: 10 * minute * 1000, arrived: 22 * minute * 1000 }),
  );
  await watch.goTo(23 * minute);
  expect(watch.log).toHaveLength(1);
});

test('an older end is recorded, and not acted on', async () => {
  const watch = new Watch(rules(''));
  await downWhileItEnds(watch);
  await watch.see(history(20 * minute + 20, 4 * minute));
  await watch.goTo(21 * minute);

  expect(watch.log).toEqual([]);
  expect(watch.lastReason('A')).toBe('event_too_old');
  expect(watch.record('A')).toMatchObject({
    state: 'ended',
    endedAtMs: startMs + 4 * minute * 1000,
    learntAtMs: expect.any(Number),
  });
});

test('an end that an event has already reported is not a second one', async () => {
  const watch = new Watch(rules(''));
  await downWhileItEnds(watch);
  await watch.see(
    event('Stream End', { channel: 'A', stream: 'one', at: 10 * minute * 1000, arrived: 20 * minute * 1000 }),
  );
  await watch.goTo(20 * minute + 30);
  expect(watch.log).toHaveLength(1);
  await watch.see(history(20 * minute + 31, 10 * minute));
  await watch.goTo(21 * minute);
  expect(watch.log).toHaveLength(1);
});

test('`for` does not count unseen time', async () => {
  const watch = new Watch(rules('while: {live: [false]}\n    for: 2m'));
  await downWhileItEnds(watch);
  await watch.see(history(20 * minute + 20, 10 * minute));
  const look = async (from: number, to: number) => {
    for (let at = from; at <= to; at += 15) {
      await watch.goTo(at);
      await watch.see(nobody(at));
    }
  };
  await look(20 * minute + 30, 21 * minute + 45);
  expect(watch.log).toEqual([]);
  await look(22 * minute, 22 * minute + 30);
  expect(watch.log).toEqual([expect.stringMatching(/notify A$/)]);
});

test('a session that began and ended unseen is kept when it is learnt, even if another one is live', async () => {
  const watch = new Watch(rules(''));
  await watch.see(nobody(0));
  watch.downUntil(20 * minute);
  const now = { streams: [snapshot('A', 'two', { started: 19 * minute * 1000 })], took: 0 };
  await watch.see(poll('all', { at: 20 * minute * 1000, ...now }));
  await watch.see({
    ...history(20 * minute + 1, 12 * minute),
    sessions: [
      {
        streamId: streamIdFor('one'),
        startTimeMs: startMs + 5 * minute * 1000,
        endTimeMs: startMs + 12 * minute * 1000,
        events: [
          { name: 'Starvation Start', type: 'IVS Stream Health Change', timeMs: startMs + 7 * minute * 1000 },
          { name: 'Something New', type: 'No Type We Know', timeMs: startMs + 8 * minute * 1000 },
        ],
      },
    ],
  });
  expect(watch.record('A')).toMatchObject({ streamId: streamIdFor('two'), state: 'live' });
  const [past] = watch.state.view.get(kinds.past.of(arnOf('A')))!;
  expect(past).toMatchObject({ streamId: streamIdFor('one'), state: 'ended', endedAtMs: startMs + 12 * minute * 1000 });
  expect(past!.timeline.flatMap(({ name, source }) => (source === 'history' ? name : []))).toEqual([
    'Stream Start',
    'Starvation Start',
    'Stream End',
  ]);
});
