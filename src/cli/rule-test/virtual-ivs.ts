// Amazon IVS as one job of a rule test sees it: the channels of the virtual world, answers and refusals like those of AWS, and a record of
// every call. In a world that reacts, a stopped stream has ended for everybody; otherwise only for the job that stopped it.
import type { Channel, ChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import { Secret } from '#domain/secret.ts';
import type { ChannelDetails, IvsActions, StreamSession } from '#workers/ports.ts';
import type { JobLog } from './call-log.ts';
import type { VirtualAccount } from './virtual-account.ts';
import type { VirtualChannel, VirtualWorld } from './world.ts';

export interface VirtualIvsOptions {
  readonly world: VirtualWorld;
  readonly account: VirtualAccount;
  readonly log: JobLog;
  readonly jobId: string;
  readonly reacts: boolean;
}

/** The calls of one job. */
export function virtualIvs({ world, account, log, jobId, reacts }: VirtualIvsOptions): IvsActions {
  const find = (arn: string): VirtualChannel => {
    const channel = world.channels.get(arn as ChannelArn);
    if (!channel) throw new AppError('IVS_NOT_FOUND', `there is no channel ${arn}`);
    return channel;
  };
  const streamOf = (arn: string) => {
    const { stream } = find(arn);
    return stream && !account.stoppedFor.has(`${jobId}|${stream.streamId}`) ? stream : undefined;
  };
  const liveStreamOf = (arn: string) => {
    const stream = streamOf(arn);
    if (!stream) throw new AppError('IVS_NOT_BROADCASTING', `${arn} is not live`);
    return stream;
  };
  const tagsOf = (arn: string) => account.tags.get(arn) ?? find(arn).channel.tags;
  const change = (arn: string, settings: Partial<Channel>) => {
    const next: Channel = { ...find(arn).channel, ...settings };
    if (reacts) world.changeChannel(arn as ChannelArn, next);
    else if (settings.tags) account.tags.set(arn, settings.tags);
    else find(arn).channel = next;
  };
  const recordingName = (arn: string) => account.recordings.find((each) => each.arn === arn)?.name ?? (arn || 'none');

  return {
    async getStream(arn) {
      log.read('GetStream', arn);
      const { streamId, health, startTimeMs } = liveStreamOf(arn);
      return { streamId, health, startTimeMs, viewerCount: find(arn).viewerCount };
    },
    async stopStream(arn) {
      log.change('StopStream', arn);
      const { streamId } = liveStreamOf(arn);
      if (reacts) world.setHealth(arn as ChannelArn, 'OFFLINE');
      else account.stoppedFor.add(`${jobId}|${streamId}`);
    },
    async insertAdBreak(arn, durationSeconds) {
      log.change('InsertAdBreak', arn, `${durationSeconds}s`);
      liveStreamOf(arn);
      const until = account.adBreaks.get(arn) ?? 0;
      if (world.nowMs < until) throw new AppError('IVS_CONFLICT', `an ad break is running on ${arn}`);
      account.adBreaks.set(arn, world.nowMs + 10_000 + durationSeconds * 1000);
      const detail = { event_name: 'Ad Break Inserted', duration_seconds: durationSeconds };
      if (reacts) world.sendEvent(arn as ChannelArn, 'IVS Ad Break State Change', detail);
      return { adBreakId: 'virtual00001' };
    },
    async getStreamSession(arn, streamId): Promise<StreamSession> {
      log.read('GetStreamSession', arn);
      const { channel, stream, last } = find(arn);
      const id = streamId ?? stream?.streamId ?? last;
      if (id === undefined) throw new AppError('IVS_NOT_FOUND', `${arn} has had no stream`);
      const live = stream?.streamId === id ? stream : undefined;
      return {
        streamId: id,
        startTimeMs: live?.startTimeMs,
        endTimeMs: undefined,
        maximumResolution: '',
        channelType: channel.type,
        video: [],
        audio: [],
        recordingConfigurationArn: live?.recordingConfigurationArn ?? '',
        adConfigurationArn: undefined,
        playbackRestrictionPolicyArn: undefined,
        events: [],
      };
    },
    async getChannels(arns) {
      return arns.map((arn) => ({ ...find(arn).channel, tags: tagsOf(arn) }));
    },
    async getChannel(arn): Promise<ChannelDetails> {
      log.read('GetChannel', arn);
      const unlessTold = {
        adConfigurationArn: 'any',
        playbackRestrictionPolicyArn: '',
        containerFormat: 'TS',
        authorized: false,
      };
      return { ...unlessTold, ...find(arn).channel, tags: tagsOf(arn) };
    },
    async updateChannel(arn, changed) {
      const { recordingConfigurationArn: recording, adConfigurationArn: ads } = changed;
      const { playbackRestrictionPolicyArn: policy } = changed;
      const isLive = streamOf(arn) !== undefined;
      const settings = [
        ...(recording === undefined ? [] : [`recording=${recordingName(recording)}`]),
        ...(ads === undefined ? [] : [`ads=${account.nameOf(ads)}`]),
        ...(policy === undefined ? [] : [`policy=${account.nameOf(policy)}`]),
        ...(isLive ? ['(refused: the channel is live)'] : []),
      ];
      log.change('UpdateChannel', arn, settings.join(' '));
      if (isLive) throw new AppError('IVS_CONFLICT', `${arn} is live`);
      change(arn, changed);
    },
    async createChannel(channel) {
      const arn = account.newArn('channel') as ChannelArn;
      log.change('CreateChannel', undefined, channel.name);
      const made: Channel = { ...channel, arn, containerFormat: 'TS' };
      await world.setChannels([{ channel: made }]);
      return { ...channel, arn, containerFormat: 'TS' };
    },
    async listChannelsByName(name) {
      log.read('ListChannels', undefined, `name=${name}`);
      const channels = Array.from(world.channels.values(), ({ channel }) => channel);
      return channels.filter((channel) => channel.name === name).map(({ arn }) => arn);
    },
    async deleteChannel(arn) {
      log.change('DeleteChannel', arn);
      if (streamOf(arn)) throw new AppError('IVS_CONFLICT', `${arn} is live`);
      if (reacts) world.changeChannel(arn as ChannelArn, undefined);
    },
    async listChannelsByRecordingConfiguration(arn) {
      log.read('ListChannels', undefined, `recording=${recordingName(arn)}`);
      const channels = Array.from(world.channels.values(), ({ channel }) => channel);
      return channels.filter((each) => each.recordingConfigurationArn === arn).map((each) => each.arn);
    },
    async listChannelsByPlaybackRestrictionPolicy(arn) {
      log.read('ListChannels', undefined, `policy=${account.nameOf(arn)}`);
      const channels = Array.from(world.channels.values(), ({ channel }) => channel);
      return channels.filter((each) => each.playbackRestrictionPolicyArn === arn).map((each) => each.arn);
    },
    async listAdConfigurations() {
      log.read('ListAdConfigurations');
      return [...account.adConfigurations];
    },
    async getAdConfiguration(arn) {
      log.read('GetAdConfiguration', undefined, account.nameOf(arn));
      return found(account.adConfigurations, arn);
    },
    async listPlaybackRestrictionPolicies() {
      log.read('ListPlaybackRestrictionPolicies');
      return [...account.policies];
    },
    async getPlaybackRestrictionPolicy(arn) {
      log.read('GetPlaybackRestrictionPolicy', undefined, account.nameOf(arn));
      return found(account.policies, arn);
    },
    async updatePlaybackRestrictionPolicy(arn, changed) {
      log.change('UpdatePlaybackRestrictionPolicy', undefined, `${account.nameOf(arn)} ${JSON.stringify(changed)}`);
      account.changePolicy({ ...found(account.policies, arn), ...changed });
    },
    async revokeViewerSessions(arn, { viewerIds, versionsUpTo }) {
      find(arn);
      log.change('BatchStartViewerSessionRevocation', arn, `viewers=${viewerIds.length} versions<=${versionsUpTo}`);
      return [];
    },
    async listStreamKeys(arn) {
      log.read('ListStreamKeys', arn);
      find(arn);
      return [...account.keysOf(arn)];
    },
    async getStreamKey(keyArn) {
      const channelArn = account.channelOfKey(keyArn);
      log.read('GetStreamKey', channelArn);
      if (channelArn === undefined) throw new AppError('IVS_NOT_FOUND', `there is no stream key ${keyArn}`);
      return { arn: keyArn, value: new Secret(keyArn) };
    },
    async createStreamKey(arn) {
      log.change('CreateStreamKey', arn);
      find(arn);
      if (account.keysOf(arn).length > 0) throw new AppError('IVS_QUOTA_EXCEEDED', `${arn} has a stream key`);
      const keyArn = account.addKey(arn);
      return { arn: keyArn, value: new Secret(keyArn) };
    },
    async deleteStreamKey(keyArn) {
      const channelArn = account.deleteKey(keyArn);
      log.change('DeleteStreamKey', channelArn);
      if (channelArn === undefined) throw new AppError('IVS_NOT_FOUND', `there is no stream key ${keyArn}`);
    },
    async listRecordingConfigurations() {
      log.read('ListRecordingConfigurations');
      return [...account.recordings];
    },
    async getRecordingConfiguration(arn) {
      log.read('GetRecordingConfiguration', undefined, recordingName(arn));
      const found = account.recordings.find((each) => each.arn === arn);
      if (!found) throw new AppError('IVS_NOT_FOUND', `there is no recording configuration ${arn}`);
      return found;
    },
    async createRecordingConfiguration({ name, bucketName }) {
      log.change('CreateRecordingConfiguration', undefined, `${name} bucket=${bucketName}`);
      return account.addRecording(name, bucketName);
    },
    async deleteRecordingConfiguration(arn) {
      log.change('DeleteRecordingConfiguration', undefined, recordingName(arn));
      account.forgetRecording(arn);
    },
    async listPlaybackKeyPairs() {
      log.read('ListPlaybackKeyPairs');
      return [...account.keyPairs];
    },
    async importPlaybackKeyPair({ name }) {
      log.change('ImportPlaybackKeyPair', undefined, name);
      const arn = account.newArn('playback-key');
      const pair = { arn, name, fingerprint: arn };
      account.keyPairs.push(pair);
      return pair;
    },
    async getPlaybackKeyPair(arn) {
      log.read('GetPlaybackKeyPair');
      return found(account.keyPairs, arn);
    },
    async deletePlaybackKeyPair(arn) {
      const at = account.keyPairs.findIndex((pair) => pair.arn === arn);
      log.change('DeletePlaybackKeyPair', undefined, account.keyPairs[at]?.name ?? arn);
      if (at < 0) throw new AppError('IVS_NOT_FOUND', `there is no playback key pair ${arn}`);
      account.keyPairs.splice(at, 1);
    },
    async listTagsForResource(arn) {
      log.read('ListTagsForResource', arn);
      return tagsOf(arn);
    },
    async tagResource(arn, tags) {
      log.change('TagResource', arn, JSON.stringify(tags));
      change(arn, { tags: { ...tagsOf(arn), ...tags } });
    },
    async untagResource(arn, keys) {
      log.change('UntagResource', arn, keys.join(' '));
      const left = Object.entries(tagsOf(arn)).filter(([key]) => !keys.includes(key));
      change(arn, { tags: Object.fromEntries(left) });
    },
  };
}

function found<T extends { readonly arn: string }>(all: readonly T[], arn: string): T {
  const one = all.find((each) => each.arn === arn);
  if (!one) throw new AppError('IVS_NOT_FOUND', `there is no ${arn}`);
  return one;
}
