// A daemon whose peers accept its calls and never finish their answers: items end when they expire, and a stop ends in its window.
import { expect, test } from 'vitest';
import { badPeer } from '#test/support/bad-peer.ts';
import { broadcast } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';

const rules = (webhook: string) => `
limits: {request_timeout: 60s}
rules:
  - name: tell
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{webhook: {url: "${webhook}", body: "{}"}}]
    guards: {cooldown: 0s, max_live_percent: 100}
`;

test('an item that expires in a call ends then, and SIGTERM ends every call within the stop window', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const [channel] = await control.createChannels(1, { namePrefix: 'studio-' });
  await control.goLive([channel!.arn]);
  const { hostname: host, port } = new URL(platform.sqs.endpoint);
  await using queue = await badPeer({ target: { host, port: Number(port) }, dripEveryMs: 500 });
  await using receiver = await badPeer({ manner: 'drip-headers' });
  const daemon = await platform.daemon({ rules: rules(receiver.url), aws: { sqsEndpoint: queue.url } });
  const send = async (expiresInMs: number) =>
    (
      await daemon.ask('POST', '/v1/metadata/batches', {
        targets: { channelArns: [channel!.arn] },
        items: [{ payload: 'x', expiresInMs }],
      })
    ).body.batchId as string;
  const batch = async (id: string) => (await daemon.ask('GET', `/v1/metadata/batches/${id}`)).body;
  await control.addFault({ operation: 'PutMetadata', hang: 'no-answer' });

  // On a busy machine one may expire before its call.
  await eventually(async () => {
    const short = await send(1_500);
    const over = await eventually(async () => {
      const told = await batch(short);
      return told.state === 'finished' && told;
    });
    expect(over.counts.expired).toBe(1);
    return over.failures.IVS_NO_ANSWER === 1;
  });

  // Every part that calls somebody is in the middle of a call.
  const calls = async (operation: string) => (await control.calls({ operation })).length;
  const puts = await calls('PutMetadata');
  await send(600_000);
  await eventually(async () => (await calls('PutMetadata')) > puts);
  await control.starve(channel!.arn);
  await eventually(() => receiver.received > 0);
  queue.behave('drip');
  await control.addFault({ operation: 'ListStreams', drip: { bytes: 1, everyMs: 500 } });
  const lists = await calls('ListStreams');
  await eventually(async () => (await calls('ListStreams')) >= lists + 2);
  await daemon.app.stop();

  const told = daemon.log.join('');
  expect(told).toContain('ivs-autopilot stopped');
  expect(told).not.toContain('STOP_TIMED_OUT');
});
