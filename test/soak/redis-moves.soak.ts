// A cluster under load for minutes: slots move, primaries fail over and die, and two daemons deliver metadata meanwhile.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { keyPrefix } from '#runtime/redis.ts';
import { broadcast, quickSettings, testCredentials } from '#test/support/broadcast.ts';
import { daemonProcess } from '#test/support/daemon-process.ts';
import { eventually } from '#test/support/quiet.ts';
import { redisCluster } from '#test/support/redis-cluster.ts';

const namespace = 'moves';
const prefix = keyPrefix(namespace, 'main');
const rounds = 6;

it('delivers what was accepted, nothing of it twice, within the quotas, while slots move and a primary fails over; and loses nothing when it dies', async () => {
  await using platform = await broadcast();
  await using cluster = await redisCluster();
  const { control } = platform.simulator;
  const arns = (await control.createChannels(15)).map(({ arn }) => arn);
  await control.goLive(arns);
  const start = () =>
    daemonProcess({
      config: `${quickSettings}redis: {wait_replicas: 1}\nlimits: {request_timeout: 1s}\nrules: []\n`,
      env: {
        REDIS_URL: cluster.url,
        AUTOPILOT_NAMESPACE: namespace,
        AUTOPILOT_QUEUE_URL: platform.queueUrl,
        AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
        AWS_ENDPOINT_URL_IVS: platform.simulator.url,
        AWS_ENDPOINT_URL_SQS: platform.sqs.endpoint,
      },
    });
  await using first = await start();
  await using second = await start();
  const daemons = [first, second];
  for (const each of daemons) await eventually(async () => (await each.ask('GET', '/readyz')).status === 200);

  const accepted: string[] = [];
  let refusals = 0;
  const over = new AbortController();
  const load = (async () => {
    for (let number = 0; !over.signal.aborted; number += 1) {
      const note = `note-${number}`;
      const batch = { targets: { channelArns: arns }, items: [{ payload: { note }, expiresInMs: 600_000 }] };
      const answer = await daemons[number % 2]!.ask('POST', '/v1/metadata/batches', batch, {
        'idempotency-key': note,
      }).catch(() => undefined);
      if (answer?.status === 202) accepted.push(note);
      else refusals += 1;
      await delay(500);
    }
  })();
  const delivered = async () => {
    const times = new Map<string, number>();
    for (const { channelArn, metadata } of await control.cues())
      for (const { d } of JSON.parse(metadata).items as { d: { note: string } }[]) {
        const key = `${d.note} ${channelArn}`;
        times.set(key, (times.get(key) ?? 0) + 1);
      }
    return times;
  };
  /** Whether everything accepted so far was delivered. */
  const allDelivered = () => {
    const wanted = [...accepted];
    return eventually(async () => {
      await delay(250);
      const times = await delivered();
      return wanted.every((note) => arns.every((arn) => times.has(`${note} ${arn}`)));
    });
  };
  /** Something new has been accepted and delivered since. */
  const goesOn = async () => {
    const before = accepted.length;
    await eventually(() => accepted.length > before + 2);
    await allDelivered();
  };

  await goesOn();
  for (let round = 0; round < rounds; round += 1) {
    await cluster.moveSlot(prefix);
    await goesOn();
    const owner = await cluster.ownerOf(prefix);
    const replica = await cluster.replicaOf(owner);
    await replica.redis.cluster('FAILOVER');
    await eventually(async () => (await cluster.ownerOf(prefix)) === replica);
    await goesOn();
  }
  // Without a crash each item goes once.
  const twice = [...(await delivered())].filter(([, times]) => times > 1);
  expect(twice).toEqual([]);

  // Until a replica follows the new primary, nothing is accepted that another death could lose.
  const last = await cluster.ownerOf(prefix);
  await last.kill();
  await eventually(async () => (await cluster.ownerOf(prefix)) !== last);
  last.restart();
  await goesOn();
  over.abort();
  await load;
  await allDelivered();
  console.log({ accepted: accepted.length, refusals });
  const calls = await control.calls();
  expect(calls.filter(({ status }) => status === 429)).toEqual([]);
  for (const each of daemons) expect((await each.ask('GET', '/v1/pause')).body.paused).toBe(false);
});
