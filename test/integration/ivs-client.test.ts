// The limited client against the simulator, through the real SDK: what a caller gets, and what is sent.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { ChannelArn } from '#domain/channel.ts';
import type { AppError } from '#domain/errors.ts';
import { Secret } from '#domain/secret.ts';
import { turnsOf } from '#test/support/effort.ts';
import { shardScope } from '#test/support/ivs-shard.ts';
import { worstSecond } from '#test/support/limiter-ordeal.ts';

const failure = (call: Promise<unknown>) =>
  call.then(
    () => {
      throw new Error('the call succeeded');
    },
    (error: unknown) => error as AppError,
  );

describe('the limited client', () => {
  it('lists, reads and changes channels', async () => {
    await using world = await shardScope(2);
    const { client } = world.shard;

    const { streams } = await client.listStreams({});
    const { channel } = await client.getChannel({ arn: world.channels[0]! });
    await client.tagResource({ resourceArn: world.channels[0]!, tags: { tier: 'gold' } });
    const { tags } = await client.listTagsForResource({ resourceArn: world.channels[0]! });

    expect(streams).toHaveLength(2);
    expect(channel?.arn).toBe(world.channels[0]);
    expect(tags).toEqual({ tier: 'gold' });
  });

  it('wraps stream keys so that they cannot be printed', async () => {
    await using world = await shardScope(1);
    const { client } = world.shard;
    const { streamKeys } = await client.listStreamKeys({ channelArn: world.channels[0]! });
    await client.deleteStreamKey({ arn: streamKeys![0]!.arn! });

    const created = await client.createStreamKey({ channelArn: world.channels[0]! });
    const read = await client.getStreamKey({ arn: created.streamKey!.arn! });
    const batch = await client.batchGetStreamKey({ arns: [created.streamKey!.arn!] });

    const value = created.streamKey!.value!.reveal();
    expect(value).toMatch(/^sk_/);
    expect(read.streamKey!.value).toBeInstanceOf(Secret);
    // Nobody needs the values of many keys at once: they stay in the client.
    expect(batch.streamKeys).toEqual([expect.objectContaining({ arn: read.streamKey!.arn })]);
    expect(batch.streamKeys![0]).not.toHaveProperty('value');
    for (const answer of [created, read, batch])
      expect(inspect(answer, { depth: 9 }) + JSON.stringify(answer)).not.toContain(value);
  });

  it('sends one request for one permit: nothing is retried hidden from it', async () => {
    await using world = await shardScope(1);
    await world.simulator.control.addFault({ operation: 'GetStream', error: 'InternalServerException' });

    const error = await failure(world.shard.client.getStream({ channelArn: world.channels[0]! }));

    expect(error.code).toBe('IVS_UNAVAILABLE');
    expect(await world.simulator.control.calls({ operation: 'GetStream' })).toHaveLength(1);
  });

  it('distinguishes an offline channel from a deleted one, and counts a stop of the former as done', async () => {
    await using world = await shardScope(1);
    const { client } = world.shard;
    await world.simulator.control.end(world.channels[0]!);

    const offline = await failure(client.putMetadata({ channelArn: world.channels[0]!, metadata: 'x' }));
    const stopped = await failure(client.stopStream({ channelArn: world.channels[0]! }));
    await client.deleteChannel({ arn: world.channels[0]! });
    const deleted = await failure(client.putMetadata({ channelArn: world.channels[0]!, metadata: 'x' }));

    expect(offline).toMatchObject({ code: 'IVS_NOT_BROADCASTING', disposition: { kind: 'give-up' } });
    expect(stopped).toMatchObject({ code: 'IVS_NOT_BROADCASTING', disposition: { kind: 'already-done' } });
    expect(deleted).toMatchObject({ code: 'IVS_NOT_FOUND' });
    expect(offline.message).toContain('not currently online');
  });

  it('gives up a call that is not answered in time, and says that it may have taken effect', async () => {
    await using world = await shardScope(1, { requestTimeoutMs: 150 });
    await world.simulator.control.addFault({ operation: 'PutMetadata', answerLatencyMs: 2000 });

    const { value: error, turns } = await turnsOf(
      failure(world.shard.client.putMetadata({ channelArn: world.channels[0]!, metadata: 'x' })),
    );

    expect(error).toMatchObject({ code: 'IVS_NO_ANSWER', disposition: { kind: 'retry' } });
    expect(turns).toBeLessThan(150);
  });

  it('reports a lost connection after the call took effect', async () => {
    await using world = await shardScope(1);
    await world.simulator.control.addFault({ operation: 'PutMetadata', reset: 'after-effect', times: 1 });

    const error = await failure(world.shard.client.putMetadata({ channelArn: world.channels[0]!, metadata: 'x' }));

    expect(error.code).toBe('IVS_NO_ANSWER');
    expect(error.details['sent']).toBe(true);
  });

  it('returns permits unused when there are no credentials', async () => {
    await using world = await shardScope(0, {
      credentials: () => Promise.reject(Object.assign(new Error('none here'), { name: 'CredentialsProviderError' })),
    });

    for (let i = 0; i < 8; i += 1)
      expect((await failure(world.shard.client.listStreams({}))).code).toBe('IVS_CREDENTIALS');

    const { operations } = await world.shard.quotaSnapshot();
    expect(operations.find(({ operation }) => operation === 'ListStreams')?.inUse ?? 0).toBeLessThanOrEqual(1);
    expect(await world.simulator.control.calls()).toEqual([]);
  });

  it('recognises a throttle of STS, and slows nothing down', async () => {
    const throttling = Object.assign(new Error('Rate exceeded'), {
      name: 'Throttling',
      $metadata: { httpStatusCode: 400 },
    });
    await using world = await shardScope(0, { credentials: () => Promise.reject(throttling) });

    const error = await failure(world.shard.client.listStreams({}));

    expect(error).toMatchObject({ code: 'IVS_CREDENTIALS', disposition: { kind: 'retry' } });
    expect((await world.metrics.ivsThrottles.get()).values).toEqual([]);
  });

  it('lets a drainer decide when the permit is granted what to send, or that nothing is left', async () => {
    await using world = await shardScope(2);
    const { client } = world.shard;
    const [first, second] = world.channels as ChannelArn[];
    const outbox = ['a', 'b', 'c'];

    const packed = client.putMetadataWhenGranted(first!, {}, () => ({ metadata: outbox.splice(0).join('+') }));
    const empty = client.putMetadataWhenGranted(first!, {}, () => undefined);
    const other = client.putMetadataWhenGranted(second!, { lane: 'urgent' }, () => ({ metadata: 'other' }));
    outbox.push('d');

    expect(await packed).toEqual({ metadata: 'a+b+c+d' });
    expect(await empty).toBeUndefined();
    expect(await other).toEqual({ metadata: 'other' });
    expect((await world.simulator.control.cues()).map(({ metadata }) => metadata).sort()).toEqual(['a+b+c+d', 'other']);
  });
});

