// Which permissions exist: each operation is really called, once and through the limiter, on resources that cannot exist. An answer of "not
// found" or "not valid" means that the call is allowed; nothing can be changed by it.
import type { ChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import type { IvsClientPort } from '#ivs/client.ts';
import type { OperationName } from '#ivs/limits.ts';
import { explainAwsFailure } from '../aws-failure.ts';
import { type Check, green, red, type Verdict } from './check.ts';

export interface PermissionOptions {
  readonly client: IvsClientPort;
  readonly operations: readonly OperationName[];
  readonly region: string;
  readonly account: string;
}

type Probe = (signal: AbortSignal) => Promise<unknown>;

/** A call for each operation the daemon can use. The names are as long as real ones, and belong to nobody. */
function probes({ client, region, account }: PermissionOptions): Partial<Record<OperationName, Probe>> {
  const arn = (type: string) => `arn:aws:ivs:${region}:${account}:${type}/DoctorNobody`;
  const channelArn = arn('channel') as ChannelArn;
  const policy = arn('playback-restriction-policy');
  return {
    ListStreams: (signal) => client.listStreams({ maxResults: 1 }, { signal }),
    ListChannels: (signal) => client.listChannels({ maxResults: 1 }, { signal }),
    GetStream: (signal) => client.getStream({ channelArn }, { signal }),
    GetChannel: (signal) => client.getChannel({ arn: channelArn }, { signal }),
    BatchGetStreamKey: (signal) => client.batchGetStreamKey({ arns: [arn('stream-key')] }, { signal }),
    BatchGetChannel: (signal) => client.batchGetChannel({ arns: [channelArn] }, { signal }),
    GetStreamSession: (signal) => client.getStreamSession({ channelArn }, { signal }),
    ListStreamSessions: (signal) => client.listStreamSessions({ channelArn, maxResults: 1 }, { signal }),
    PutMetadata: (signal) => client.putMetadata({ channelArn, metadata: '{}' }, { signal }),
    StopStream: (signal) => client.stopStream({ channelArn }, { signal }),
    InsertAdBreak: (signal) => client.insertAdBreak({ channelArn, durationSeconds: 1 }, { signal }),
    UpdateChannel: (signal) => client.updateChannel({ arn: channelArn }, { signal }),
    DeleteChannel: (signal) => client.deleteChannel({ arn: channelArn }, { signal }),
    ListStreamKeys: (signal) => client.listStreamKeys({ channelArn, maxResults: 1 }, { signal }),
    GetStreamKey: (signal) => client.getStreamKey({ arn: arn('stream-key') }, { signal }),
    CreateStreamKey: (signal) => client.createStreamKey({ channelArn }, { signal }),
    DeleteStreamKey: (signal) => client.deleteStreamKey({ arn: arn('stream-key') }, { signal }),
    ListRecordingConfigurations: (signal) => client.listRecordingConfigurations({ maxResults: 1 }, { signal }),
    GetRecordingConfiguration: (signal) =>
      client.getRecordingConfiguration({ arn: arn('recording-configuration') }, { signal }),
    DeleteRecordingConfiguration: (signal) =>
      client.deleteRecordingConfiguration({ arn: arn('recording-configuration') }, { signal }),
    // Neither name is valid: refused as such, after the permission was checked.
    CreateChannel: (signal) => client.createChannel({ name: 'not a name' }, { signal }),
    CreateRecordingConfiguration: (signal) =>
      client.createRecordingConfiguration(
        { destinationConfiguration: { s3: { bucketName: 'Not_a_bucket' } } },
        { signal },
      ),
    ListAdConfigurations: (signal) => client.listAdConfigurations({ maxResults: 1 }, { signal }),
    GetAdConfiguration: (signal) => client.getAdConfiguration({ arn: arn('ad-configuration') }, { signal }),
    ListPlaybackRestrictionPolicies: (signal) => client.listPlaybackRestrictionPolicies({ maxResults: 1 }, { signal }),
    GetPlaybackRestrictionPolicy: (signal) => client.getPlaybackRestrictionPolicy({ arn: policy }, { signal }),
    UpdatePlaybackRestrictionPolicy: (signal) => client.updatePlaybackRestrictionPolicy({ arn: policy }, { signal }),
    // A channel that does not exist has no viewers.
    BatchStartViewerSessionRevocation: (signal) =>
      client.batchStartViewerSessionRevocation({ viewerSessions: [{ channelArn, viewerId: 'doctor' }] }, { signal }),
    ListPlaybackKeyPairs: (signal) => client.listPlaybackKeyPairs({ maxResults: 1 }, { signal }),
    GetPlaybackKeyPair: (signal) => client.getPlaybackKeyPair({ arn: arn('playback-key') }, { signal }),
    // Not a key: refused as not valid, after the permission was checked.
    ImportPlaybackKeyPair: (signal) => client.importPlaybackKeyPair({ publicKeyMaterial: 'not a key' }, { signal }),
    DeletePlaybackKeyPair: (signal) => client.deletePlaybackKeyPair({ arn: arn('playback-key') }, { signal }),
    ListTagsForResource: (signal) => client.listTagsForResource({ resourceArn: channelArn }, { signal }),
    TagResource: (signal) => client.tagResource({ resourceArn: channelArn, tags: { doctor: 'nobody' } }, { signal }),
    UntagResource: (signal) => client.untagResource({ resourceArn: channelArn, tagKeys: ['doctor'] }, { signal }),
  };
}

/** One line for each permission that the loaded rules need. */
export function permissionCheck(options: PermissionOptions): Check {
  return {
    name: 'Permission',
    async run(signal) {
      const byOperation = probes(options);
      const verdicts = await Promise.all(
        options.operations.map(async (operation): Promise<Verdict> => {
          const probe = byOperation[operation];
          if (!probe) return { status: 'skipped', text: `ivs:${operation}: there is no harmless way to check it` };
          return probe(signal).then(
            () => green(`ivs:${operation}`),
            (error: unknown) => judged(operation, error, options.region),
          );
        }),
      );
      return verdicts;
    },
  };
}

const allowedCodes = new Set([
  'IVS_NOT_FOUND',
  'IVS_NOT_BROADCASTING',
  'IVS_REQUEST_INVALID',
  'IVS_CONFLICT',
  'IVS_QUOTA_EXCEEDED',
]);

function judged(operation: OperationName, error: unknown, region: string): Verdict {
  const code = error instanceof AppError ? error.code : '';
  if (allowedCodes.has(code)) return green(`ivs:${operation}`);
  const { kind, text, todo } = explainAwsFailure(error, { region, action: `ivs:${operation}` });
  if (kind === 'denied' || (code === 'IVS_ACCESS_DENIED' && kind === 'other'))
    return red(`ivs:${operation} is not allowed`, 'Give the role the policy that `ivs-autopilot iam` prints.');
  return red(`ivs:${operation} could not be checked: ${text}`, todo);
}
