// A group's message is under way when its process is killed. The short form, with what the process leaves behind in Redis, is in
// test/integration/workers-receivers.test.ts.
import { expect, test } from 'vitest';
import { broadcast, quickSettings } from '#test/support/broadcast.ts';
import { daemonProcess } from '#test/support/daemon-process.ts';
import { startVendors } from '#test/support/vendors.ts';

/** Nobody's key: 32 characters, as in PagerDuty. */
const routingKey = 'not-a-key-made-for-this-test-000';

test('kill -9 in the middle of a group: the next process sends to those that do not have it, and to nobody twice', async () => {
  let isDown = true;
  await using vendors = await startVendors(({ vendor }) =>
    vendor === 'pagerduty' && isDown ? { status: 503 } : undefined,
  );
  await using platform = await broadcast();
  const config = `${quickSettings}
receivers:
  - name: on-call
    group_by: [alertname]
    group_wait: 1s
    group_interval: 1h
    webhook_configs: [{url: "${vendors.url('alertmanager')}", format: alertmanager}]
    pagerduty_configs: [{routing_key: ${routingKey}, url: "${vendors.url('pagerduty')}"}]
rules:
  - name: starving
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    guards: {cooldown: 0s}
    actions: [{notify: {receiver: on-call, text: "{{ channel.name }} starving"}}]
`;
  const [channel] = await platform.simulator.control.createChannels(1);
  await platform.simulator.control.goLive(channel!.arn);
  const env = {
    REDIS_URL: platform.scope.url,
    AWS_ENDPOINT_URL: platform.simulator.url,
    AUTOPILOT_NAMESPACE: platform.scope.namespace,
  };
  const taken = () => vendors.got.filter(({ status }) => status < 300).map(({ vendor }) => vendor);
  {
    await using victim = await daemonProcess({ config, env });
    await platform.simulator.control.starve(channel!.arn);
    // The first integration has it, which is recorded; the call to the second fails.
    await expect.poll(() => vendors.of('pagerduty').length, { timeout: 60_000 }).toBeGreaterThan(0);
    await victim.kill();
  }
  expect(taken()).toEqual(['alertmanager']);
  isDown = false;
  await using _next = await daemonProcess({ config, env });
  await expect.poll(taken, { timeout: 120_000 }).toEqual(['alertmanager', 'pagerduty']);
  expect(vendors.of('pagerduty').at(-1)?.body).toMatchObject({ event_action: 'trigger' });
});
