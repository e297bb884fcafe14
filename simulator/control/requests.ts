// The request bodies of the control API. Unknown members are refused: a misspelt one must not make a test pass by accident.

import { z } from 'zod';
import { LIMIT_UNITS } from '../events/event.ts';

/** ARNs or names of channels. */
const channels = z.array(z.string()).min(1);

const viewers = z.union([
  z.number().int().min(-1),
  z.strictObject({
    target: z.number().int().min(0),
    rampMs: z.number().min(0).default(0),
    wobble: z.number().min(0).max(1).default(0),
  }),
]);

const media = z
  .strictObject({
    width: z.number().int(),
    height: z.number().int(),
    framerate: z.number(),
    videoBitrate: z.number().int(),
    videoCodec: z.string(),
    audioBitrate: z.number().int(),
    audioCodec: z.string(),
    audioSampleRate: z.number().int(),
    audioChannels: z.number().int(),
    encoder: z.string(),
    tracks: z.array(
      z.strictObject({
        width: z.number().int(),
        height: z.number().int(),
        videoBitrate: z.number().int(),
        framerate: z.number().optional(),
        videoCodec: z.string().optional(),
      }),
    ),
  })
  .partial();

export const channelSpec = z.strictObject({
  name: z
    .string()
    .regex(/^[a-zA-Z0-9-_]{0,128}$/)
    .optional(),
  tags: z.record(z.string(), z.string()).optional(),
  type: z.enum(['BASIC', 'STANDARD', 'ADVANCED_SD', 'ADVANCED_HD']).optional(),
  latencyMode: z.enum(['NORMAL', 'LOW']).optional(),
  recordingConfigurationArn: z.string().optional(),
  authorized: z.boolean().optional(),
  insecureIngest: z.boolean().optional(),
  preset: z.enum(['', 'HIGHER_BANDWIDTH_DELIVERY', 'CONSTRAINED_BANDWIDTH_DELIVERY']).optional(),
  containerFormat: z.enum(['TS', 'FRAGMENTED_MP4']).optional(),
  multitrackInputConfiguration: z
    .strictObject({
      enabled: z.boolean(),
      policy: z.enum(['ALLOW', 'REQUIRE']),
      maximumResolution: z.enum(['SD', 'HD', 'FULL_HD']),
    })
    .optional(),
  playbackRestrictionPolicyArn: z.string().optional(),
  adConfigurationArn: z.string().optional(),
  ads: z.boolean().optional(),
});

export const createChannels = z.union([
  z.strictObject({ channels: z.array(channelSpec) }),
  channelSpec.extend({ count: z.number().int().min(1).max(100_000), namePrefix: z.string().optional() }),
]);

export const encoderSetup = z.strictObject({
  streamKey: z.string().optional(),
  priority: z.number().optional(),
  media: media.optional(),
  viewers: viewers.optional(),
  health: z.enum(['HEALTHY', 'UNKNOWN']).optional(),
  rejectWith: z.string().optional(),
  transcodeFails: z.boolean().optional(),
  autoReconnect: z.boolean().optional(),
  reconnectMs: z.number().min(0).optional(),
  reconnectAttempts: z.number().int().min(1).optional(),
});

export const connect = encoderSetup.extend({ channels });
export const onChannels = z.strictObject({ channels });
export const setViewers = z.strictObject({ channels, viewers });

export const adBreak = z.strictObject({ channels, durationSeconds: z.number().int().min(1).max(300) });

export const breach = z.strictObject({
  limit: z.enum(Object.keys(LIMIT_UNITS) as [keyof typeof LIMIT_UNITS, ...(keyof typeof LIMIT_UNITS)[]]),
  limitValue: z.number(),
  value: z.number(),
  unit: z.string().optional(),
  channel: z.string().optional(),
});

const duration = z.union([z.number().min(0), z.tuple([z.number().min(0), z.number().min(0)])]);

