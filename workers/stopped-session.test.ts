import { expect, test } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { endText } from '#domain/stream-end.ts';
import { arnOf, event, Noticing, streamIdFor } from '#test/support/streams.ts';
import { noteStopped } from './stopped-session.ts';

const channelArn = arnOf('A');

test('keeps who stopped a session, whatever is reported about its end later, and does not pass it on to the next session', async () => {
  const noticing = new Noticing();
  const stop = (stream: string, by: string) =>
    noticing.state.transact((tx) => noteStopped(tx, channelArn, { streamId: streamIdFor(stream), by }));
  await noticing.see(event('Stream Start', { channel: 'A', stream: 'one', at: 0 }));
  await stop('one', 'rule slate');
  await stop('other', 'rule stranger');
  await noticing.see(event('Stream End', { channel: 'A', stream: 'one', at: 60_000 }));
  expect(noticing.record('A')).toMatchObject({ state: 'ended', stoppedBy: 'rule slate' });

  await noticing.see(event('Stream Start', { channel: 'A', stream: 'two', at: 61_000 }));
  expect(noticing.record('A')?.stoppedBy).toBeUndefined();
  // The job's result may be recorded after the encoder has come back.
  await stop('one', 'token mara');
  const past = noticing.state.view.get(kinds.past.of(channelArn)) ?? [];
  expect(past.map(({ stoppedBy }) => stoppedBy)).toEqual(['token mara']);
});

test('the reason of an end names who stopped the session, and what IVS reported', () => {
  expect(endText({ stoppedBy: 'token mara', endReason: 'Stream End' })).toBe('stopped by mara; Stream End');
  expect(endText({ endReason: 'Stream End' })).toBe('Stream End');
  expect(endText({})).toBe('');
});
