// The one table of operations: for each its route, success status, input shape, the function that implements it and the errors
// its row declares. Call-rate quotas are in throttle/quotas.ts under the same names.

import { batchGetChannel, batchGetChannelInput } from './actions/batch-get-channel.ts';
import { batchGetStreamKey, batchGetStreamKeyInput } from './actions/batch-get-stream-key.ts';
import {
  batchStartViewerSessionRevocation,
  batchStartViewerSessionRevocationInput,
} from './actions/batch-start-viewer-session-revocation.ts';
import { createAdConfiguration, createAdConfigurationInput } from './actions/create-ad-configuration.ts';
import { createChannel, createChannelInput } from './actions/create-channel.ts';
import {
  createPlaybackRestrictionPolicy,
  createPlaybackRestrictionPolicyInput,
} from './actions/create-playback-restriction-policy.ts';
import {
  createRecordingConfiguration,
  createRecordingConfigurationInput,
} from './actions/create-recording-configuration.ts';
import { createStreamKey, createStreamKeyInput } from './actions/create-stream-key.ts';
import { deleteAdConfiguration, deleteAdConfigurationInput } from './actions/delete-ad-configuration.ts';
import { deleteChannel, deleteChannelInput } from './actions/delete-channel.ts';
import { deletePlaybackKeyPair, deletePlaybackKeyPairInput } from './actions/delete-playback-key-pair.ts';
import {
  deletePlaybackRestrictionPolicy,
  deletePlaybackRestrictionPolicyInput,
} from './actions/delete-playback-restriction-policy.ts';
import {
  deleteRecordingConfiguration,
  deleteRecordingConfigurationInput,
} from './actions/delete-recording-configuration.ts';
import { deleteStreamKey, deleteStreamKeyInput } from './actions/delete-stream-key.ts';
import { getAdConfiguration, getAdConfigurationInput } from './actions/get-ad-configuration.ts';
import { getChannel, getChannelInput } from './actions/get-channel.ts';
import { getPlaybackKeyPair, getPlaybackKeyPairInput } from './actions/get-playback-key-pair.ts';
import {
  getPlaybackRestrictionPolicy,
  getPlaybackRestrictionPolicyInput,
} from './actions/get-playback-restriction-policy.ts';
import { getRecordingConfiguration, getRecordingConfigurationInput } from './actions/get-recording-configuration.ts';
import { getStream, getStreamInput } from './actions/get-stream.ts';
import { getStreamKey, getStreamKeyInput } from './actions/get-stream-key.ts';
import { getStreamSession, getStreamSessionInput } from './actions/get-stream-session.ts';
import { importPlaybackKeyPair, importPlaybackKeyPairInput } from './actions/import-playback-key-pair.ts';
import { insertAdBreak, insertAdBreakInput } from './actions/insert-ad-break.ts';
import { listAdConfigurations, listAdConfigurationsInput } from './actions/list-ad-configurations.ts';
import { listChannels, listChannelsInput } from './actions/list-channels.ts';
import { listPlaybackKeyPairs, listPlaybackKeyPairsInput } from './actions/list-playback-key-pairs.ts';
import {
  listPlaybackRestrictionPolicies,
  listPlaybackRestrictionPoliciesInput,
} from './actions/list-playback-restriction-policies.ts';
import {
  listRecordingConfigurations,
  listRecordingConfigurationsInput,
} from './actions/list-recording-configurations.ts';
import { listStreamKeys, listStreamKeysInput } from './actions/list-stream-keys.ts';
import { listStreamSessions, listStreamSessionsInput } from './actions/list-stream-sessions.ts';
import { listStreams, listStreamsInput } from './actions/list-streams.ts';
import { listTagsForResource, listTagsForResourceInput } from './actions/list-tags-for-resource.ts';
import { putMetadata, putMetadataInput } from './actions/put-metadata.ts';
import {
  startViewerSessionRevocation,
  startViewerSessionRevocationInput,
} from './actions/start-viewer-session-revocation.ts';
import { stopStream, stopStreamInput } from './actions/stop-stream.ts';
import { tagResource, tagResourceInput } from './actions/tag-resource.ts';
import { untagResource, untagResourceInput } from './actions/untag-resource.ts';
import { updateAdConfiguration, updateAdConfigurationInput } from './actions/update-ad-configuration.ts';
import { updateChannel, updateChannelInput } from './actions/update-channel.ts';
import {
  updatePlaybackRestrictionPolicy,
  updatePlaybackRestrictionPolicyInput,
} from './actions/update-playback-restriction-policy.ts';
import type { ActionContext } from './context.ts';
import type { ErrorName } from './errors.ts';
import type { OperationName } from './throttle/quotas.ts';
import type { Check, Shape } from './wire/shape.ts';

