// Checks that what an operator action names exists: channels, receivers, recording configurations, files. The caller gets the error at
// once, instead of somebody finding a failed job later.
import { dirname } from 'node:path';
import { type ActionName, type ActionParams, namedFiles } from '#domain/action.ts';
import type { Channel, ChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import { type FileAuthority, namedSecrets } from '#shard/file-authority.ts';
import type { IvsLookups } from '#shard/ivs-lookups.ts';

/** What these checks need of the shard that a request is for. */
export interface CheckedShard {
  readonly name: string;
  readonly region: string;
  readonly state: SharedState;
  /** The rules in force, and the receivers. */
  readonly ruleset: Ruleset;
  readonly lookups: IvsLookups;
  /** Reads one channel from IVS now; undefined if there is none. @throws AppError if IVS gives no answer */
  refreshChannel(arn: ChannelArn): Promise<Channel | undefined>;
  /** Time between two calls of InsertAdBreak, from the quota. */
  adBreakSpacingMs(): number;
}

/** Refuses a channel that cannot have ads. If IVS gives no answer, the job will find out. @throws AppError AD_BREAK_IMPOSSIBLE */
export async function assertAdBreakPossible(shard: Pick<CheckedShard, 'lookups'>, channelArn: string): Promise<void> {
  const problem = await shard.lookups.adBreakProblem(channelArn).catch(() => undefined);
  if (problem !== undefined) throw new AppError('AD_BREAK_IMPOSSIBLE', `body.channelArn: ${channelArn} ${problem}`);
}

/** The parameter that names a receiver. */
const receiverFields: Readonly<Partial<Record<ActionName, string>>> = {
  capture_session: 'notify',
  notify: 'receiver',
  report: 'receiver',
};

/** IVS is asked, one by one, about at most this many channels that the inventory does not know; more need a listing. */
const mostUnknownAsked = 20;

/**
 * Refuses channels that do not exist, because nobody might notice that their job failed. A channel that the inventory does not know may
 * have been created a moment ago, so IVS is asked; if it gives no answer, the job will find out.
 * @throws AppError CHANNEL_UNKNOWN
 */
export async function assertChannelsKnown(
  shard: Pick<CheckedShard, 'name' | 'region' | 'state' | 'refreshChannel'>,
  arns: readonly string[],
  place: string,
): Promise<void> {
  const { view } = shard.state;
  const missing = () =>
    arns.filter((arn) => view.get(kinds.channel.of(arn)) === undefined && !isLive(view.get(kinds.stream.of(arn))));
  if (missing().length === 0) return;
  // Another replica may have listed them.
  await shard.state.refresh();
  const unlisted = missing();
  if (unlisted.length > mostUnknownAsked) {
    if (view.count(kinds.channel) === 0) return;
    throw unknownChannels(place, unlisted, 'the inventory; if they are new, POST /v1/channels/refresh reads it again');
  }
  const asked = await Promise.all(
    unlisted.map(async (arn) => ({
      arn,
      gone: await shard.refreshChannel(arn as ChannelArn).then(
        (channel) => channel === undefined,
        () => false,
      ),
    })),
  );
  const gone = asked.filter((each) => each.gone).map(({ arn }) => arn);
  if (gone.length > 0) throw unknownChannels(place, gone, `IVS in account ${shard.name}, ${shard.region}`);
}

/**
 * Checks that what the parameters name exists, so that the caller gets the error instead of somebody finding a failed job. If IVS gives no
 * answer, the job will find out.
 * @throws AppError RECEIVER_UNKNOWN, WEBHOOK_REFUSED, RECORDING_CONFIGURATION_…, AD_CONFIGURATION_…, PLAYBACK_RESTRICTION_…
 */
export async function assertNames(
  shard: Pick<CheckedShard, 'ruleset' | 'lookups'>,
  action: ActionName,
  all: readonly ActionParams[],
): Promise<void> {
  const named = (field: string) =>
    new Set(
      all
        .map((params) => (params as Readonly<Record<string, unknown>>)[field])
        .filter((each) => typeof each === 'string'),
    );
  const place = `body.action.${action}`;
  const receivers = shard.ruleset.receivers.map(({ name }) => name);
  const receiverField = receiverFields[action];
  for (const receiver of receiverField ? named(receiverField) : [])
    if (!receivers.includes(receiver))
      throw new AppError(
        'RECEIVER_UNKNOWN',
        `${place}.${receiverField}: the configuration has no receiver "${receiver}"${didYouMean(receiver, receivers)}; it has ${receivers.join(', ') || 'none'}`,
      );
  if (action === 'webhook')
    for (const { url, url_file: file } of all as readonly ActionParams<'webhook'>[])
      if ((url === undefined) === (file === undefined))
        throw new AppError('WEBHOOK_REFUSED', `${place}: a webhook needs exactly one of url and url_file`);
  for (const resource of namedResources[action] ?? []) {
    const { field, codes } = resource;
    for (const name of named(field)) {
      if (name === 'none' && mayBeNone.has(action)) continue;
      await resource.find(shard.lookups, name).catch((error: unknown) => {
        if (error instanceof AppError && error.code.startsWith(codes))
          throw new AppError(error.code, `${place}.${field}: ${error.message}`, { cause: error });
      });
    }
  }
}

/** `none` removes what the field names. */
const mayBeNone: ReadonlySet<ActionName> = new Set([
  'set_recording',
  'set_ad_configuration',
  'set_playback_restriction',
  'provision_channel',
]);

interface NamedResource {
  readonly field: string;
  /** Prefixes of the codes that mean that the name is wrong. */
  readonly codes: string;
  find(lookups: IvsLookups, name: string): Promise<unknown>;
}

const recordingConfiguration: NamedResource = {
  field: 'configuration',
  codes: 'RECORDING_CONFIGURATION_',
  find: (lookups, name) => lookups.recordingConfiguration(name),
};
const adConfiguration: NamedResource = {
  field: 'configuration',
  codes: 'AD_CONFIGURATION_',
  find: (lookups, name) => lookups.adConfiguration(name),
};
const playbackRestrictionPolicy: NamedResource = {
  field: 'policy',
  codes: 'PLAYBACK_RESTRICTION_',
  find: (lookups, name) => lookups.playbackRestrictionPolicy(name),
};

/** The resources in IVS that an action names. */
const namedResources: Readonly<Partial<Record<ActionName, readonly NamedResource[]>>> = {
  set_recording: [recordingConfiguration],
  retire_recording_configuration: [recordingConfiguration],
  set_ad_configuration: [adConfiguration],
  set_playback_restriction: [playbackRestrictionPolicy],
  edit_playback_restriction: [playbackRestrictionPolicy],
  provision_channel: [
    { ...recordingConfiguration, field: 'recording' },
    { ...adConfiguration, field: 'ad_configuration' },
    { ...playbackRestrictionPolicy, field: 'playback_restriction' },
  ],
};

/** Whether the action puts an ad configuration on its channel. */
export function givesAds(action: ActionName, params: ActionParams): boolean {
  return action === 'set_ad_configuration' && 'configuration' in params && params.configuration !== 'none';
}

/**
 * Ads need MPEG-TS. IVS is asked about a few channels whose format is unknown; if it gives no answer, the job will find out.
 * @throws AppError AD_CONFIGURATION_IMPOSSIBLE
 */
export async function assertAdsPossible(
  shard: Pick<CheckedShard, 'state' | 'refreshChannel'>,
  arns: readonly string[],
  place: string,
): Promise<void> {
  const formatOf = (arn: string) => shard.state.view.get(kinds.channel.of(arn))?.containerFormat;
  const unknown = arns.filter((arn) => formatOf(arn) === undefined);
  if (unknown.length <= mostUnknownAsked)
    await Promise.all(unknown.map((arn) => shard.refreshChannel(arn as ChannelArn).catch(() => undefined)));
  const others = arns.filter((arn) => formatOf(arn) === 'FRAGMENTED_MP4');
  if (others.length === 0) return;
  const more = others.length > 1 ? ` and ${others.length - 1} more` : '';
  throw new AppError(
    'AD_CONFIGURATION_IMPOSSIBLE',
    `${place}: ${others[0]}${more}: containerFormat is FRAGMENTED_MP4, and ads need TS; nothing was done`,
    { details: { channelArns: others.slice(0, 20) } },
  );
}

/** One file of each folder is checked, however many channels there are; each job checks again when it runs. */
export async function assertFiles(
  files: Pick<FileAuthority, 'assertRequest'>,
  jobs: readonly Parameters<FileAuthority['assertRequest']>[0][],
): Promise<void> {
  const folders = (params: ActionParams) => namedFiles(params).map(({ place, path }) => [...place, dirname(path)]);
  const apart = new Map(jobs.map((job) => [JSON.stringify([folders(job.params), namedSecrets(job.params)]), job]));
  for (const job of apart.values()) await files.assertRequest(job);
}

function isLive(record: StreamRecord | undefined): boolean {
  return record?.state === 'live';
}

function unknownChannels(place: string, arns: readonly string[], where: string): AppError {
  const more = arns.length > 1 ? ` and ${arns.length - 1} more` : '';
  return new AppError('CHANNEL_UNKNOWN', `${place}: ${arns[0]}${more}: unknown to ${where}; nothing was done`, {
    details: { channelArns: arns.slice(0, 20) },
  });
}
