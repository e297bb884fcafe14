// Random sequences of operations compared with a small model of the documented rules: the simulator must never disagree.
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { startSimulator } from '#simulator/server.ts';

const simulator = await startSimulator({
  seed: 'model',
  enforcement: 'off',
  clockRate: 0,
  startAt: Date.UTC(2026, 10, 20),
  quotas: { channels: 6, concurrentStreams: 3, recordingConfigurations: 2 },
});
const { control } = simulator;

afterAll(() => simulator.close());

/** One call over plain HTTP: its status, its error name, its body. */
async function call(operation: string, input: object): Promise<{ status: number; error: string | null; body: any }> {
  const answer = await fetch(`${simulator.url}/${operation}`, { method: 'POST', body: JSON.stringify(input) });
  const text = await answer.text();
  return {
    status: answer.status,
    error: answer.headers.get('x-amzn-errortype'),
    body: text === '' ? undefined : JSON.parse(text),
  };
}

const RNF = 'ResourceNotFoundException';
const CNB = 'ChannelNotBroadcasting';
const CF = 'ConflictException';
const SQ = 'ServiceQuotaExceededException';

interface ChannelModel {
  readonly arn: string;
  name: string;
  key: string | undefined;
  recording: string;
  live: string | undefined;
  health: 'HEALTHY' | 'STARVING';
  sessions: number;
  readonly tags: Map<string, string>;
}

/** What the account contains according to the rules, in this test's own terms. */
class Model {
  readonly channels = new Map<string, ChannelModel>();
  readonly recordings = new Set<string>();
  /** Every ARN that ever existed, so that deleted resources are requested as well. */
  readonly arns: string[] = ['arn:aws:ivs:us-west-2:111122223333:channel/never'];
  readonly keys: string[] = ['arn:aws:ivs:us-west-2:111122223333:stream-key/never'];
  readonly recordingArns: string[] = ['arn:aws:ivs:us-west-2:111122223333:recording-configuration/never'];
  readonly sessions = new Map<string, number>();

  get live(): ChannelModel[] {
    return [...this.channels.values()].filter(({ live }) => live !== undefined);
  }
}

const at = <T>(items: readonly T[], index: number): T => items[index % items.length]!;

