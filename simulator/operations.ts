// The one table of operations: for each its route, success status, input shape, the function that does it and the errors
// its row declares. Call-rate quotas are in throttle/quotas.ts under the same names.

import { createChannel, createChannelInput } from './actions/create-channel.ts';
import { createStreamKey, createStreamKeyInput } from './actions/create-stream-key.ts';
import { deleteStreamKey, deleteStreamKeyInput } from './actions/delete-stream-key.ts';
import { getChannel, getChannelInput } from './actions/get-channel.ts';
import { getStream, getStreamInput } from './actions/get-stream.ts';
import { getStreamKey, getStreamKeyInput } from './actions/get-stream-key.ts';
import { listChannels, listChannelsInput } from './actions/list-channels.ts';
import { listStreamKeys, listStreamKeysInput } from './actions/list-stream-keys.ts';
import { listStreams, listStreamsInput } from './actions/list-streams.ts';
import { putMetadata, putMetadataInput } from './actions/put-metadata.ts';
import { stopStream, stopStreamInput } from './actions/stop-stream.ts';
import type { ActionContext } from './context.ts';
import type { ErrorName } from './errors.ts';
import type { OperationName } from './throttle/quotas.ts';
import type { Check } from './wire/shape.ts';

/** One row. `method` and `path` are the route; `run` checks the raw input and acts. */
export interface Operation {
  readonly name: OperationName;
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly path: string;
  readonly status: 200 | 204;
  readonly errors: readonly ErrorName[];
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
    run: (raw, context) => action(check(raw, name), context),
  };
}

const EMPTY = { status: 204 } as const;

export const OPERATIONS: readonly Operation[] = [
  row('CreateChannel', createChannelInput, createChannel, [AD, PV, RNF, SQ, V]),
  row('CreateStreamKey', createStreamKeyInput, createStreamKey, [AD, PV, RNF, SQ, V]),
  row('DeleteStreamKey', deleteStreamKeyInput, deleteStreamKey, [AD, PV, RNF, V], EMPTY),
  row('GetChannel', getChannelInput, getChannel, [AD, RNF, V]),
  row('GetStream', getStreamInput, getStream, [AD, CNB, RNF, V]),
  row('GetStreamKey', getStreamKeyInput, getStreamKey, [AD, RNF, V]),
  row('ListChannels', listChannelsInput, listChannels, [AD, CF, V]),
  row('ListStreamKeys', listStreamKeysInput, listStreamKeys, [AD, RNF, V]),
  row('ListStreams', listStreamsInput, listStreams, [AD, V]),
  row('PutMetadata', putMetadataInput, putMetadata, [AD, CNB, RNF, TH, V], EMPTY),
  row('StopStream', stopStreamInput, stopStream, [AD, CNB, RNF, SU, V]),
];
