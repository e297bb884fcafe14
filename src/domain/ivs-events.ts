// The events of Amazon IVS: their names, and the fields of `detail` with their types and values. One table for intake, lint, templates,
// the editor's schema, rule tests and documents. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html

/** When this table was last compared with AWS's page; newer values are tried, not refused. */
export const eventsKnownAsOf = '2026-09';

/** A field of `detail`. */
export interface DetailField {
  /** Numbers are never negative. */
  readonly type: 'text' | 'number' | 'texts';
  /** The format of its texts, if known. */
  readonly format?: 'bucket' | 'channel_name' | 'stream_id' | 'time';
  /** Maximum number of characters; 256 if AWS does not say. */
  readonly longest?: number;
  /** The values that AWS documents; it may add others. */
  readonly values?: readonly string[];
  /** The events that carry it; undefined: all events of the detail type. */
  readonly only?: readonly string[];
}

/** The structure of a detail type. */
export interface IvsEventType {
  /** The field of `detail` that names the event. */
  readonly field: 'event_name' | 'limit_name' | 'recording_status';
  readonly names: readonly string[];
  /** By name, including the naming field. */
  readonly detail: Readonly<Record<string, DetailField>>;
}

const text: DetailField = { type: 'text' };
const number: DetailField = { type: 'number' };
const streamId: DetailField = { type: 'text', format: 'stream_id', longest: 26 };
/** Empty for a channel without a name. */
const channelName: DetailField = { type: 'text', format: 'channel_name', longest: 128 };
const channelFields = { channel_name: channelName, stream_id: streamId };

const stateNames = [
  'Session Created',
  'Session Ended',
  'Stream Start',
  'Stream End',
  'Stream Failure',
  'Stream Takeover',
  'Stream Takeover Failure',
] as const;
const healthNames = ['Starvation Start', 'Starvation End'] as const;
/** Breaches of these limits name a channel; those of the account's limits do not. */
const channelLimits = ['Ingest Bitrate', 'Ingest Resolution'] as const;
const limitNames = [...channelLimits, 'Concurrent Broadcasts', 'Concurrent Viewers'] as const;
const recordingNames = [
  'Recording Start',
  'Recording End',
  'Recording Start Failure',
  'Recording End Failure',
] as const;
const adBreakNames = ['Ad Break Inserted'] as const;

/** The detail types that concern the daemon. EventBridge also delivers others from the same source. */
export const ivsEvents = {
  'IVS Stream State Change': {
    field: 'event_name',
    names: stateNames,
    detail: {
      event_name: { type: 'text', values: stateNames },
      ...channelFields,
      code: {
        type: 'text',
        only: ['Session Ended', 'Stream Takeover Failure'],
        values: [
          'MultitrackInputNotAllowed',
          'MultitrackInputRequired',
          'InvalidGetClientConfigurationStreamKey',
          'GetClientConfigurationStreamKeyRequired',
          'InvalidMultitrackInputTrackCount',
          'InvalidMultitrackInputVideoTrackMediaProperties',
          'StreamTakeoverMediaMismatch',
          'StreamTakeoverInvalidPriority',
          'StreamTakeoverLimitBreached',
        ],
      },
      reason: { type: 'text', longest: 64, only: ['Stream Failure'] },
    },
  },
  'IVS Stream Health Change': {
    field: 'event_name',
    names: healthNames,
    detail: { event_name: { type: 'text', values: healthNames }, ...channelFields },
  },
  'IVS Limit Breach': {
    field: 'limit_name',
    names: limitNames,
    detail: {
      // The user guide says limit_name, EventBridge's published schema says limit: each is also found under the other name.
      limit_name: { type: 'text', values: limitNames },
      limit: { type: 'text', values: limitNames },
      limit_value: number,
      exceeded_by: number,
      limit_unit: {
        type: 'text',
        values: ['bits per second', 'total pixels', 'pixels per edge', 'active streams', 'viewers'],
      },
      channel_name: { ...channelName, only: channelLimits },
      stream_id: { ...streamId, only: channelLimits },
    },
  },
  'IVS Recording State Change': {
    field: 'recording_status',
    names: recordingNames,
    detail: {
      recording_status: { type: 'text', values: recordingNames },
      recording_status_reason: text,
      recording_s3_bucket_name: { type: 'text', format: 'bucket', longest: 63 },
      recording_s3_key_prefix: text,
      recording_duration_ms: number,
      recording_session_id: text,
      recording_session_stream_ids: { ...streamId, type: 'texts', only: ['Recording End'] },
      ...channelFields,
    },
  },
  // No event reports the end of a break: it ends at `target_start_time` + `duration_seconds`.
  'IVS Ad Break State Change': {
    field: 'event_name',
    names: adBreakNames,
    detail: {
      event_name: { type: 'text', values: adBreakNames },
      ...channelFields,
      ad_break_id: { type: 'text', longest: 12 },
      duration_seconds: number,
      target_start_time: { type: 'text', format: 'time', longest: 24 },
    },
  },
} as const satisfies Readonly<Record<string, IvsEventType>>;

/** Detail types from the same source that the daemon does not use. */
export const otherDetailTypes: Readonly<Record<string, 'cloudtrail' | 'real_time'>> = {
  'AWS API Call via CloudTrail': 'cloudtrail',
  'IVS Stage Update': 'real_time',
  'IVS Composition State Change': 'real_time',
  'IVS Publisher Recording State Change': 'real_time',
  'IVS Participant Recording State Change': 'real_time',
};

const withoutChannel: readonly string[] = limitNames.filter((name) => !channelLimits.some((one) => one === name));

/** Whether an event of this name is about the account, so that its `resources` are empty. */
export function namesNoChannel(name: string): boolean {
  return withoutChannel.includes(name);
}
