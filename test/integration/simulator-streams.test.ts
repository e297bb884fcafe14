// Streams on a virtual clock: encoders, health, takeover, the thirty-second rule, recordings, and all their events.
import {
  CreateRecordingConfigurationCommand,
  DeleteStreamKeyCommand,
  GetStreamCommand,
  IvsClient,
  StopStreamCommand,
  UpdateChannelCommand,
} from '@aws-sdk/client-ivs';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type DetailField, type IvsEventType, ivsEvents } from '#domain/ivs-events.ts';
import { startSimulator } from '#simulator/server.ts';
import { failureOf, ivsFor } from '#test/support/simulator-sdk.ts';

const simulator = await startSimulator({
  seed: 'streams',
  enforcement: 'off',
  clockRate: 0,
  startAt: Date.UTC(2026, 10, 20, 10, 15, 4),
});
const { control } = simulator;
const ivs: IvsClient = ivsFor(simulator.url);

afterAll(async () => {
  ivs.destroy();
  await simulator.close();
});

let channel: { readonly arn: string; readonly streamKeyArn: string; readonly streamKey: string };
beforeEach(async () => {
  channel = await control.createChannel({ name: 'studio-a' });
  await control.configure({ timings: { sessionToStartMs: 0, sessionEndToStreamEndMs: 0, recordingWriteMs: 0 } });
});

const stop = () => ivs.send(new StopStreamCommand({ channelArn: channel.arn }));
const health = async () => (await ivs.send(new GetStreamCommand({ channelArn: channel.arn }))).stream?.health;
const names = async (channelArn = channel.arn): Promise<unknown[]> =>
  (await control.events({ channelArn })).map(
    ({ event }) => event.detail['event_name'] ?? event.detail['recording_status'],
  );
const state = async () => (await control.channels(channel.arn))[0]!;

