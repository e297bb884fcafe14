// One of two daemons dies in the middle of a fan-out, and Redis with it: everything accepted still arrives.
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startSimulator } from '#simulator/server.ts';
import { type CueItem, unpackCue } from '#src/player/cues.ts';
import { type DaemonProcess, daemonProcess } from '../support/daemon-process.ts';
import { ownRedis } from '../support/redis.ts';
import { isThorough } from '../support/thorough.ts';

const channelCount = isThorough ? 2_000 : 300;
/** This many of them also get items in every lane, values that replace each other, and calls that are full. */
const busyCount = 40;
/** Two fit into a call, four do not. */
const large = (name: string) => name.padEnd(400, '.');
/** Waits for a moment; gives up before the test does, so that the processes are ended. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 300_000; !(await isSo()); ) {
    if (performance.now() > deadline) throw new Error(`not so within five minutes: ${isSo.toString()}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

const config = `version: 1
polling: {full_interval: 30s, inventory_interval: 10m}
shutdown_window: 10s
limits: {request_timeout: 2s}
`;

interface Sending {
  readonly lane?: 'urgent' | 'normal' | 'bulk';
  readonly key?: string;
  readonly requestKey?: string;
}

test('kill -9 of one of two daemons and of Redis during a fan-out to hundreds of channels (in the soak thousands): every item arrives, in order, repeats only with equal ids', async () => {
  await using redis = await ownRedis();
  await using simulator = await startSimulator({ quotas: { concurrentStreams: channelCount } });
  const channels = (await simulator.control.createChannels(channelCount)).map(({ arn }) => arn);
  await simulator.control.goLive(channels);
  // A network with some latency that now and then loses an answer.
  await simulator.control.addFault({ operation: 'PutMetadata', latencyMs: [0, 15], answerLatencyMs: [0, 15] });
  await simulator.control.addFault({ operation: 'PutMetadata', reset: 'after-effect', probability: 0.02 });
  const env = { REDIS_URL: redis.url, AWS_ENDPOINT_URL: simulator.url, AUTOPILOT_NAMESPACE: 'crash' };
  const [first, second] = await Promise.all([daemonProcess({ config, env }), daemonProcess({ config, env })]);
  await using survivor = second;
  await using _victim = first;
  const busy = channels.slice(0, busyCount);
  const post = (daemon: DaemonProcess, to: readonly string[], payloads: readonly string[], more: Sending = {}) => {
    const { lane = 'normal', key, requestKey = randomUUID() } = more;
    const items = payloads.map((payload) => ({ payload, ...(key === undefined ? {} : { key }) }));
    const body = { targets: { channelArns: to }, items, lane };
    return daemon.ask('POST', '/v1/metadata/batches', body, { 'idempotency-key': requestKey });
  };
  const send = async (...[to, payloads, more]: [readonly string[], readonly string[], Sending?]) => {
    const { status, body } = await post(first, to, payloads, more);
    expect(status, JSON.stringify(body)).toBe(202);
    return body.batchId as string;
  };
  /** Like a client that gets no answer: again, with the same key. `refused` is called for every refusal. */
  const insist = async (to: readonly string[], payload: string, refused: () => void) => {
    const refusals: number[] = [];
    for (const requestKey = randomUUID(); ; ) {
      const { status, body } = await post(survivor, to, [payload], { requestKey });
      if (status === 202) return { batchId: body.batchId as string, refusals };
      refusals.push(status);
      refused();
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  const arrived = (atLeast: number) => until(async () => (await simulator.control.cues()).length >= atLeast);

  const toAll = [await send(channels, ['1'])];
  await arrived(200);
  const urgent = ['u1', 'u2', 'u3', 'u4'].map(large);
  const toBusy = [
    await send(busy, ['b1', 'b2'], { lane: 'bulk' }),
    await send(busy, ['score 1'], { key: 'score' }),
    await send(busy, urgent, { lane: 'urgent' }),
  ];
  toAll.push(await send(channels, ['2']));
  await arrived(isThorough ? 600 : 350);
  toBusy.push(await send(busy, ['score 2'], { key: 'score' }), await send(busy, ['b3'], { lane: 'bulk' }));
  await first.kill();
  await arrived(isThorough ? 800 : 450);
  await redis.server.kill();
  const refused = Promise.withResolvers<void>();
  const insisted = insist(busy, '3', refused.resolve);
  await refused.promise;
  await redis.restart();
  const late = await insisted;
  for (const batchId of [...toAll, ...toBusy, late.batchId]) {
    const progress = async () => (await survivor.ask('GET', `/v1/metadata/batches/${batchId}`)).body;
    await until(async () => (await progress()).state === 'finished');
    const { total, counts } = await progress();
    expect(counts).toMatchObject({ delivered: total - counts.conflated, pending: 0 });
    expect(counts.conflated).toBeLessThanOrEqual(batchId === toBusy[1] ? busyCount : 0);
  }
  expect(late.refusals.filter((status) => status !== 503)).toEqual([]);

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
    const arrivedOf = (lane: readonly string[]) => [...firsts.values()].filter((data) => lane.includes(data as string));
    const isBusy = busy.includes(channel);
    expect(arrivedOf(['1', '2', '3'])).toEqual(isBusy ? ['1', '2', '3'] : ['1', '2']);
    if (!isBusy) continue;
    expect(arrivedOf(urgent)).toEqual(urgent);
    expect(arrivedOf(['b1', 'b2', 'b3'])).toEqual(['b1', 'b2', 'b3']);
    expect(arrivedOf(['score 1', 'score 2']).at(-1)).toBe('score 2');
  }
  const [calls] = await simulator.control.summary({ operation: 'PutMetadata' });
  console.log(
    `${channelCount} channels × 2 items, ${busyCount} with 9 more: ${cues.length} calls accepted, ${repeats} items repeated with equal ids, ` +
      `all arrived in order; outcomes ${JSON.stringify(calls)}`,
  );
  // What one daemon was sending when it died, and what could not be recorded while Redis was away.
  expect(repeats).toBeLessThan(600);
});
