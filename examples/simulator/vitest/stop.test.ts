// A function that stops starving streams, tested with Vitest against the simulator. In Jest, node:test or Mocha use `useSimulator` with the
// hooks of the runner: useSimulator({ beforeAll, afterAll }).
import { IvsClient, ListStreamsCommand, StopStreamCommand } from '@aws-sdk/client-ivs';
import { type SimulatorHandle, simulatorFixture } from 'ivs-autopilot/simulator';
import { test as base, expect } from 'vitest';

/** Stops every stream whose health is STARVING, and returns the ARNs of their channels. */
async function stopStarving(ivs: IvsClient): Promise<string[]> {
  const { streams = [] } = await ivs.send(new ListStreamsCommand({ filterBy: { health: 'STARVING' } }));
  const arns = streams.flatMap(({ channelArn }) => channelArn ?? []);
  for (const channelArn of arns) await ivs.send(new StopStreamCommand({ channelArn }));
  return arns;
}

const test = base.extend<{ simulator: SimulatorHandle }>({ simulator: simulatorFixture() });

const clientOf = ({ url }: SimulatorHandle) =>
  new IvsClient({
    endpoint: url,
    region: 'us-west-2',
    // It accepts any credentials; these are nobody's.
    credentials: { accessKeyId: 'simulator', secretAccessKey: 'simulator' },
  });

test('stops the stream that starves', async ({ simulator }) => {
  const { control } = simulator;
  const channels = await control.createChannels(3, { tags: { tier: 'gold' } });
  const arns = channels.map(({ arn }) => arn);
  await control.goLive(arns);
  const [, starving = ''] = arns;
  await control.starve(starving);

  expect(await stopStarving(clientOf(simulator))).toEqual([starving]);

  const stops = await control.calls({ operation: 'StopStream' });
  expect(stops.map(({ channelArn, outcome }) => [channelArn, outcome])).toEqual([[starving, 'ok']]);
});

test('reports a refusal', async ({ simulator }) => {
  const { control } = simulator;
  const [channel] = await control.createChannels(1);
  await control.goLive(channel!.arn);
  await control.starve(channel!.arn);
  await control.addFault({ operation: 'StopStream', error: 'AccessDeniedException', times: 1 });

  await expect(stopStarving(clientOf(simulator))).rejects.toMatchObject({ name: 'AccessDeniedException' });
});
