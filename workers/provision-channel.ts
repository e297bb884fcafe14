// provision_channel: makes sure that a channel with this name and these settings exists, and that its key was delivered to its destination.
//
// CreateChannel creates another channel each time, and names are not unique. So the job's channel carries the job's id as a tag: after a
// lost answer or a crash, the next run finds it by that tag.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateChannel.html
import { createHash } from 'node:crypto';
import type { ActionJob } from '#domain/action.ts';
import type { Channel, ChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import { kinds } from '#domain/state-registry.ts';
import { findAdConfiguration } from './ad-configuration.ts';
import { poolTag } from './channel-pool.ts';
import { withLease } from './lease.ts';
import { findPlaybackRestrictionPolicy } from './playback-restriction-policy.ts';
import type { ActionHandler, ChannelDetails, HandlerContext, HandlerResult, NewChannel } from './ports.ts';
import { onlyIfFailsFresh, planned } from './preconditions.ts';
import { assertActive, findRecordingConfiguration } from './recording-configuration.ts';
import { deliverKey } from './stream-key.ts';

type Job = ActionJob<'provision_channel'>;

/** The tag by which a run finds what an earlier run of the same job made. */
export const provisionTag = 'ivs-autopilot:provision';

export const provisionChannel: ActionHandler<'provision_channel'> = async (job, context) => {
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  const wanted = await wantedOf(job, context);
  if (job.dryRun) return plan(job, context, wanted);
  return withLease(context, `channel-name|${job.params.name}`, async (fence) => {
    const sink = job.params.deliver === undefined ? undefined : context.sink(job);
    const provisionId = wanted.tags[provisionTag]!;
    let channel = await findChannel(context, wanted);
    const isOurs = channel?.tags[provisionTag] === provisionId;
    context.check('channel_name', channel === undefined || isOurs, {
      asked: { name: wanted.name, exists: false },
      found: { channelArn: channel?.arn ?? null },
    });
    if (channel && !isOurs)
      return { outcome: 'already_done', reason: 'exists', channelArn: channel.arn, before: shown(channel) };
    if (!channel) {
      if (sink) {
        await context.progress('check_sink', { sink: sink.description });
        await sink.check(context.signal);
      }
      await context.progress('create_channel', { name: wanted.name });
      await fence.renew();
      channel = await context.ivs.createChannel(wanted, { signal: context.signal });
    }
    const { arn } = channel;
    const known: Channel = { ...channel, arn: arn as ChannelArn };
    // Rules and requests know the channel at once, not only after the next listing.
    await fence.commit((tx) => tx.set(kinds.channel.of(arn), known));
    await context.progress('key', { channelArn: arn });
    const keyArn = await deliverKey(context, arn, { sink, fence, provisionId });
    await context.progress('verify', { channelArn: arn });
    const after = await context.ivs.getChannel(arn, { signal: context.signal });
    assertSame(after, wanted);
    return {
      outcome: 'done',
      channelArn: arn,
      keyArn,
      ...(sink ? { deliveredTo: sink.description } : {}),
      before: { exists: false },
      after: shown(after),
    };
  });
};

/** The wanted channel. @throws AppError if something that it names does not exist */
async function wantedOf(job: Job, context: HandlerContext): Promise<NewChannel> {
  const { params } = job;
  const { name, type = 'STANDARD', authorized = false, latency_mode: latencyMode = 'LOW', tags = {} } = params;
  const isNamed = (given: string | undefined): given is string => given !== undefined && given !== 'none';
  let recordingConfigurationArn = '';
  if (isNamed(params.recording)) {
    const configuration = await findRecordingConfiguration(params.recording, context);
    assertActive(configuration);
    recordingConfigurationArn = configuration.arn;
  }
  return {
    name,
    type,
    latencyMode,
    authorized,
    recordingConfigurationArn,
    adConfigurationArn: isNamed(params.ad_configuration)
      ? (await findAdConfiguration(params.ad_configuration, context)).arn
      : '',
    playbackRestrictionPolicyArn: isNamed(params.playback_restriction)
      ? (await findPlaybackRestrictionPolicy(params.playback_restriction, context)).arn
      : '',
    tags: {
      ...tags,
      ...(params.pool === undefined ? {} : { [poolTag]: params.pool }),
      [provisionTag]: provisionIdOf(job),
    },
  };
}

/** The channel with this name: the one that this job made, or another one with the same settings. @throws AppError CHANNEL_NAME_TAKEN */
async function findChannel(context: HandlerContext, wanted: NewChannel): Promise<ChannelDetails | undefined> {
  const { ivs, signal } = context;
  const arns = await ivs.listChannelsByName(wanted.name, { signal });
  const channels = await Promise.all(arns.map((arn) => ivs.getChannel(arn, { signal })));
  const ours = channels.find(({ tags }) => tags[provisionTag] === wanted.tags[provisionTag]);
  const [other] = channels;
  if (ours || !other) return ours;
  const different = differences(other, wanted);
  if (channels.length === 1 && different.length === 0) return other;
  const why = channels.length > 1 ? `${channels.length} channels have it` : `it differs in ${different.join(', ')}`;
  throw new AppError(
    'CHANNEL_NAME_TAKEN',
    `the name ${wanted.name} is that of ${channels.map(({ arn }) => arn).join(', ')}: ${why}; nothing was made`,
  );
}

const settings = [
  'type',
  'latencyMode',
  'authorized',
  'recordingConfigurationArn',
  'adConfigurationArn',
  'playbackRestrictionPolicyArn',
] as const;

/** Settings and tags in which a channel differs from what is wanted; additional tags do not count. */
function differences(channel: ChannelDetails, wanted: NewChannel): string[] {
  const tags = Object.entries(wanted.tags).filter(([key]) => key !== provisionTag);
  return [
    ...settings.filter((name) => channel[name] !== wanted[name]),
    ...tags.filter(([key, value]) => channel.tags[key] !== value).map(([key]) => `the tag ${key}`),
  ];
}

/** @throws AppError CHANNEL_SETTING_UNSETTLED */
function assertSame(channel: ChannelDetails, wanted: NewChannel): void {
  const different = differences(channel, wanted);
  if (different.length > 0)
    throw new AppError(
      'CHANNEL_SETTING_UNSETTLED',
      `${channel.arn} was made, and somebody else has changed ${different.join(', ')} since`,
    );
}

async function plan(job: Job, context: HandlerContext, wanted: NewChannel): Promise<HandlerResult> {
  const found = await findChannel(context, wanted);
  if (found) return planned([], shown(found));
  const parts = settings.filter((name) => wanted[name] !== '').map((name) => `${name}=${String(wanted[name])}`);
  return planned(
    [
      `CreateChannel ${wanted.name} ${parts.join(' ')}`,
      ...(job.params.deliver ? [`deliver its stream key to ${context.sink(job).description}`] : []),
      'GetChannel',
    ],
    { exists: false },
  );
}

function shown({ arn, name, type, tags, ...rest }: ChannelDetails): object {
  return {
    arn,
    name,
    type,
    tags,
    ...Object.fromEntries(settings.map((setting) => [setting, { type, ...rest }[setting]])),
  };
}

/** The same for every run of a job. */
function provisionIdOf(job: Job): string {
  return createHash('sha256')
    .update(JSON.stringify([job.cause, job.decidedAtMs, job.params]))
    .digest('hex')
    .slice(0, 24);
}