/** One row. `method` and `path` are the route; `run` checks the raw input and acts. */
export interface Operation {
  readonly name: OperationName;
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly path: string;
  readonly status: 200 | 204;
  readonly errors: readonly ErrorName[];
  /** The members it takes. */
  readonly input: Shape;
  readonly run: (raw: unknown, context: ActionContext) => unknown;
}

const AD = 'AccessDeniedException';
const PV = 'PendingVerification';
const V = 'ValidationException';
const SQ = 'ServiceQuotaExceededException';
const RNF = 'ResourceNotFoundException';
const CNB = 'ChannelNotBroadcasting';
const CF = 'ConflictException';
const TH = 'ThrottlingException';
const SU = 'StreamUnavailable';
const SV = 'ServiceUnavailable';
const IS = 'InternalServerException';

function row<I, O>(
  name: OperationName,
  check: Check<I>,
  action: (input: I, context: ActionContext) => O,
  errors: readonly ErrorName[],
  route: { readonly method?: 'GET' | 'DELETE'; readonly path?: string; readonly status?: 204 } = {},
): Operation {
  return {
    name,
    method: route.method ?? 'POST',
    path: route.path ?? `/${name}`,
    status: route.status ?? 200,
    errors,
    input: check.shape,
    run: (raw, context) => action(check(raw, name), context),
  };
}

const EMPTY = { status: 204 } as const;
/** The ARN is one percent-encoded segment; http/ivs.ts takes it apart. */
const TAGS = '/tags/{resourceArn}';