describe('an encoder', () => {
  it('needs a key that exists', async () => {
    await ivs.send(new DeleteStreamKeyCommand({ arn: channel.streamKeyArn }));
    const refused = { accepted: false, reason: 'UnknownStreamKey' };
    expect(await control.connect(channel.arn)).toMatchObject([refused]);
    expect(await control.connect(channel.arn, { streamKey: channel.streamKey })).toMatchObject([refused]);
    expect(await names()).toEqual([]);
  });

  it('is on air some seconds after its session is created, and off air some seconds before its Stream End', async () => {
    await control.configure({ timings: { sessionToStartMs: 6_500, sessionEndToStreamEndMs: 2_000 } });
    await control.connect(channel.arn);
    expect(await state()).toMatchObject({ phase: 'starting' });
    expect(await failureOf(health())).toBe('404 ChannelNotBroadcasting');
    await control.advance(6_500);
    expect(await health()).toBe('HEALTHY');
    await control.end(channel.arn);
    expect(await names()).toEqual(['Session Created', 'Stream Start', 'Session Ended']);
    await control.advance(2_000);
    expect(await names()).toEqual(['Session Created', 'Stream Start', 'Session Ended', 'Stream End']);
  });

  it('that ends before it was on air has no Stream Start and no Stream End', async () => {
    await control.configure({ timings: { sessionToStartMs: 6_500 } });
    await control.connect(channel.arn);
    await control.end(channel.arn);
    await control.advance(20_000);
    expect(await names()).toEqual(['Session Created', 'Session Ended']);
  });

  it('reconnects by itself after StopStream with a new stream id, unless its key was revoked first', async () => {
    const [first] = await control.goLive(channel.arn, { autoReconnect: true, reconnectMs: 1_000 });
    await stop();
    expect(await failureOf(health())).toBe('404 ChannelNotBroadcasting');
    await control.advance(1_000);
    const { streamId } = await state();
    expect(streamId).toMatch(/^st-[A-Za-z0-9]{23}$/);
    expect(streamId).not.toBe(first);
    await ivs.send(new DeleteStreamKeyCommand({ arn: channel.streamKeyArn }));
    expect(await health()).toBe('HEALTHY');
    await stop();
    await control.advance(60_000);
    expect(await state()).toMatchObject({ encoder: { connected: false, refusals: 10 } });
    expect(await failureOf(health())).toBe('404 ChannelNotBroadcasting');
  });

  it('does not reconnect after its operator ended it', async () => {
    await control.goLive(channel.arn, { autoReconnect: true });
    await control.end(channel.arn);
    await control.advance(60_000);
    expect(await names()).toEqual(['Session Created', 'Stream Start', 'Session Ended', 'Stream End']);
  });

  it('that goes silent starves, blocks others for thirty seconds, and is then ended', async () => {
    const [first] = await control.goLive(channel.arn);
    await control.lose(channel.arn);
    expect(await health()).toBe('STARVING');
    await control.advance(29_000);
    expect(await control.connect(channel.arn)).toMatchObject([{ accepted: false, reason: 'AlreadyStreaming' }]);
    await control.advance(1_000);
    expect(await names()).toEqual([
      'Session Created',
      'Stream Start',
      'Starvation Start',
      'Session Ended',
      'Stream End',
    ]);
    const [second] = await control.goLive(channel.arn);
    expect(second).not.toBe(first);
  });

  it('that goes silent and recovers in time stays on air', async () => {
    await control.goLive(channel.arn);
    await control.lose(channel.arn);
    await control.advance(20_000);
    await control.recover(channel.arn);
    await control.advance(60_000);
    expect(await health()).toBe('HEALTHY');
    expect((await names()).slice(2)).toEqual(['Starvation Start', 'Starvation End']);
  });

  it('takes a running stream over with a higher priority and the same picture: same stream id, no new start', async () => {
    const [streamId] = await control.goLive(channel.arn, { priority: 5 });
    await control.lose(channel.arn);
    const attempts = [
      await control.connect(channel.arn, { priority: 5 }),
      await control.connect(channel.arn, { priority: 9, media: { height: 720, width: 1280 } }),
      await control.connect(channel.arn, { priority: 9 }),
    ].flat();
    expect(attempts).toMatchObject([
      { accepted: false, reason: 'TakeoverRefused' },
      { accepted: false, reason: 'TakeoverRefused' },
      { accepted: true, takeover: true, streamId },
    ]);
    await control.advance(60_000);
    expect(await health()).toBe('HEALTHY');
    const events = (await control.events({ channelArn: channel.arn })).map(({ event }) => event.detail);
    expect(events.slice(3).map((detail) => [detail['event_name'], detail['code']])).toEqual([
      ['Stream Takeover Failure', 'StreamTakeoverInvalidPriority'],
      ['Stream Takeover Failure', 'StreamTakeoverMediaMismatch'],
      ['Stream Takeover', undefined],
      ['Starvation End', undefined],
    ]);
  });

  it('can take over only so often', async () => {
    await control.configure({ quotas: { takeoversPerStream: 1 } });
    await control.goLive(channel.arn);
    const attempts = [
      await control.connect(channel.arn, { priority: 1 }),
      await control.connect(channel.arn, { priority: 2 }),
    ].flat();
    await control.configure({ quotas: { takeoversPerStream: 100 } });
    expect(attempts.map(({ accepted }) => accepted)).toEqual([true, false]);
    const [failure] = await control.events({ channelArn: channel.arn, name: 'Stream Takeover Failure' });
    expect(failure!.event.detail['code']).toBe('StreamTakeoverLimitBreached');
  });

  it('may have unknown health at first, which is not an event', async () => {
    await control.goLive(channel.arn, { health: 'UNKNOWN' });
    expect(await health()).toBe('UNKNOWN');
    await control.recover(channel.arn);
    expect(await health()).toBe('HEALTHY');
    expect(await names()).toEqual(['Session Created', 'Stream Start']);
  });

  it('above the number of concurrent streams is refused, with an event for the account', async () => {
    const live = (await control.health()).live;
    await control.configure({ quotas: { concurrentStreams: live } });
    expect(await control.connect(channel.arn)).toMatchObject([
      { accepted: false, reason: 'ConcurrentStreamsExceeded' },
    ]);
    await control.configure({ quotas: { concurrentStreams: 100 } });
    const [record] = (await control.events({ name: 'Concurrent Broadcasts' })).slice(-1);
    expect(record!.event).toMatchObject({
      'detail-type': 'IVS Limit Breach',
      resources: [],
      detail: { limit_name: 'Concurrent Broadcasts', limit_value: live, exceeded_by: 1, limit_unit: 'active streams' },
    });
    expect(Object.keys(record!.event.detail)).toHaveLength(4);
  });

  it('can be rejected for its multitrack input, or not be processed at all', async () => {
    await control.connect(channel.arn, { rejectWith: 'MultitrackInputNotAllowed' });
    await control.connect(channel.arn, { transcodeFails: true });
    const details = (await control.events({ channelArn: channel.arn })).map(({ event }) => event.detail);
    expect(details.map(({ event_name, code, reason }) => [event_name, code ?? reason])).toEqual([
      ['Session Created', undefined],
      ['Session Ended', 'MultitrackInputNotAllowed'],
      ['Session Created', undefined],
      ['Stream Failure', 'Transcode capacity exceeded. Please try again.'],
      ['Session Ended', undefined],
    ]);
  });
});

