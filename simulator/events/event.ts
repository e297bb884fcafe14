// The events of IVS in their documented forms. The publisher decides who gets them, and when.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html

import { isoSeconds } from '../wire/time.ts';

/** An EventBridge envelope. `resources` is empty for breaches of an account's limits. */
export interface EventEnvelope {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

export const STATE_CHANGE = 'IVS Stream State Change';
export const HEALTH_CHANGE = 'IVS Stream Health Change';
export const LIMIT_BREACH = 'IVS Limit Breach';
export const AD_BREAK_CHANGE = 'IVS Ad Break State Change';
export const RECORDING_CHANGE = 'IVS Recording State Change';

/** The limits whose breach is an event, with their units. */
export const LIMIT_UNITS = {
  'Ingest Bitrate': 'bits per second',
  'Ingest Resolution': 'total pixels',
  'Concurrent Broadcasts': 'active streams',
  'Concurrent Viewers': 'viewers',
} as const;

export type LimitName = keyof typeof LIMIT_UNITS;

/** What happened, without the envelope. */
export interface Happening {
  readonly type: string;
  readonly channelArn?: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Puts an event of IVS into its envelope. */
export function envelope(
  happening: Happening,
  origin: { readonly id: string; readonly at: number; readonly account: string; readonly region: string },
): EventEnvelope {
  return {
    version: '0',
    id: origin.id,
    'detail-type': happening.type,
    source: 'aws.ivs',
    account: origin.account,
    time: isoSeconds(origin.at),
    region: origin.region,
    resources: happening.channelArn === undefined ? [] : [happening.channelArn],
    detail: happening.detail,
  };
}

/** The name an operator would use: event_name, recording_status or the limit. */
export function eventName(event: Pick<EventEnvelope, 'detail'>): string {
  const { detail } = event;
  const name = detail['event_name'] ?? detail['recording_status'] ?? detail['limit_name'] ?? detail['limit'];
  return typeof name === 'string' ? name : '';
}
