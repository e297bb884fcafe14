// Metadata that a rule sends does not wait for its job's way through the queue.
import { expect, test } from 'vitest';
import { broadcast } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';

const rules = `
rules:
  - name: goal
    mode: enforce
    trigger: {http: {name: goal}}
    actions: [{put_metadata: {payload: {goal: true}}}]
    guards: {cooldown: 0s}
`;

test('a cue is accepted before its job is in the queue, and sent once; while somebody has paused the queue, it waits', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const [channel] = await control.createChannels(1);
  const channelArn = channel!.arn;
  await control.goLive(channelArn);
  const daemon = await platform.daemon({ rules });
  const { scope } = platform;
  const queueKey = `${scope.prefix}:metadata-fanout`;
  const trigger = async () => {
    expect((await daemon.ask('POST', '/v1/triggers/goal', { channelArn, body: {} })).status).toBe(202);
  };
  const jobIds = async () => {
    const { decisions } = (await daemon.ask('GET', '/v1/decisions?rule=goal')).body;
    return decisions.flatMap(({ jobs }: { jobs: { jobId: string }[] }) => jobs.map(({ jobId }) => jobId)) as string[];
  };
  const stateOf = async (jobId: string) => (await daemon.ask('GET', `/v1/jobs/${jobId}`)).body.state;
  const cues = async () => (await control.cues()).length;

  const [shard] = daemon.app.shards;
  const add = shard!.queues.add.bind(shard!.queues);
  /** For each job that comes into its queue, whether its metadata had been accepted before. */
  const added: [jobId: string, isAccepted: boolean][] = [];
  shard!.queues.add = async (jobs) => {
    for (const { jobId, name } of jobs)
      if (name === 'put_metadata') added.push([jobId, (await shard!.outbox.acceptedUnder([jobId]))[0] !== undefined]);
    return add(jobs);
  };

  // The relay may look by itself at the very moment of a commit, and hand the job over first: another one will do.
  let triggered = 0;
  do {
    await trigger();
    triggered += 1;
    await eventually(() => added.length >= triggered);
  } while (!added.some(([, isAccepted]) => isAccepted));
  await eventually(async () => (await jobIds()).length === triggered);
  for (const jobId of await jobIds()) await eventually(async () => (await stateOf(jobId)) === 'completed');
  await eventually(async () => (await cues()) === triggered);

  const earlier = new Set(await jobIds());
  await scope.redis.hset(`${queueKey}:meta`, 'paused', 1);
  await trigger();
  const [second] = await eventually(async () => {
    const more = (await jobIds()).filter((jobId) => !earlier.has(jobId));
    return more.length === 1 ? more : undefined;
  });
  await eventually(() => added.some(([jobId]) => jobId === second));
  expect(added.filter(([jobId, isAccepted]) => jobId === second && isAccepted)).toEqual([]);
  expect(await cues()).toBe(triggered);
  await shard!.queues.get('metadata-fanout').resume();
  await eventually(async () => (await cues()) === triggered + 1);
});