/** A stand-in for IVS that answers no call before it has received `count`. */
async function answersTogether(count: number) {
  const waiting: ServerResponse[] = [];
  const server = createServer((request, response) => {
    request.resume();
    waiting.push(response);
    if (waiting.length === count) for (const each of waiting) each.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    waiting,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('several accounts', () => {
  const limits = { overrides: { PutMetadata: { perAccount: 20, perChannel: 5 } } };

  it('have separate limits: while one has used up its own, the other still sends as much', async () => {
    using ivs = await answersTogether(40);
    // A call that is not answered keeps its permit, so one account's twenty permits would not be enough.
    const options = { limits, endpoint: ivs.endpoint, requestTimeoutMs: 60_000 };
    await using world = await shardScope(20, options);
    await using second = await shardScope(20, options);
    const send = ({ channels, shard }: typeof world) =>
      channels.map((channelArn) => shard.client.putMetadata({ channelArn, metadata: 'x' }));

    await Promise.all([...send(world), ...send(second)]);

    expect(ivs.waiting).toHaveLength(40);
  });

  it('each keep within their limit', async () => {
    const callRates = { PutMetadata: { account: 20, channel: 5 } };
    await using world = await shardScope(20, { limits }, { callRates });
    await using second = await shardScope(20, { limits }, { callRates });
    const send = (scope: typeof world) =>
      Promise.all(
        scope.channels.flatMap((channelArn) =>
          [1, 2, 3].map((i) => scope.shard.client.putMetadata({ channelArn, metadata: `${i}` })),
        ),
      );

    await Promise.all([send(world), send(second)]);

    const calls = await Promise.all(
      [world, second].map(({ simulator }) => simulator.control.calls({ operation: 'PutMetadata' })),
    );
    for (const ofOne of calls) {
      expect(ofOne.every(({ status }) => status === 204)).toBe(true);
      expect(ofOne).toHaveLength(60);
      expect(worstSecond(ofOne)).toBeLessThanOrEqual(20);
    }
  });
});

describe('the pool of connections', () => {
  it('is as large as the quota: no call waits for another one’s answer', async () => {
    using ivs = await answersTogether(155);
    await using world = await shardScope(155, { endpoint: ivs.endpoint, requestTimeoutMs: 60_000 });

    await Promise.all(
      world.channels.map((channelArn) => world.shard.client.putMetadata({ channelArn, metadata: 'x' })),
    );

    expect(ivs.waiting).toHaveLength(155);
  });
});