describe('events', () => {
  it('have exactly the documented envelope and detail', async () => {
    await control.goLive(channel.arn);
    const { streamId } = await state();
    const time = `${new Date(await control.now()).toISOString().slice(0, 19)}Z`;
    const [start] = await control.events({ channelArn: channel.arn, name: 'Stream Start' });
    expect(start!.event).toEqual({
      version: '0',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      'detail-type': 'IVS Stream State Change',
      source: 'aws.ivs',
      account: '111122223333',
      time,
      region: 'us-west-2',
      resources: [channel.arn],
      detail: { event_name: 'Stream Start', channel_name: 'studio-a', stream_id: streamId },
    });
  });

  it('of a breach name their limit as the guide does, or with a switch as the published schema does', async () => {
    await control.goLive(channel.arn);
    const breach = { limit: 'Ingest Bitrate', limitValue: 8_500_000, value: 8_920_000, channel: channel.arn } as const;
    await control.breach(breach);
    await control.configure({ switches: { limitField: 'limit' } });
    await control.breach(breach);
    await control.configure({ switches: { limitField: 'limit_name' } });
    const { streamId } = await state();
    const rest = {
      limit_value: 8_500_000,
      exceeded_by: 420_000,
      limit_unit: 'bits per second',
      channel_name: 'studio-a',
      stream_id: streamId,
    };
    const found = await control.events({ channelArn: channel.arn, name: 'Ingest Bitrate' });
    expect(found.map(({ event }) => event.detail)).toEqual([
      { limit_name: 'Ingest Bitrate', ...rest },
      { limit: 'Ingest Bitrate', ...rest },
    ]);
  });

  it('report once that the account has more viewers than allowed', async () => {
    await control.goLive(channel.arn, { viewers: 10 });
    const before = (await control.events({ name: 'Concurrent Viewers' })).length;
    await control.setViewers(channel.arn, 20_000);
    await control.setViewers(channel.arn, 21_000);
    await control.setViewers(channel.arn, 5);
    expect((await control.events({ name: 'Concurrent Viewers' })).length).toBe(before + 1);
  });
});

describe('viewers', () => {
  it('grow and sway with time, and can time out', async () => {
    await control.goLive(channel.arn, { viewers: { target: 1000, rampMs: 60_000, wobble: 0.2 } });
    const counts: number[] = [];
    for (let n = 0; n < 20; n++) {
      counts.push((await state()).viewerCount ?? 0);
      await control.advance(10_000);
    }
    expect(counts[0]).toBe(0);
    expect(Math.min(...counts.slice(7))).toBeGreaterThanOrEqual(800);
    expect(Math.max(...counts)).toBeLessThanOrEqual(1200);
    expect(new Set(counts.slice(7)).size).toBeGreaterThan(5);
    await control.setViewers(channel.arn, -1);
    expect((await state()).viewerCount).toBe(-1);
  });
});

