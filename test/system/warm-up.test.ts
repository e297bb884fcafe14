// Two replicas on one queue, one of them a process that starts while events come: a warm-up only delays.
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { broadcast, quickSettings } from '#test/support/broadcast.ts';
import { daemonProcess } from '#test/support/daemon-process.ts';
import { eventually } from '#test/support/quiet.ts';

const rules = `
rules:
  - name: breach
    mode: enforce
    trigger: {event: {detail-type: [IVS Limit Breach]}}
    actions: [{emit_event: {source: capacity, detail_type: Breach, detail: {id: "{{ event.id }}"}}}]
    guards: {group_by: [detail.limit_name], cooldown: 0s, max_per_hour: 10000}
`;

const slowPolls = 'polling: {starving_interval: 500ms, full_interval: 3s, silent_after: 30s}';

test('every event that comes while a replica restarts gets its own verdict', async () => {
  await using platform = await broadcast();
  const env = {
    REDIS_URL: platform.scope.url,
    AUTOPILOT_NAMESPACE: platform.scope.namespace,
    AUTOPILOT_QUEUE_URL: platform.queueUrl,
    AWS_ENDPOINT_URL_IVS: platform.simulator.url,
    AWS_ENDPOINT_URL_SQS: platform.sqs.endpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: platform.simulator.url,
  };
  const config = quickSettings.replace(/^polling:.*$/m, slowPolls) + rules;
  await using first = await platform.daemon({ rules, polling: slowPolls });

  const ids: string[] = [];
  const over = new AbortController();
  const sending = (async () => {
    while (!over.signal.aborted) {
      const id = randomUUID();
      ids.push(id);
      await platform.send(
        JSON.stringify({
          id,
          'detail-type': 'IVS Limit Breach',
          source: 'aws.ivs',
          account: '111122223333',
          time: new Date().toISOString(),
          region: 'us-west-2',
          resources: [],
          detail: { limit_name: 'Concurrent Viewers', limit_value: 1, exceeded_by: 1, limit_unit: 'viewers' },
        }),
      );
      await new Promise((done) => setTimeout(done, 100));
    }
  })();
  // Its first complete poll waits until it has read some of them.
  await platform.simulator.control.addFault({ operation: 'ListStreams', error: 'ServiceUnavailable', status: 503 });
  await using second = await daemonProcess({ config, env });
  const decisions = async () =>
    (await first.ask('GET', '/v1/decisions?rule=breach&limit=1000')).body.decisions as {
      readonly cause: string;
      readonly outcome: string;
      readonly reason: string;
    }[];
  await eventually(async () => (await decisions()).some(({ reason }) => reason === 'warming_up'));
  await platform.simulator.control.clearFaults();
  await eventually(async () => (await second.ask('GET', '/readyz')).status === 200);
  over.abort();
  await sending;

  const fired = async () => (await decisions()).filter(({ outcome }) => outcome === 'acted').map(({ cause }) => cause);
  await eventually(async () => (await fired()).length >= ids.length);
  expect((await fired()).sort()).toEqual(ids.toSorted());
});
