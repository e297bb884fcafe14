// One of two daemons dies in the middle of a fan-out, and Redis with it: what was accepted arrives all the same.
import { expect, test } from 'vitest';
import { startSimulator } from '#simulator/server.ts';
import { type CueItem, unpackCue } from '#src/player/cues.ts';
import { daemonProcess } from '../support/daemon-process.ts';
import { ownRedis } from '../support/redis.ts';

const channelCount = 2000;
/** Waits for a moment; gives up before the test does, so that the processes are ended. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 120_000; !(await isSo()); ) {
    if (performance.now() > deadline) throw new Error(`not so within two minutes: ${isSo.toString()}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

const config = `version: 1
polling: {full_interval: 30s, inventory_interval: 10m}
shutdown_window: 10s
`;

test('kill -9 of one of two daemons and of Redis during a fan-out to 2,000 channels: every item arrives, in order, repeats only with equal ids', async () => {
  await using redis = await ownRedis();
  await using simulator = await startSimulator({ quotas: { concurrentStreams: channelCount } });
  const channels = (await simulator.control.createChannels(channelCount)).map(({ arn }) => arn);
  await simulator.control.goLive(channels);
  // A network with some way to it, that now and then loses an answer.
  await simulator.control.addFault({ operation: 'PutMetadata', latencyMs: [0, 15], answerLatencyMs: [0, 15] });
  await simulator.control.addFault({ operation: 'PutMetadata', reset: 'after-effect', probability: 0.02 });
  const env = { REDIS_URL: redis.url, AWS_ENDPOINT_URL: simulator.url, AUTOPILOT_NAMESPACE: 'crash' };
  const [first, second] = await Promise.all([daemonProcess({ config, env }), daemonProcess({ config, env })]);
  await using survivor = second;
  await using _victim = first;
  const send = async (payload: string) => {
    const { status, body } = await first.ask('POST', '/v1/metadata/batches', {
      targets: { channelArns: channels },
      items: [{ payload }],
    });
    expect(status, JSON.stringify(body)).toBe(202);
    return body.batchId as string;
  };
  const arrived = (atLeast: number) => until(async () => (await simulator.control.cues()).length >= atLeast);

  const batches = [await send('1')];
  await arrived(200);
  batches.push(await send('2'));
  await arrived(600);
  await first.kill();
  await arrived(800);
  await redis.restart();
  for (const batchId of batches) {
    const progress = async () => (await survivor.ask('GET', `/v1/metadata/batches/${batchId}`)).body;
    await until(async () => (await progress()).state === 'finished');
    expect((await progress()).counts).toMatchObject({ delivered: channelCount, pending: 0 });
  }

  const cues = await simulator.control.cues();
  const byChannel = Map.groupBy(cues, ({ channelArn }) => channelArn);
  const idOf = new Map<unknown, string | undefined>();
  let repeats = 0;
  for (const channel of channels) {
    const items: CueItem[] = (byChannel.get(channel) ?? []).flatMap(({ metadata }) => unpackCue(metadata));
    for (const { id, data } of items) {
      expect(idOf.get(data) ?? id).toBe(id);
      idOf.set(data, id);
    }
    const firsts = new Map(items.map(({ id, data }) => [id, data]));
    repeats += items.length - firsts.size;
    expect([...firsts.values()]).toEqual(['1', '2']);
  }
  const [calls] = await simulator.control.summary({ operation: 'PutMetadata' });
  console.log(
    `${channelCount} channels × 2 items: ${cues.length} calls accepted, ${repeats} items repeated with equal ids, ` +
      `all arrived in order; outcomes ${JSON.stringify(calls)}`,
  );
  // What one daemon had under way when it died, and what was recorded nowhere while Redis was away.
  expect(repeats).toBeLessThan(600);
}, 400_000);