/** Every step calls the simulator, compares the answer with the model, and advances the model. */
const steps: Readonly<Record<string, (model: Model, pick: number, other: number) => Promise<void>>> = {
  async CreateChannel(model, pick) {
    const name = `c${pick % 3}`;
    const { error, body } = await call('CreateChannel', { name, tags: { n: String(pick % 5) } });
    if (model.channels.size >= 6) return expect(error).toBe(SQ);
    expect(error).toBeNull();
    const { arn } = body.channel;
    const tags = new Map([['n', String(pick % 5)]]);
    model.channels.set(arn, {
      arn,
      name,
      key: body.streamKey.arn,
      recording: '',
      live: undefined,
      health: 'HEALTHY',
      sessions: 0,
      tags,
    });
    model.arns.push(arn);
    model.keys.push(body.streamKey.arn);
  },
  async DeleteChannel(model, pick) {
    const arn = at(model.arns, pick);
    const channel = model.channels.get(arn);
    const { error, status } = await call('DeleteChannel', { arn });
    if (channel === undefined) return expect(error).toBe(RNF);
    if (channel.live !== undefined) return expect(error).toBe(CF);
    expect(status).toBe(204);
    model.channels.delete(arn);
  },
  async UpdateChannel(model, pick, other) {
    const arn = at(model.arns, pick);
    const channel = model.channels.get(arn);
    const recordingConfigurationArn = other % 3 === 0 ? '' : at(model.recordingArns, other);
    const { error, body } = await call('UpdateChannel', { arn, recordingConfigurationArn });
    if (channel === undefined) return expect(error).toBe(RNF);
    if (channel.live !== undefined) return expect(error).toBe(CF);
    if (recordingConfigurationArn !== '' && !model.recordings.has(recordingConfigurationArn))
      return expect(error).toBe(RNF);
    expect(error).toBeNull();
    expect(body.channel).toMatchObject({ arn, name: channel.name, recordingConfigurationArn });
    channel.recording = recordingConfigurationArn;
  },
  async CreateStreamKey(model, pick) {
    const channelArn = at(model.arns, pick);
    const channel = model.channels.get(channelArn);
    const { error, body } = await call('CreateStreamKey', { channelArn });
    if (channel === undefined) return expect(error).toBe(RNF);
    if (channel.key !== undefined) return expect(error).toBe(SQ);
    expect(error).toBeNull();
    channel.key = body.streamKey.arn;
    model.keys.push(body.streamKey.arn);
  },
  async DeleteStreamKey(model, pick) {
    const arn = at(model.keys, pick);
    const channel = [...model.channels.values()].find(({ key }) => key === arn);
    const { error, status } = await call('DeleteStreamKey', { arn });
    if (channel === undefined) return expect(error).toBe(RNF);
    expect(status).toBe(204);
    channel.key = undefined;
  },
  async ListStreamKeys(model, pick) {
    const channelArn = at(model.arns, pick);
    const channel = model.channels.get(channelArn);
    const { error, body } = await call('ListStreamKeys', { channelArn });
    if (channel === undefined) return expect(error).toBe(RNF);
    const expected = channel.key === undefined ? [] : [{ arn: channel.key, channelArn, tags: {} }];
    expect(body).toEqual({ streamKeys: expected });
  },
  async CreateRecordingConfiguration(model) {
    const { error, body } = await call('CreateRecordingConfiguration', {
      destinationConfiguration: { s3: { bucketName: 'recordings' } },
    });
    if (model.recordings.size >= 2) return expect(error).toBe(SQ);
    model.recordings.add(body.recordingConfiguration.arn);
    model.recordingArns.push(body.recordingConfiguration.arn);
  },
  async DeleteRecordingConfiguration(model, pick) {
    const arn = at(model.recordingArns, pick);
    const { error, status } = await call('DeleteRecordingConfiguration', { arn });
    if (!model.recordings.has(arn)) return expect(error).toBe(RNF);
    if ([...model.channels.values()].some(({ recording }) => recording === arn)) return expect(error).toBe(CF);
    expect(status).toBe(204);
    model.recordings.delete(arn);
  },
  async connect(model, pick) {
    const channel = model.channels.get(at(model.arns, pick));
    if (channel === undefined) return;
    const [answer] = await control.connect(channel.arn);
    const reason = answer!.accepted ? undefined : answer!.reason;
    if (channel.key === undefined) return expect(reason).toBe('UnknownStreamKey');
    if (channel.live !== undefined) return expect(reason).toBe('AlreadyStreaming');
    if (model.live.length >= 3) return expect(reason).toBe('ConcurrentStreamsExceeded');
    if (!answer!.accepted) return expect.unreachable(`refused: ${reason}`);
    channel.live = answer!.streamId;
    channel.health = 'HEALTHY';
    model.sessions.set(channel.arn, (model.sessions.get(channel.arn) ?? 0) + 1);
  },
  async starve(model, pick) {
    const channel = model.channels.get(at(model.arns, pick));
    if (channel?.live === undefined) return;
    await control.starve(channel.arn);
    channel.health = 'STARVING';
  },
  async recover(model, pick) {
    const channel = model.channels.get(at(model.arns, pick));
    if (channel?.live === undefined) return;
    await control.recover(channel.arn);
    channel.health = 'HEALTHY';
  },
  async StopStream(model, pick) {
    const channelArn = at(model.arns, pick);
    const channel = model.channels.get(channelArn);
    const { error, body } = await call('StopStream', { channelArn });
    if (channel === undefined) return expect(error).toBe(RNF);
    if (channel.live === undefined) return expect(error).toBe(CNB);
    expect(body).toEqual({});
    channel.live = undefined;
  },
  async PutMetadata(model, pick, other) {
    const channelArn = at(model.arns, pick);
    const channel = model.channels.get(channelArn);
    const { error, status } = await call('PutMetadata', { channelArn, metadata: 'm'.repeat(other) });
    if (other === 0 || other > 1024) return expect(error).toBe('ValidationException');
    if (channel === undefined) return expect(error).toBe(RNF);
    if (channel.live === undefined) return expect(error).toBe(CNB);
    expect(status).toBe(204);
  },
  async GetStream(model, pick) {
    const channelArn = at(model.arns, pick);
    const channel = model.channels.get(channelArn);
    const { error, body } = await call('GetStream', { channelArn });
    if (channel === undefined) return expect(error).toBe(RNF);
    if (channel.live === undefined) return expect(error).toBe(CNB);
    expect(body.stream).toMatchObject({ streamId: channel.live, health: channel.health, state: 'LIVE' });
  },
  async ListStreams(model, pick, other) {
    const health = (['HEALTHY', 'STARVING', undefined] as const)[pick % 3];
    const found: string[] = [];
    let nextToken: string | undefined;
    do {
      const { body } = await call('ListStreams', { filterBy: { health }, maxResults: 1 + (other % 2), nextToken });
      expect(body.streams.length).toBeLessThanOrEqual(1 + (other % 2));
      found.push(...body.streams.map(({ streamId }: { streamId: string }) => streamId));
      nextToken = body.nextToken;
    } while (nextToken !== undefined);
    const expected = model.live.filter((channel) => health === undefined || channel.health === health);
    expect(found.toSorted()).toEqual(expected.map(({ live }) => live ?? '').toSorted());
  },
  async ListChannels(model, pick) {
    const filterByName = `c${pick % 4}`;
    const { body } = await call('ListChannels', { filterByName });
    const expected = [...model.channels.values()].filter(({ name }) => name === filterByName);
    expect(body.channels.map(({ arn }: { arn: string }) => arn)).toEqual(expected.map(({ arn }) => arn));
  },
  async ListStreamSessions(model, pick) {
    const channelArn = at(model.arns, pick);
    const { error, body } = await call('ListStreamSessions', { channelArn });
    const count = model.sessions.get(channelArn) ?? 0;
    if (count === 0 && !model.channels.has(channelArn)) return expect(error).toBe(RNF);
    expect(body.streamSessions).toHaveLength(count);
  },
  async GetStreamSession(model, pick) {
    const channelArn = at(model.arns, pick);
    const { error, body } = await call('GetStreamSession', { channelArn });
    if ((model.sessions.get(channelArn) ?? 0) === 0) return expect(error).toBe(RNF);
    const live = model.channels.get(channelArn)?.live;
    expect('endTime' in body.streamSession).toBe(live === undefined);
    if (live !== undefined) expect(body.streamSession.streamId).toBe(live);
  },
};

const step = fc.record({
  name: fc.constantFrom(...Object.keys(steps)),
  pick: fc.nat(30),
  other: fc.oneof(fc.nat(30), fc.constantFrom(0, 1024, 1025)),
});

/** The account is emptied between runs through the API itself. */
async function empty(model: Model): Promise<void> {
  for (const { arn, live } of model.channels.values()) {
    if (live !== undefined) await control.end(arn);
    expect((await call('DeleteChannel', { arn })).status).toBe(204);
  }
  for (const arn of model.recordings) expect((await call('DeleteRecordingConfiguration', { arn })).status).toBe(204);
}

it('no sequence of operations makes the simulator disagree with the documented rules', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (sequence) => {
      const model = new Model();
      for (let n = 0; n < 3; n++) await steps['CreateChannel']!(model, n, 0);
      try {
        for (const { name, pick, other } of sequence) await steps[name]!(model, pick, other);
      } finally {
        await empty(model);
      }
    }),
    { numRuns: 40 },
  );
});
