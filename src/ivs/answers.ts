// What an answer of Amazon IVS must hold before the daemon believes it. The SDK reads an empty body, `null` or a list that is not
// there as an object without members, which looks like "nobody is live"; so the body itself is checked, before the SDK reads it.
// Members: https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_Operations.html. Values of enumerations are not
// checked: a new one is no fault. A message names the place and what was expected, never the value: it may be a secret.
import { z } from 'zod';
import { isChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import type { ClientOperation } from './client.ts';

/** Members of a request that its answer must repeat. */
interface Asked {
  readonly arn?: unknown;
  readonly channelArn?: unknown;
  readonly streamId?: unknown;
  readonly arns?: unknown;
}

/** Far above a page of a hundred channels with fifty tags each. */
const maxBodyBytes = 8 * 1024 * 1024;

const text = z.string();
const optional = text.nullish();
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
  truncatedEvents: z.array(z.object({ name: optional, code: optional, eventTime: date })).nullish(),
});

const batchErrors = z.array(z.object({ arn: optional, code: optional, message: optional })).nullish();
/** Of these nothing is read: the status is the answer. */
const nothing = z.object({});

const shapes = {
  BatchGetChannel: z.object({ channels: z.array(channel).nullish(), errors: batchErrors }),
  BatchGetStreamKey: z.object({ streamKeys: z.array(streamKey).nullish(), errors: batchErrors }),
  CreateChannel: z.object({ channel, streamKey }),
  CreateRecordingConfiguration: z.object({ recordingConfiguration }),
  CreateStreamKey: z.object({ streamKey }),
  DeleteChannel: nothing,
  DeletePlaybackKeyPair: nothing,
  DeleteRecordingConfiguration: nothing,
  DeleteStreamKey: nothing,
  GetChannel: z.object({ channel }),
  GetPlaybackKeyPair: z.object({ keyPair }),
  GetRecordingConfiguration: z.object({ recordingConfiguration }),
  GetStream: z.object({ stream: stream.extend({ channelArn: channelArn.nullish() }) }),
  GetStreamKey: z.object({ streamKey }),
  GetStreamSession: z.object({ streamSession }),
  ImportPlaybackKeyPair: z.object({ keyPair }),
  ListChannels: z.object({ channels: z.array(channel), nextToken: token }),
  ListPlaybackKeyPairs: z.object({ keyPairs: z.array(keyPair), nextToken: token }),
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
  PutMetadata: nothing,
  StopStream: nothing,
  TagResource: nothing,
  UntagResource: nothing,
  UpdateChannel: z.object({ channel }),
} as const satisfies Record<ClientOperation, z.ZodType>;

/** Operations that IVS answers without a body (204), or with `{}`. */
const bodiless: ReadonlySet<string> = new Set(
  Object.entries(shapes).flatMap(([operation, shape]) => (shape === (nothing as z.ZodType) ? operation : [])),
);

/** An HTTP answer as the SDK's request handler returns it. */
export interface WireAnswer {
  readonly statusCode: number;
  body?: unknown;
}

/**
 * Reads the whole body of an answer and leaves it there for the SDK. A refusal (4xx, 5xx) is the SDK's to read.
 * @throws AppError IVS_ANSWER_INVALID when a 2xx is not what the operation promises, or is about something else than was asked.
 */
export async function checkAnswer(operation: ClientOperation, input: object, answer: WireAnswer): Promise<void> {
  if (answer.statusCode < 200 || answer.statusCode > 299) return;
  const body = await bodyOf(operation, answer.body);
  answer.body = body;
  const problem = problemOf(operation, input, new TextDecoder().decode(body));
  if (problem !== undefined) throw invalid(operation, problem);
}

/** Why an answer's body is not to be believed; undefined when it is. */
export function problemOf(operation: ClientOperation, input: Asked, body: string): string | undefined {
  if (body === '') return bodiless.has(operation) ? undefined : 'the body is empty';
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return 'the body is no JSON';
  }
  const parsed = shapes[operation].safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return `${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'is not what was expected'}`;
  }
  return mismatch(parsed.data, input);
}

/** An answer about another resource than was asked for. */
function mismatch(answer: Readonly<Record<string, unknown>>, asked: Asked): string | undefined {
  const resource = (member: string) => (answer[member] ?? {}) as Readonly<Record<string, unknown>>;
  for (const member of ['channel', 'recordingConfiguration', 'keyPair', 'streamKey']) {
    const { arn: found } = resource(member);
    if (asked.arn !== undefined && found !== undefined && found !== asked.arn)
      return `${member}.arn: is not the one that was asked for`;
  }
  for (const member of ['stream', 'streamKey']) {
    const { channelArn: found } = resource(member);
    if (typeof asked.channelArn === 'string' && typeof found === 'string' && found !== asked.channelArn)
      return `${member}.channelArn: is not the one that was asked for`;
  }
  const { streamId } = resource('streamSession');
  if (asked.streamId !== undefined && streamId !== undefined && streamId !== asked.streamId)
    return 'streamSession.streamId: is not the one that was asked for';
  if (!Array.isArray(asked.arns)) return undefined;
  const told = ['channels', 'streamKeys', 'errors'].flatMap((member) =>
    ((answer[member] ?? []) as { arn?: unknown }[]).map((item) => item.arn),
  );
  return asked.arns.every((one) => told.includes(one)) ? undefined : 'says nothing of a resource that was asked for';
}

async function bodyOf(operation: ClientOperation, body: unknown): Promise<Uint8Array> {
  if (body === undefined || body === null) return new Uint8Array();
  if (body instanceof Uint8Array) return body;
  if (typeof body === 'string') return new TextEncoder().encode(body);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxBodyBytes) throw invalid(operation, `the body is longer than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function invalid(operation: ClientOperation, problem: string): AppError {
  return new AppError(
    'IVS_ANSWER_INVALID',
    `${operation} answered with something that cannot be believed: ${problem}`,
    {
      details: { operation, problem },
    },
  );
}
