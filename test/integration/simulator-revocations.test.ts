// Revoking viewers' sessions, through the real SDK.

import { afterAll, expect, it } from 'vitest';
import { startSimulator } from '#simulator/server.ts';
import { failureOf, ivsFor, sender } from '#test/support/simulator-sdk.ts';

const simulator = await startSimulator({ seed: 'revocations', enforcement: 'off', clockRate: 0 });
const { control } = simulator;
const ivs = ivsFor(simulator.url);
const send = sender(ivs);

afterAll(async () => {
  ivs.destroy();
  await simulator.close();
});

const NO_CHANNEL = 'arn:aws:ivs:us-west-2:111122223333:channel/nosuchthing1';
const viewersOf = async (channelArn: string) => (await send('GetStream')({ channelArn }))['stream'].viewerCount;
const privateShow = async (viewers: number) => {
  const { arn } = await control.createChannel({ authorized: true });
  await control.goLive(arn, { viewers });
  return arn;
};

it('a revoked viewer is gone, once, until the audience is set again', async () => {
  const channelArn = await privateShow(10);
  const revoke = (viewerId: string, version?: number) =>
    send('StartViewerSessionRevocation')({ channelArn, viewerId, viewerSessionVersionsLessThanOrEqualTo: version });
  expect(await revoke('alice')).toEqual({});
  expect(await viewersOf(channelArn)).toBe(9);
  await revoke('alice', 3);
  expect(await viewersOf(channelArn)).toBe(9);
  await revoke('b'.repeat(40));
  expect(await viewersOf(channelArn)).toBe(8);
  expect((await control.channels(channelArn))[0]!.viewerCount).toBe(8);
  expect((await send('ListStreams')({}))['streams'][0].viewerCount).toBe(8);
  expect(await control.revocations({ channelArn })).toMatchObject([
    { channelArn, viewerId: 'alice', version: 0 },
    { channelArn, viewerId: 'alice', version: 3 },
    { channelArn, viewerId: 'b'.repeat(40), version: 0 },
  ]);
  await control.setViewers(channelArn, 5);
  expect(await viewersOf(channelArn)).toBe(5);
  await control.setViewers(channelArn, -1);
  await revoke('carol');
  expect(await viewersOf(channelArn)).toBe(-1);
  await control.setViewers(channelArn, 0);
  await revoke('dave');
  expect(await viewersOf(channelArn)).toBe(0);
  await control.end(channelArn);
});

it('a public channel and one that is offline lose nobody, and the call still succeeds', async () => {
  const { arn: channelArn } = await control.createChannel();
  expect(await send('StartViewerSessionRevocation')({ channelArn, viewerId: 'alice' })).toEqual({});
  await control.goLive(channelArn, { viewers: 4 });
  expect(await send('StartViewerSessionRevocation')({ channelArn, viewerId: 'alice' })).toEqual({});
  expect(await viewersOf(channelArn)).toBe(4);
  await control.end(channelArn);
});

it('a batch has an error for each item that failed, and does the others', async () => {
  const channelArn = await privateShow(30);
  const wanted = Array.from({ length: 19 }, (_, n) => ({ channelArn, viewerId: `viewer-${n}` }));
  const { errors } = await send('BatchStartViewerSessionRevocation')({
    viewerSessions: [...wanted, { channelArn: NO_CHANNEL, viewerId: 'stranger' }],
  });
  expect(errors).toEqual([
    {
      channelArn: NO_CHANNEL,
      viewerId: 'stranger',
      code: 'ResourceNotFoundException',
      message: expect.stringContaining(NO_CHANNEL),
    },
  ]);
  expect(await viewersOf(channelArn)).toBe(11);
  expect(await send('BatchStartViewerSessionRevocation')({ viewerSessions: wanted })).toEqual({ errors: [] });
  expect(await viewersOf(channelArn)).toBe(11);
  await control.end(channelArn);
});

it('ten calls and two batches pass in a second', async () => {
  const channelArn = await privateShow(1);
  const one = { channelArn, viewerId: 'alice' };
  await control.configure({ enforcement: 'sliding-window' });
  for (let n = 0; n < 10; n++) await send('StartViewerSessionRevocation')(one);
  expect(await failureOf(send('StartViewerSessionRevocation')(one))).toBe('429 ThrottlingException');
  for (let n = 0; n < 2; n++) await send('BatchStartViewerSessionRevocation')({ viewerSessions: [one] });
  expect(await failureOf(send('BatchStartViewerSessionRevocation')({ viewerSessions: [one] }))).toBe(
    '429 ThrottlingException',
  );
  await control.configure({ enforcement: 'off' });
});
