// Lint of a configuration file: the findings about its rules, with their places.
import type { Channel } from '#domain/channel.ts';
import { durationMs } from '#domain/duration.ts';
import { lint } from '#rules/lint/lint.ts';
import type { Config } from './load.ts';
import type { Problem } from './problem.ts';

/** PutMetadata calls per second and account. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html */
const putMetadataPerSecond = 155;

/** What is known of the channels: all of them, or only how many. */
export interface KnownChannels {
  readonly channels?: readonly Channel[] | undefined;
  readonly channelCount?: number | undefined;
}

/** What is suspicious in a valid configuration; with the channels there are, also what fits none of them. */
export function lintConfig(config: Config, known: KnownChannels = {}): Problem[] {
  const { limits, metadata } = config.settings;
  const perSecond = (limits.operations.PutMetadata?.account ?? putMetadataPerSecond) * limits.share;
  return lint(config.ruleset, {
    maxPayloadBytes: metadata.max_bytes,
    putMetadataPerSecond: Math.max(1, Math.floor(perSecond)),
    unknownFields: config.settings.lint.unknown_fields,
    defaultExpiresMs: durationMs(metadata.default_expires),
    ...known,
  }).map(config.locate);
}
