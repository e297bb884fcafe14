// What an answer of Amazon IVS must contain before the daemon trusts it. The body itself is checked (runtime/wire-answers.ts), because to
// the SDK an empty body, or a missing list, looks like "nobody is live".
// Members: https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_Operations.html. Values of enumerations are not checked,
// because a new one is no fault. A message names the place and what was expected, never the value, which may be a secret.
import { z } from 'zod';
import { isChannelArn } from '#domain/channel.ts';
import { bodyOf, invalidAnswer, nothingRead, readAnswer, type WireAnswer } from '#runtime/wire-answers.ts';
import type { ClientOperation } from './commands.ts';

/** Members of a request that its answer must repeat. */
interface Asked {
  readonly arn?: unknown;
  readonly channelArn?: unknown;
  readonly streamId?: unknown;
  readonly arns?: unknown;
  readonly viewerSessions?: unknown;
}

const text = z.string();
const optional = text.nullish();
const flag = z.boolean().nullish();
const count = z.number().int().nonnegative().nullish();
const date = z.iso.datetime({ offset: true }).nullish();
const token = z.string().max(4096).nullish();
const tags = z.record(z.string(), z.string());

const arn = (type: string) =>
  text.regex(new RegExp(`^arn:aws:ivs:[a-z0-9-]+:[0-9]+:${type}/[a-zA-Z0-9-]+$`), `expected the ARN of a ${type}`);
const channelArn = text.refine(isChannelArn, 'expected the ARN of a channel');

const channel = z.object({
  arn: channelArn,
  name: optional,
  type: optional,
  latencyMode: optional,
  recordingConfigurationArn: optional,
  authorized: flag,
  insecureIngest: flag,
  preset: optional,
  playbackRestrictionPolicyArn: optional,
  adConfigurationArn: optional,
  containerFormat: optional,
  multitrackInputConfiguration: z.object({ enabled: flag, policy: optional, maximumResolution: optional }).nullish(),
  tags: tags.nullish(),
  srt: z.object({ endpoint: optional, passphrase: optional }).nullish(),
});

const streamKey = z.object({ arn: arn('stream-key'), channelArn: channelArn.nullish(), value: text.min(1) });

const stream = z.object({
  channelArn,
  streamId: text.min(1),
  state: optional,
  health: optional,
  // -1: not counted in time.
  viewerCount: z.number().int().min(-1).nullish(),
  startTime: date,
});

const recordingConfiguration = z.object({
  arn: arn('recording-configuration'),
  name: optional,
  state: text,
  destinationConfiguration: z.object({ s3: z.object({ bucketName: text }).nullish() }).nullish(),
});

const adConfiguration = z.object({ arn: arn('ad-configuration'), name: optional });

const playbackRestrictionPolicy = z.object({
  arn: arn('playback-restriction-policy'),
  name: optional,
  // A missing list could not be distinguished from "every one".
  allowedCountries: z.array(text),
  allowedOrigins: z.array(text),
});

const viewerErrors = z
  .array(z.object({ channelArn: channelArn.nullish(), viewerId: text.min(1), code: optional, message: optional }))
  .nullish();

const keyPair = z.object({ arn: arn('playback-key'), name: optional, fingerprint: optional });

const video = z.object({
  codec: optional,
  encoder: optional,
  avcProfile: optional,
  avcLevel: optional,
  profile: optional,
  level: optional,
  videoWidth: count,
  videoHeight: count,
  targetFramerate: count,
  targetBitrate: count,
});
const audio = z.object({ codec: optional, channels: count, sampleRate: count, targetBitrate: count });

const streamSession = z.object({
  streamId: text.min(1),
  startTime: date,
  endTime: date,
  channel: channel.partial({ arn: true }).nullish(),
  recordingConfiguration: z.object({ arn: text }).nullish(),
  ingestConfiguration: z.object({ video: video.nullish(), audio: audio.nullish() }).nullish(),
  ingestConfigurations: z
    .object({ videoConfigurations: z.array(video), audioConfigurations: z.array(audio) })
    .nullish(),
  truncatedEvents: z.array(z.object({ name: optional, type: optional, code: optional, eventTime: date })).nullish(),
});

const batchErrors = z.array(z.object({ arn: optional, code: optional, message: optional })).nullish();