export const faultRule = z.strictObject({
  operation: z.string().optional(),
  channelArn: z.string().optional(),
  probability: z.number().min(0).max(1).optional(),
  nth: z.number().int().min(1).optional(),
  times: z.number().int().min(1).optional(),
  latencyMs: duration.optional(),
  answerLatencyMs: duration.optional(),
  error: z.string().optional(),
  status: z.number().int().min(400).max(599).optional(),
  message: z.string().optional(),
  answer: z
    .strictObject({
      status: z.number().int().min(200).max(599),
      headers: z.record(z.string(), z.string()),
      text: z.string(),
      json: z.unknown(),
      members: z.record(z.string(), z.unknown()),
      pages: z.enum(['same-token', 'new-tokens']),
    })
    .partial()
    .refine((answer) => ['text', 'json', 'members', 'pages'].filter((name) => Object.hasOwn(answer, name)).length < 2, {
      message: 'an answer is one of text, json, members and pages',
    })
    .optional(),
  reset: z.enum(['before-effect', 'after-effect', 'half-way']).optional(),
  hang: z.enum(['no-answer', 'after-headers', 'half-way']).optional(),
  drip: z.strictObject({ bytes: z.number().int().min(1).optional(), everyMs: z.number().min(0) }).optional(),
});

const chance = z.number().min(0).max(1);

export const deliveryPolicy = z
  .strictObject({
    missing: chance,
    doubled: chance,
    late: chance,
    lateMs: z.tuple([z.number().min(0), z.number().min(0)]),
    reordered: chance,
  })
  .partial();

export const nextFate = z.strictObject({
  fate: z.enum(['missing', 'doubled', 'late', 'reordered']),
  name: z.string().optional(),
  channelArn: z.string().optional(),
  lateMs: z.number().min(0).optional(),
  times: z.number().int().min(1).optional(),
});

export const advance = z.strictObject({ ms: z.number().min(0) });
export const clockRate = z.strictObject({ rate: z.number().min(0).max(100_000) });

const count = z.number().int().min(0);

export const settingsChange = z.strictObject({
  enforcement: z.enum(['sliding-window', 'token-bucket', 'off']).optional(),
  quotas: z
    .strictObject({
      channels: count,
      concurrentStreams: count,
      concurrentViews: count,
      streamKeysPerChannel: count,
      recordingConfigurations: count,
      playbackKeyPairs: count,
      takeoversPerStream: count,
      adConfigurations: count,
      playbackRestrictionPolicies: count,
      countriesPerPolicy: count,
      originsPerPolicy: count,
    })
    .partial()
    .optional(),
  timings: z
    .strictObject({
      sessionToStartMs: count,
      sessionEndToStreamEndMs: count,
      lossTimeoutMs: count,
      encoderReconnectMs: count,
      recordingWriteMs: count,
      recordingConfigurationMs: count,
      adBreakLeadMs: count,
    })
    .partial()
    .optional(),
  switches: z
    .strictObject({
      updateLiveChannel: z.enum(['conflict', 'next-stream']),
      throttleError: z.enum(['ThrottlingException', 'TooManyRequestsException']),
      errorBody: z.enum(['exceptionMessage', 'both']),
      limitField: z.enum(['limit_name', 'limit']),
      eventRegion: z.enum(['channel', 'us-east-1']),
      metadataBytes: z.number().int().min(1),
      foreignBucket: z.enum(['create-failed', 'validation-error']),
      originLength: z.union([z.literal(128), z.literal(256)]),
    })
    .partial()
    .optional(),
});

/** Buckets with a problem, by name. */
export const buckets = z.strictObject({
  buckets: z.record(
    z.string(),
    z.strictObject({ region: z.string().optional(), kmsEncrypted: z.boolean().optional() }),
  ),
});

/** MediaTailor playback configurations with a problem, by ARN. */
export const playbackConfigurations = z.strictObject({
  playbackConfigurations: z.record(
    z.string(),
    z.strictObject({ missing: z.boolean().optional(), contentSource: z.string().optional() }),
  ),
});

/** A scenario's text; `channels` replaces the size of its first group. */
export const scenario = z.strictObject({ yaml: z.string(), channels: z.number().int().min(1).max(100_000).optional() });