describe('recordings', () => {
  const record = async (bucketName: string, recordingReconnectWindowSeconds = 0): Promise<void> => {
    const made = await ivs.send(
      new CreateRecordingConfigurationCommand({
        destinationConfiguration: { s3: { bucketName } },
        recordingReconnectWindowSeconds,
      }),
    );
    const recordingConfigurationArn = made.recordingConfiguration?.arn;
    await ivs.send(new UpdateChannelCommand({ arn: channel.arn, recordingConfigurationArn }));
  };
  const recordings = async () =>
    (await control.events({ channelArn: channel.arn }))
      .filter(({ event }) => event['detail-type'] === 'IVS Recording State Change')
      .map(({ event }) => event.detail);

  it('start with the stream and end with it', async () => {
    await record('example-recordings');
    const [streamId] = await control.goLive(channel.arn);
    await control.advance(12_000);
    await control.end(channel.arn);
    const [started, ended] = await recordings();
    const now = new Date(await control.now());
    const prefix = `ivs/v1/111122223333/${channel.arn.split('/')[1]}/2026/11/20/${now.getUTCHours()}/`;
    expect(started).toEqual({
      channel_name: 'studio-a',
      stream_id: streamId,
      recording_status: 'Recording Start',
      recording_status_reason: '',
      recording_s3_bucket_name: 'example-recordings',
      recording_s3_key_prefix: expect.stringContaining(prefix),
      recording_duration_ms: 0,
      recording_session_id: expect.stringMatching(/^[A-Za-z0-9]{16}$/),
    });
    expect(ended).toEqual({
      ...started,
      recording_status: 'Recording End',
      recording_duration_ms: 12_000,
      recording_session_stream_ids: [streamId],
    });
  });

  it('end one reconnect window later, and merge a stream that comes back within it', async () => {
    await record('merged', 60);
    const [first] = await control.goLive(channel.arn);
    await control.advance(5_000);
    await control.end(channel.arn);
    await control.advance(30_000);
    const [second] = await control.goLive(channel.arn, { media: { videoBitrate: 4_000_000 } });
    await control.advance(40_000);
    expect(await recordings()).toHaveLength(1);
    await control.end(channel.arn);
    await control.advance(59_000);
    expect(await recordings()).toHaveLength(1);
    await control.advance(1_000);
    expect((await recordings())[1]).toMatchObject({
      recording_status: 'Recording End',
      stream_id: second,
      recording_duration_ms: 45_000,
      recording_session_stream_ids: [first, second],
    });
  });

  it('do not merge another picture, or a stream that comes back while the old one is still being written', async () => {
    await record('not-merged', 60);
    await control.goLive(channel.arn);
    await control.end(channel.arn);
    await control.goLive(channel.arn, { media: { height: 720, width: 1280 } });
    await control.end(channel.arn);
    await control.configure({ timings: { recordingWriteMs: 10_000 } });
    await control.advance(5_000);
    await control.goLive(channel.arn, { media: { height: 720, width: 1280 } });
    await control.end(channel.arn);
    await control.advance(120_000);
    const statuses = (await recordings()).map((detail) => String(detail['recording_status']));
    expect(statuses.toSorted()).toEqual([...Array(3).fill('Recording End'), ...Array(3).fill('Recording Start')]);
  });

  it('end even if the next stream has begun before the last segments were written', async () => {
    await record('overlapping');
    await control.configure({ timings: { sessionEndToStreamEndMs: 5_000 } });
    const streamIds = await control.goLive(channel.arn, { autoReconnect: true, reconnectMs: 1_000 });
    await stop();
    await control.advance(1_000);
    streamIds.push((await state()).streamId ?? '');
    await control.end(channel.arn);
    await control.advance(5_000);
    const ended = (await recordings()).filter((detail) => detail['recording_status'] === 'Recording End');
    expect(ended.map((detail) => detail['recording_session_stream_ids'])).toEqual(streamIds.map((id) => [id]));
  });

  it('fail to start with a bucket that is encrypted with KMS, and can fail at their end', async () => {
    await control.setBuckets({ 'kms-bucket': { kmsEncrypted: true } });
    await record('kms-bucket');
    await control.goLive(channel.arn);
    await control.end(channel.arn);
    await record('failing');
    await control.failRecording(channel.arn);
    await control.goLive(channel.arn);
    await control.end(channel.arn);
    expect(await recordings()).toMatchObject([
      {
        recording_status: 'Recording Start Failure',
        recording_status_reason: 'ValidationException',
        recording_s3_key_prefix: '',
        recording_duration_ms: 0,
      },
      { recording_status: 'Recording Start' },
      { recording_status: 'Recording End Failure', recording_status_reason: 'InternalServerException' },
    ]);
    expect((await recordings())[2]).not.toHaveProperty('recording_session_stream_ids');
  });
});

// Last: everything that the tests above caused.
describe('the events of the simulator', () => {
  const types: Readonly<Record<string, IvsEventType>> = ivsEvents;
  const isOf = ({ type, values }: DetailField, value: unknown): boolean => {
    if (type === 'number') return typeof value === 'number';
    if (type === 'texts') return Array.isArray(value) && value.every((part) => typeof part === 'string');
    return typeof value === 'string' && (values === undefined || values.includes(value));
  };

  it('have the fields, types and values of the documented ones', async () => {
    const { arn } = await control.createChannel({ ads: true });
    await control.goLive(arn);
    await control.insertAdBreak(arn, 15);
    const events = (await control.events({})).map(({ event }) => event);
    expect(new Set(events.map((event) => event['detail-type']))).toEqual(new Set(Object.keys(types)));
    const wrong = events.flatMap((event) => {
      const { field, detail } = types[event['detail-type']]!;
      const name = String(event.detail[field] ?? event.detail['limit']);
      return Object.entries(event.detail).flatMap(([key, value]) => {
        const shape = detail[key];
        const fits = shape && isOf(shape, value) && (!shape.only || shape.only.includes(name));
        return fits ? [] : [`${event['detail-type']} ${name}: ${key} ${JSON.stringify(value)}`];
      });
    });

    expect(wrong).toEqual([]);
  });
});
