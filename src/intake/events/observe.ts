// Pure: turns an event's envelope into an observation, or a named reason to ignore it. A rule on `source: aws.ivs` alone delivers more than
// the daemon uses: API calls reported by CloudTrail, and events of Amazon IVS Real-Time.
import { isChannelArn } from '#domain/channel.ts';
import { type IvsEventType, ivsEvents, otherDetailTypes } from '#domain/ivs-events.ts';
import type { EventEnvelope, EventObservation } from '#domain/observation.ts';

/** `no_channel` is kept for inspection. */
export type IgnoreReason = 'cloudtrail' | 'real_time' | 'other_source' | 'no_channel';

export interface ObserveOptions {
  readonly arrivedAtMs: number;
  /** The events' `source`; `aws.ivs`, unless a drill sends its own. */
  readonly sources: readonly string[];
}

export type Observed =
  | {
      readonly kind: 'observation';
      /** The detail type; `other` for one that is newer than our table. */
      readonly type: string;
      readonly observation: EventObservation;
      /** Events that our table does not know are observed anyway, and kept for inspection. */
      readonly unknown: 'type' | 'name' | undefined;
    }
  | { readonly kind: 'ignored'; readonly reason: IgnoreReason };

/** Reads an envelope. */
export function observeEvent(envelope: EventEnvelope, options: ObserveOptions): Observed {
  if (!options.sources.includes(envelope.source)) return { kind: 'ignored', reason: 'other_source' };
  const type = envelope['detail-type'];
  if (Object.hasOwn(otherDetailTypes, type)) return { kind: 'ignored', reason: otherDetailTypes[type]! };
  const known = Object.hasOwn(ivsEvents, type)
    ? (ivsEvents as Readonly<Record<string, IvsEventType>>)[type]
    : undefined;
  // A sample in AWS's documentation has a space after the ARN.
  const channelArn = envelope.resources.map((resource) => resource.trim()).find(isChannelArn);
  // Breaches of an account's limits name no channel; every other event does.
  if (channelArn === undefined && known && type !== 'IVS Limit Breach')
    return { kind: 'ignored', reason: 'no_channel' };
  const { arrivedAtMs } = options;
  return {
    kind: 'observation',
    type: known ? type : 'other',
    observation: { kind: 'event', envelope, channelArn, eventTimeMs: Date.parse(envelope.time), arrivedAtMs },
    unknown: !known
      ? 'type'
      : known.names.includes(nameIn(envelope.detail, known.field) as string)
        ? undefined
        : 'name',
  };
}

// The user guide says `limit_name`, the published event schema `limit`.
function nameIn(detail: Readonly<Record<string, unknown>>, field: string): unknown {
  return field === 'limit_name' ? (detail['limit_name'] ?? detail['limit']) : detail[field];
}
