// Two replicas, a real Redis, and stand-ins of PagerDuty and Alertmanager's webhook: channels that starve together are reported together,
// once, and resolved under the same key; the heartbeat arrives; a receiver is tested through the API.
import { expect, test } from 'vitest';
import { broadcast } from '#test/support/broadcast.ts';
import { startVendors } from '#test/support/vendors.ts';

/** Nobody's key: 32 characters, as in PagerDuty. */
const routingKey = 'not-a-key-made-for-this-test-000';

test('channels that starve together are one incident, opened, updated and resolved once for two replicas', async () => {
  await using vendors = await startVendors();
  await using platform = await broadcast();
  const rules = `
receivers:
  - name: on-call
    pagerduty_configs: [{routing_key: ${routingKey}, url: "${vendors.url('pagerduty')}"}]
    webhook_configs: [{url: "${vendors.url('alertmanager')}", format: alertmanager}]
  - name: watchdog
    webhook_configs: [{url: "${vendors.url('json')}"}]
route: {receiver: on-call, group_by: [alertname], group_wait: 1s, group_interval: 1s}
heartbeat: {receiver: watchdog, interval: 10s}
rules:
  - name: starving
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    guards: {cooldown: 0s}
    actions: [{notify: {severity: critical, text: "{{ channel.name }} starving"}}]
`;
  const channels = await platform.simulator.control.createChannels(3);
  for (const { arn } of channels) await platform.simulator.control.goLive(arn);
  await using first = await platform.daemon({ rules, http: 'external_url: "https://ivs.example.com/autopilot"' });
  await using _second = await platform.daemon({ rules });
  const listed = () =>
    new Set(vendors.of('alertmanager').flatMap(({ body }) => body.alerts.map(({ fingerprint }: any) => fingerprint)));

  for (const { arn } of channels) await platform.simulator.control.starve(arn);
  await expect.poll(() => listed().size).toBe(3);
  for (const { arn } of channels) await platform.simulator.control.recover(arn);
  await expect.poll(() => vendors.of('alertmanager').at(-1)?.body.status).toBe('resolved');
  await expect.poll(() => vendors.of('pagerduty').at(-1)?.body.event_action).toBe('resolve');
  await expect.poll(() => vendors.of('json').length).toBeGreaterThan(0);

  expect(vendors.got.filter(({ problem }) => problem !== undefined)).toEqual([]);
  expect(new Set(vendors.of('pagerduty').map(({ body }) => body.dedup_key)).size).toBe(1);
  // A message sent by two replicas would be there twice; a repeated one has the same delivery id.
  const deliveries = new Map(
    vendors
      .of('alertmanager')
      .map(({ headers, body }) => [headers['x-autopilot-delivery'], JSON.stringify(body.alerts)]),
  );
  expect([...deliveries.values()]).toEqual([...new Set(deliveries.values())]);
  expect(vendors.of('json')[0]?.body).toMatchObject({ heartbeat: true, receiver: 'watchdog' });

  const { status, body } = await first.ask('POST', '/v1/receivers/on-call/test');
  expect(status).toBe(202);
  const result = async () => (await first.ask('GET', `/v1/jobs/${body.jobId}`)).body.result?.tried;
  await expect.poll(result).toEqual([{ to: 'webhook_configs[0]' }, { to: 'pagerduty_configs[0]' }]);
  expect((await first.ask('POST', '/v1/receivers/on-cal/test')).body).toMatchObject({
    code: 'NOT_FOUND',
    detail: expect.stringContaining('did you mean on-call?'),
  });
});
