// A short tour of the simulator with the SDKs a daemon uses: channels, a stream, metadata, events in a queue.
import {
  CreateChannelCommand,
  GetStreamCommand,
  IvsClient,
  ListStreamsCommand,
  PutMetadataCommand,
  StopStreamCommand,
} from '@aws-sdk/client-ivs';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, expect, it } from 'vitest';
import { startSimulator } from '#simulator/server.ts';
import { startLocalSqs } from '#simulator/sqs.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }; // fake: the simulator does not check signatures
const sqs = await startLocalSqs();
const { endpoint } = sqs;
const { queueUrl } = await sqs.createQueue('ivs-events');
const simulator = await startSimulator({ sqs: { endpoint, queueUrl } });
const ivs = new IvsClient({ endpoint: simulator.url, region: 'us-west-2', credentials, maxAttempts: 1 });
const queue = new SQSClient({ endpoint, region: 'us-west-2', credentials });

afterAll(async () => {
  ivs.destroy();
  queue.destroy();
  await simulator.close();
  await sqs.close();
});

it('a channel goes live, starves, takes metadata within its quota and is stopped; its events reach the queue', async () => {
  const { channel } = await ivs.send(new CreateChannelCommand({ name: 'studio-a' }));
  const channelArn = channel?.arn ?? '';
  await expect(ivs.send(new GetStreamCommand({ channelArn }))).rejects.toMatchObject({
    name: 'ChannelNotBroadcasting',
    $metadata: { httpStatusCode: 404 },
  });

  const [streamId] = await simulator.control.goLive(channelArn, { viewers: 12 });
  await simulator.control.starve(channelArn);
  const { streams } = await ivs.send(new ListStreamsCommand({ filterBy: { health: 'STARVING' } }));
  expect(streams).toMatchObject([{ channelArn, streamId, state: 'LIVE', health: 'STARVING', viewerCount: 12 }]);

  const puts = Array.from({ length: 6 }, (_, n) =>
    ivs.send(new PutMetadataCommand({ channelArn, metadata: `cue ${n}` })).then(
      () => 'accepted',
      (error: Error) => error.name,
    ),
  );
  expect((await Promise.all(puts)).toSorted()).toEqual([
    'ThrottlingException',
    ...Array.from({ length: 5 }, () => 'accepted'),
  ]);
  expect(await simulator.control.cues({ channelArn })).toHaveLength(5);

  await ivs.send(new StopStreamCommand({ channelArn }));
  expect(await simulator.control.settleEvents()).toEqual([]);
  const { Messages = [] } = await queue.send(
    new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
  );
  const names = Messages.map(({ Body = '' }) => JSON.parse(Body).detail.event_name);
  expect(names).toEqual(['Session Created', 'Stream Start', 'Starvation Start', 'Session Ended', 'Stream End']);
});
