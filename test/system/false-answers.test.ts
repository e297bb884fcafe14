// False answers: what is missing in one is a failed call, never an empty list, and ends no stream.
import { expect, test } from 'vitest';
import { broadcast, type Daemon } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';

const rules = `
rules:
  - name: gone
    mode: enforce
    trigger: {state: {live: [false]}}
    actions: [{put_metadata: {targets: {live: true}, payload: {gone: true}}}]
    guards: {cooldown: 0s, max_live_percent: 100, on_data_gap: ignore}
`;

const liveOnes = async (daemon: Daemon) =>
  (await daemon.ask('GET', '/v1/streams')).body.streams.filter(({ state }: { state: string }) => state === 'live')
    .length as number;
const decisions = async (daemon: Daemon) =>
  (await daemon.ask('GET', '/v1/decisions?rule=gone')).body.decisions as unknown[];
const foreignStream = (arn: string) => ({
  channelArn: arn.replace(/:\d{12}:/, ':999988887777:'),
  streamId: 'st-foreign',
  state: 'LIVE',
  health: 'HEALTHY',
  viewerCount: 1,
  startTime: '2026-11-20T10:00:00Z',
});

test('false lists of streams and channels end no stream, fire no rule and empty no inventory; the log names the place', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const channels = await control.createChannels(3);
  const arns = channels.map(({ arn }) => arn);
  await control.goLive(arns);
  await using daemon = await platform.daemon({ rules });
  await eventually(async () => (await liveOnes(daemon)) === 3);
  const lies = [
    { json: {} },
    {},
    { json: { streams: null } },
    { json: { streams: [foreignStream(arns[0]!)], channels: [] } },
    { pages: 'same-token' },
  ] as const;
  const failedBefore = daemon.log.length;
  // A session that is not live yet is one that is not live.
  const decidedBefore = await decisions(daemon);
  for (const answer of lies) {
    await control.clearFaults();
    await control.addFault({ operation: 'ListStreams', answer, times: 30 });
    await control.addFault({ operation: 'ListChannels', answer, times: 30 });
    const calls = (await control.calls({ operation: 'ListStreams' })).length;
    await eventually(async () => (await control.calls({ operation: 'ListStreams' })).length >= calls + 3);
    expect(await liveOnes(daemon), JSON.stringify(answer)).toBe(3);
  }
  await control.clearFaults();

  await eventually(async () => (await daemon.ask('GET', '/readyz')).status === 200);
  const told = daemon.log.slice(failedBefore).filter((line) => line.includes('"code":"POLL_FAILED"'));
  expect(told.length).toBeGreaterThan(0);
  expect(told.join()).toContain('streams: Invalid input');
  expect(await decisions(daemon)).toEqual(decidedBefore);
  const { body } = await daemon.ask('GET', '/v1/streams');
  expect(body.streams.map(({ channelArn }: { channelArn: string }) => channelArn).sort()).toEqual(arns.toSorted());
  // A stream that really ends ends here too.
  await control.end(arns[0]!);
  await eventually(async () => (await liveOnes(daemon)) === 2);
});