const shapes = {
  BatchGetChannel: z.object({ channels: z.array(channel).nullish(), errors: batchErrors }),
  BatchGetStreamKey: z.object({ streamKeys: z.array(streamKey).nullish(), errors: batchErrors }),
  BatchStartViewerSessionRevocation: z.object({ errors: viewerErrors }),
  CreateChannel: z.object({ channel, streamKey }),
  CreateRecordingConfiguration: z.object({ recordingConfiguration }),
  CreateStreamKey: z.object({ streamKey }),
  DeleteChannel: nothingRead,
  DeletePlaybackKeyPair: nothingRead,
  DeleteRecordingConfiguration: nothingRead,
  DeleteStreamKey: nothingRead,
  GetAdConfiguration: z.object({ adConfiguration }),
  GetChannel: z.object({ channel }),
  GetPlaybackKeyPair: z.object({ keyPair }),
  GetPlaybackRestrictionPolicy: z.object({ playbackRestrictionPolicy }),
  GetRecordingConfiguration: z.object({ recordingConfiguration }),
  GetStream: z.object({ stream: stream.extend({ channelArn: channelArn.nullish() }) }),
  GetStreamKey: z.object({ streamKey }),
  GetStreamSession: z.object({ streamSession }),
  ImportPlaybackKeyPair: z.object({ keyPair }),
  InsertAdBreak: z.object({ adBreakId: text.min(1).max(64) }),
  ListAdConfigurations: z.object({ adConfigurations: z.array(adConfiguration), nextToken: token }),
  ListChannels: z.object({ channels: z.array(channel), nextToken: token }),
  ListPlaybackKeyPairs: z.object({ keyPairs: z.array(keyPair), nextToken: token }),
  ListPlaybackRestrictionPolicies: z.object({
    playbackRestrictionPolicies: z.array(playbackRestrictionPolicy),
    nextToken: token,
  }),
  ListRecordingConfigurations: z.object({
    recordingConfigurations: z.array(recordingConfiguration),
    nextToken: token,
  }),
  ListStreamKeys: z.object({
    streamKeys: z.array(z.object({ arn: arn('stream-key'), channelArn: channelArn.nullish() })),
    nextToken: token,
  }),
  ListStreamSessions: z.object({
    streamSessions: z.array(z.object({ streamId: text.min(1), startTime: date, endTime: date })),
    nextToken: token,
  }),
  ListStreams: z.object({ streams: z.array(stream), nextToken: token }),
  ListTagsForResource: z.object({ tags }),
  PutMetadata: nothingRead,
  StopStream: nothingRead,
  TagResource: nothingRead,
  UntagResource: nothingRead,
  UpdateChannel: z.object({ channel }),
  UpdatePlaybackRestrictionPolicy: z.object({ playbackRestrictionPolicy }),
} as const satisfies Record<ClientOperation, z.ZodType>;

/**
 * Checks an answer; refusals (4xx, 5xx) are left to the SDK.
 * @throws AppError IVS_ANSWER_INVALID if a 2xx answer is not what the operation promises, or is about something that was not requested
 */
export function checkAnswer(operation: ClientOperation, input: object, answer: WireAnswer): void {
  const body = bodyOf(answer);
  const problem = body === undefined ? undefined : problemOf(operation, input, body);
  if (problem !== undefined) throw invalidAnswer('IVS_ANSWER_INVALID', operation, problem);
}

/** Why an answer's body is not trusted; undefined if it is. */
export function problemOf(operation: ClientOperation, input: Asked, body: string): string | undefined {
  const read = readAnswer(shapes[operation], body);
  return 'problem' in read ? read.problem : mismatch(read.answer, input);
}

/** Members of answers about one resource that was requested by its ARN. */
const byArn = [
  'channel',
  'recordingConfiguration',
  'keyPair',
  'streamKey',
  'adConfiguration',
  'playbackRestrictionPolicy',
] as const;

/** Whether an answer is about another resource than the requested one. */
function mismatch(answer: Readonly<Record<string, unknown>>, asked: Asked): string | undefined {
  const resource = (member: string) => (answer[member] ?? {}) as Readonly<Record<string, unknown>>;
  for (const member of byArn) {
    const { arn: found } = resource(member);
    if (asked.arn !== undefined && found !== undefined && found !== asked.arn)
      return `${member}.arn: is not the requested one`;
  }
  for (const member of ['stream', 'streamKey']) {
    const { channelArn: found } = resource(member);
    if (typeof asked.channelArn === 'string' && typeof found === 'string' && found !== asked.channelArn)
      return `${member}.channelArn: is not the requested one`;
  }
  const { streamId } = resource('streamSession');
  if (asked.streamId !== undefined && streamId !== undefined && streamId !== asked.streamId)
    return 'streamSession.streamId: is not the requested one';
  if (Array.isArray(asked.viewerSessions)) return mismatchOfViewers(answer, asked.viewerSessions);
  if (!Array.isArray(asked.arns)) return undefined;
  const told = ['channels', 'streamKeys', 'errors'].flatMap((member) =>
    ((answer[member] ?? []) as { arn?: unknown }[]).map((item) => item.arn),
  );
  return asked.arns.every((one) => told.includes(one)) ? undefined : 'a requested resource is missing';
}

/** Errors about viewers that were not requested. Viewer ids identify people, so the message contains none. */
function mismatchOfViewers(answer: Readonly<Record<string, unknown>>, asked: readonly unknown[]): string | undefined {
  const ids = new Set(asked.map((item) => (item as { viewerId?: unknown }).viewerId));
  const errors = (answer['errors'] ?? []) as { viewerId?: unknown }[];
  return errors.every(({ viewerId }) => ids.has(viewerId))
    ? undefined
    : 'errors: names a viewer that was not requested';
}
