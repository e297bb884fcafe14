// Pure: an event's envelope → an observation, or a named reason to ignore it. Only the four IVS event types concern the daemon;
// a rule on `source: aws.ivs` alone delivers much more.
import { isChannelArn } from '#domain/channel.ts';
import { ivsEvents } from '#domain/ivs-events.ts';
import type { EventEnvelope, EventObservation } from '#domain/observation.ts';

export type EventType = keyof typeof ivsEvents;

/** Of the same source, and none of the daemon's business: real-time stages, and API calls seen by CloudTrail. */
const foreignTypes: Readonly<Record<string, IgnoreReason>> = {
  'AWS API Call via CloudTrail': 'cloudtrail',
  'IVS Stage Update': 'real_time',
  'IVS Composition State Change': 'real_time',
  'IVS Publisher Recording State Change': 'real_time',
  'IVS Participant Recording State Change': 'real_time',
};

/** `unknown_type` and `no_channel` are kept for inspection. */
export type IgnoreReason = 'cloudtrail' | 'real_time' | 'other_source' | 'unknown_type' | 'no_channel';

export interface ObserveOptions {
  readonly arrivedAtMs: number;
  /** The events' `source`; `aws.ivs` unless a drill sends its own. */
  readonly sources: readonly string[];
}

export type Observed =
  | {
      readonly kind: 'observation';
      readonly type: EventType;
      readonly observation: EventObservation;
      /** An event of a known type with a name that is not known: observed, and kept for inspection. */
      readonly unknownName: boolean;
    }
  | { readonly kind: 'ignored'; readonly reason: IgnoreReason };

/** Reads an envelope. */
export function observeEvent(envelope: EventEnvelope, options: ObserveOptions): Observed {
  if (!options.sources.includes(envelope.source)) return { kind: 'ignored', reason: 'other_source' };
  const type = envelope['detail-type'];
  if (Object.hasOwn(foreignTypes, type)) return { kind: 'ignored', reason: foreignTypes[type]! };
  if (!isEventType(type)) return { kind: 'ignored', reason: 'unknown_type' };
  const channelArn = envelope.resources.find(isChannelArn);
  // Breaches of an account's limits name no channel; every other event does.
  if (channelArn === undefined && type !== 'IVS Limit Breach') return { kind: 'ignored', reason: 'no_channel' };
  const { arrivedAtMs } = options;
  return {
    kind: 'observation',
    type,
    observation: { kind: 'event', envelope, channelArn, eventTimeMs: Date.parse(envelope.time), arrivedAtMs },
    unknownName: !(ivsEvents[type].names as readonly unknown[]).includes(
      nameIn(envelope.detail, ivsEvents[type].field),
    ),
  };
}

function isEventType(type: string): type is EventType {
  return Object.hasOwn(ivsEvents, type);
}

// The user guide says `limit_name`, the published event schema `limit`.
function nameIn(detail: Readonly<Record<string, unknown>>, field: string): unknown {
  return field === 'limit_name' ? (detail['limit_name'] ?? detail['limit']) : detail[field];
}
