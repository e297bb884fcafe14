import { describe, expect, test } from 'vitest';
import { jobIdOf } from '#jobs/job-id.ts';
import { broadcast } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';

const rules = `
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    for: 1s
    actions: [{put_metadata: {payload: {slate: "{{ channel.name }}"}}}]
    guards: {max_live_percent: 100, max_per_hour: 1000}
`;

describe('several daemons on one Redis', () => {
  test('poll once per interval, and act once for each cause', async () => {
    await using platform = await broadcast();
    const { control } = platform.simulator;
    const channels = await control.createChannels(12, { namePrefix: 'studio-' });
    const arns = channels.map(({ arn }) => arn);
    await control.goLive(arns);
    await using first = await platform.daemon({ rules });
    await using second = await platform.daemon({ rules });
    await control.clearCalls();
    const startedAtMs = await control.now();

    await control.starve(arns);
    await eventually(async () => (await control.cues()).length >= 12);
    // Long enough for a second action of the other replica to show.
    const polled = async () => (await control.calls({ operation: 'ListStreams' })).length;
    const before = await polled();
    await eventually(async () => (await polled()) >= before + 6);

    const seconds = ((await control.now()) - startedAtMs) / 1000;
    const calls = await control.calls();
    const polls = calls.filter(({ operation }) => operation === 'ListStreams').length;
    const slates: string[] = (await control.cues()).flatMap(({ metadata }) =>
      JSON.parse(metadata).items.map((item: any) => item.d.slate),
    );
    expect(slates.toSorted()).toEqual(channels.map(({ name }) => name).toSorted());
    // Every 500 ms for starving streams and every second for all: three calls a second, however many daemons there are.
    expect(polls).toBeLessThanOrEqual(Math.ceil(seconds * 3) + 3);
    expect(calls.filter(({ status }) => status === 429)).toEqual([]);
    expect([first.url, second.url].every((url) => url.startsWith('http://127.0.0.1:'))).toBe(true);
  });

  test('what a replica without workers accepts is sent by another, which is woken by a job that contains only the batch’s id', async () => {
    await using platform = await broadcast();
    const { control } = platform.simulator;
    const arns = (await control.createChannels(3)).map(({ arn }) => arn);
    await control.goLive(arns);
    await using _worker = await platform.daemon({ rules, role: 'worker', cold: true });
    await using _intake = await platform.daemon({ rules, role: 'intake', cold: true });
    await using api = await platform.daemon({ rules, role: 'api' });

    const { body } = await api.ask('POST', '/v1/metadata/batches', {
      targets: { channelArns: arns },
      items: [{ payload: { type: 'poll' } }],
    });
    const progress = await eventually(async () => {
      const answer = await api.ask('GET', `/v1/metadata/batches/${body.batchId}`);
      return answer.body.state === 'finished' && answer.body;
    });
    const { redis, prefix } = platform.scope;
    const job = await eventually(async () => {
      const fields = await redis.hgetall(`${prefix}:metadata-fanout:${jobIdOf('metadata', body.batchId)}`);
      return fields['finishedOn'] === undefined ? undefined : fields;
    });

    expect(progress.counts).toMatchObject({ delivered: 3, pending: 0 });
    // Only ids, handled by the only replica that has workers, which then looked for what waits.
    expect(JSON.parse(job['data']!)).toEqual({ batchId: body.batchId });
    expect(JSON.parse(job['returnvalue']!)).toEqual({ outcome: 'done' });
  });
});