export const OPERATIONS: readonly Operation[] = [
  row('BatchGetChannel', batchGetChannelInput, batchGetChannel, [AD, V, SV]),
  row('BatchGetStreamKey', batchGetStreamKeyInput, batchGetStreamKey, [AD, V, SV]),
  row('BatchStartViewerSessionRevocation', batchStartViewerSessionRevocationInput, batchStartViewerSessionRevocation, [
    AD,
    PV,
    TH,
    V,
  ]),
  row('CreateAdConfiguration', createAdConfigurationInput, createAdConfiguration, [AD, CF, IS, PV, RNF, SQ, TH, V]),
  row('CreateChannel', createChannelInput, createChannel, [AD, PV, RNF, SQ, V]),
  row('CreatePlaybackRestrictionPolicy', createPlaybackRestrictionPolicyInput, createPlaybackRestrictionPolicy, [
    AD,
    PV,
    SQ,
    TH,
    V,
  ]),
  row('CreateRecordingConfiguration', createRecordingConfigurationInput, createRecordingConfiguration, [
    AD,
    CF,
    IS,
    PV,
    SQ,
    V,
  ]),
  row('CreateStreamKey', createStreamKeyInput, createStreamKey, [AD, PV, RNF, SQ, V]),
  row('DeleteAdConfiguration', deleteAdConfigurationInput, deleteAdConfiguration, [AD, CF, IS, RNF, V], EMPTY),
  row('DeleteChannel', deleteChannelInput, deleteChannel, [AD, CF, PV, RNF, V], EMPTY),
  row('DeletePlaybackKeyPair', deletePlaybackKeyPairInput, deletePlaybackKeyPair, [AD, PV, RNF, V]),
  row(
    'DeletePlaybackRestrictionPolicy',
    deletePlaybackRestrictionPolicyInput,
    deletePlaybackRestrictionPolicy,
    [AD, CF, PV, RNF, V],
    EMPTY,
  ),
  row(
    'DeleteRecordingConfiguration',
    deleteRecordingConfigurationInput,
    deleteRecordingConfiguration,
    [AD, CF, IS, RNF, V],
    EMPTY,
  ),
  row('DeleteStreamKey', deleteStreamKeyInput, deleteStreamKey, [AD, PV, RNF, V], EMPTY),
  row('GetAdConfiguration', getAdConfigurationInput, getAdConfiguration, [AD, IS, RNF, V]),
  row('GetChannel', getChannelInput, getChannel, [AD, RNF, V]),
  row('GetPlaybackKeyPair', getPlaybackKeyPairInput, getPlaybackKeyPair, [AD, RNF, V]),
  row('GetPlaybackRestrictionPolicy', getPlaybackRestrictionPolicyInput, getPlaybackRestrictionPolicy, [
    AD,
    PV,
    RNF,
    V,
  ]),
  row('GetRecordingConfiguration', getRecordingConfigurationInput, getRecordingConfiguration, [AD, IS, RNF, V]),
  row('GetStream', getStreamInput, getStream, [AD, CNB, RNF, V]),
  row('GetStreamKey', getStreamKeyInput, getStreamKey, [AD, RNF, V]),
  row('GetStreamSession', getStreamSessionInput, getStreamSession, [AD, RNF, V]),
  row('ImportPlaybackKeyPair', importPlaybackKeyPairInput, importPlaybackKeyPair, [AD, CF, PV, SQ, V]),
  row('InsertAdBreak', insertAdBreakInput, insertAdBreak, [AD, CNB, CF, IS, RNF, TH, V]),
  row('ListAdConfigurations', listAdConfigurationsInput, listAdConfigurations, [AD, IS, V]),
  row('ListChannels', listChannelsInput, listChannels, [AD, CF, V]),
  row('ListPlaybackKeyPairs', listPlaybackKeyPairsInput, listPlaybackKeyPairs, [AD, V]),
  row('ListPlaybackRestrictionPolicies', listPlaybackRestrictionPoliciesInput, listPlaybackRestrictionPolicies, [
    AD,
    CF,
    PV,
    V,
  ]),
  row('ListRecordingConfigurations', listRecordingConfigurationsInput, listRecordingConfigurations, [AD, IS, V]),
  row('ListStreamKeys', listStreamKeysInput, listStreamKeys, [AD, RNF, V]),
  row('ListStreamSessions', listStreamSessionsInput, listStreamSessions, [AD, RNF, V]),
  row('ListStreams', listStreamsInput, listStreams, [AD, V]),
  row('ListTagsForResource', listTagsForResourceInput, listTagsForResource, [IS, RNF, V], {
    method: 'GET',
    path: TAGS,
  }),
  row('PutMetadata', putMetadataInput, putMetadata, [AD, CNB, RNF, TH, V], EMPTY),
  row('StartViewerSessionRevocation', startViewerSessionRevocationInput, startViewerSessionRevocation, [
    AD,
    IS,
    PV,
    RNF,
    TH,
    V,
  ]),
  row('StopStream', stopStreamInput, stopStream, [AD, CNB, RNF, SU, V]),
  row('TagResource', tagResourceInput, tagResource, [IS, RNF, V], { path: TAGS }),
  row('UntagResource', untagResourceInput, untagResource, [IS, RNF, V], { method: 'DELETE', path: TAGS }),
  row('UpdateAdConfiguration', updateAdConfigurationInput, updateAdConfiguration, [AD, CF, IS, PV, RNF, SQ, TH, V]),
  row('UpdateChannel', updateChannelInput, updateChannel, [AD, CF, PV, RNF, V]),
  row('UpdatePlaybackRestrictionPolicy', updatePlaybackRestrictionPolicyInput, updatePlaybackRestrictionPolicy, [
    AD,
    CF,
    PV,
    RNF,
    V,
  ]),
];
