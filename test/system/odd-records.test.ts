// Malformed entries in Redis: they stop nothing, mislead nobody, and are reported.
import { expect, test } from 'vitest';
import { broadcast } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';

const rules = `
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{put_metadata: {payload: {slate: true}}}]
    guards: {cooldown: 0s, max_live_percent: 100}
`;

test('a daemon starts despite malformed entries: it reads streams again, and obeys a pause and a hold that it cannot read', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const [a, b] = await control.createChannels(2);
  await control.goLive([a!.arn, b!.arn]);
  const { scope } = platform;
  await using first = await platform.daemon({ rules });
  const redis = scope.connect();
  const [key] = (await redis.keys(`*${scope.namespace}*:state`)).filter((name) => name.endsWith(':state'));
  await first[Symbol.asyncDispose]();
  await redis.hset(key!, {
    [`stream/${a!.arn}`]: '{"state":',
    [`stream/${b!.arn}`]: '"live"',
    'fact/slate|x': '[]',
    'timer/for|slate|x': '{"kind":"for"}',
    'job/odd-1': '{"jobId":"odd-1","name":"of_a_later_version","payload":{}}',
    'pause/global': 'null',
    [`hold/${b!.arn}`]: '"held"',
    'of_a_later_version/x': '{"v":9}',
  });

  await using daemon = await platform.daemon({ rules });
  await control.starve(a!.arn);
  await control.starve(b!.arn);
  await eventually(async () =>
    (await daemon.ask('GET', '/v1/streams')).body.streams.every(
      ({ health }: { health: string }) => health === 'STARVING',
    ),
  );
  const reasons = async () =>
    (await daemon.ask('GET', '/v1/decisions?rule=slate')).body.decisions.map(
      ({ reason }: { reason: string }) => reason,
    );
  await eventually(async () => (await reasons()).includes('paused'));
  expect(await control.cues()).toEqual([]);
  await daemon.ask('POST', '/v1/resume', { reason: 'looked at' });
  await eventually(async () => (await control.cues()).length === 1);

  expect((await control.cues()).map(({ channelArn }) => channelArn)).toEqual([a!.arn]);
  const odd = daemon.log.filter((line) => line.includes('"code":"STORED_RECORD_ODD"'));
  for (const name of ['stream/', 'fact/slate|x', 'timer/for|slate|x', 'job/odd-1', 'pause/global', 'hold/'])
    expect(
      odd.some((line) => line.includes(name)),
      name,
    ).toBe(true);
  expect(daemon.log.some((line) => line.includes('of_a_later_version/x'))).toBe(false);
});
