// What an IVS event says about a stream session: all event names of every detail type, and how to read each.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html
import type { StreamHealth, StreamId } from '#domain/channel.ts';
import { ivsEvents } from '#domain/ivs-events.ts';
import type { EventObservation } from '#domain/observation.ts';
import type { AdBreak, LimitBreach, RecordingSign } from '#domain/stream-record.ts';

/** One event, read. Absent: the event does not say. */
export interface EventSign {
  readonly name: string;
  readonly text: string;
  /** The session existed at the event's time. */
  readonly existed: boolean;
  /** It was live at the event's time. */
  readonly live: boolean;
  readonly moment?:
    | 'createdMs'
    | 'startEventMs'
    | 'sessionEndedMs'
    | 'endedMs'
    | 'failedMs'
    | 'recordingEndedMs'
    | 'mentionedMs';
  readonly health?: StreamHealth;
  readonly recording?: RecordingSign['value'];
  readonly recordingPrefix?: string;
  readonly takeover?: true;
  readonly failureReason?: string;
  readonly breach?: LimitBreach;
  readonly adBreak?: AdBreak;
}

type Reading = Omit<EventSign, 'name'>;

const atStart = { existed: true, live: false } as const;
const whileLive = { existed: true, live: true } as const;
const atEnd = { existed: false, live: false } as const;

const readings: Readonly<Record<string, Reading>> = {
  'Session Created': { ...atStart, moment: 'createdMs', text: 'the stream key was accepted' },
  'Stream Start': { ...whileLive, moment: 'startEventMs', text: 'live' },
  'Session Ended': { ...atEnd, moment: 'sessionEndedMs', text: 'the encoder is gone' },
  'Stream End': { ...atEnd, moment: 'endedMs', text: 'ended' },
  'Stream Failure': { ...atStart, moment: 'failedMs', text: 'failed' },
  'Stream Takeover': { ...whileLive, takeover: true, text: 'another encoder took over' },
  'Stream Takeover Failure': { ...atStart, text: 'another encoder was refused' },
  'Starvation Start': { ...whileLive, health: 'STARVING', text: 'starving' },
  'Starvation End': { ...whileLive, health: 'HEALTHY', text: 'data flows again' },
  'Ad Break Inserted': { ...whileLive, text: 'an ad break was inserted' },
  'Recording Start': { ...atStart, recording: 'recording', text: 'recording' },
  'Recording End': { ...atEnd, moment: 'recordingEndedMs', recording: 'ended', text: 'the recording is finished' },
  'Recording Start Failure': { ...atStart, recording: 'failed', text: 'is not recorded' },
  'Recording End Failure': {
    ...atEnd,
    moment: 'recordingEndedMs',
    recording: 'failed',
    text: 'the recording ended with errors',
  },
};

const usualOrder = [
  'Session Created',
  'Stream Start',
  'Recording Start',
  'Recording Start Failure',
  'Starvation Start',
  'Starvation End',
  'Ad Break Inserted',
  'Session Ended',
  'Stream End',
  'Recording End',
  'Recording End Failure',
];

/** The usual order of events of one second; EventBridge's times are no finer. */
export function usualRank(name: string): number {
  const rank = usualOrder.indexOf(name);
  return rank < 0 ? usualOrder.indexOf('Session Ended') - 0.5 : rank;
}

/** The event's own name: `event_name`, `recording_status`, or the name of the limit. */
export function eventNameOf({ envelope: { detail } }: EventObservation): string {
  return text(detail['event_name']) ?? text(detail['recording_status']) ?? limitNameOf(detail) ?? 'unnamed';
}

/** The stream that an event is about; undefined for events of the account. */
export function streamIdOf({ envelope: { detail } }: EventObservation): StreamId | undefined {
  return text(detail['stream_id']) as StreamId | undefined;
}

/** Earlier streams that share this recording: over reconnects it continues, and ends once, under the last stream's id. */
export function mergedStreamIdsOf(observation: EventObservation): readonly string[] {
  const ids = observation.envelope.detail['recording_session_stream_ids'];
  const own = streamIdOf(observation);
  return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string' && id !== own) : [];
}

/** Reads an event; one with an unknown name only says that there was such a session. */
export function readEvent(observation: EventObservation): EventSign {
  const { detail } = observation.envelope;
  const name = eventNameOf(observation);
  if (observation.envelope['detail-type'] === 'IVS Limit Breach') {
    const breach = breachOf(observation);
    return { ...atStart, name, breach, text: breachText(breach) };
  }
  // A detail type that is newer than our table may use a known name for something else.
  const known = Object.hasOwn(ivsEvents, observation.envelope['detail-type']);
  const reading = known && Object.hasOwn(readings, name) ? readings[name] : undefined;
  if (!reading) return { ...atEnd, moment: 'mentionedMs', name, text: name };
  const reason = name === 'Session Ended' || name === 'Stream Failure' ? reasonOf(detail) : undefined;
  const why = reasonOf(detail);
  const prefix = text(detail['recording_s3_key_prefix']);
  const adBreak = name === 'Ad Break Inserted' ? adBreakOf(observation) : undefined;
  return {
    ...reading,
    name,
    text: adBreak ? adBreakText(adBreak) : why === undefined ? reading.text : `${reading.text}: ${why}`,
    ...(adBreak ? { adBreak } : {}),
    ...(reason === undefined ? {} : { failureReason: reason }),
    ...(prefix === undefined ? {} : { recordingPrefix: prefix }),
  };
}

/** `over the limit of 8500000 bits per second by 700000`, as far as the event says. */
function breachText({ exceededBy, limitValue, limitUnit = '' }: LimitBreach): string {
  const limit = limitValue === undefined ? '' : ` of ${limitValue} ${limitUnit}`.trimEnd();
  return `over the limit${limit}${exceededBy === undefined ? '' : ` by ${exceededBy}`}`;
}

function breachOf({ envelope: { detail }, eventTimeMs }: EventObservation): LimitBreach {
  return {
    limitName: limitNameOf(detail) ?? 'an unnamed limit',
    limitValue: number(detail['limit_value']),
    exceededBy: number(detail['exceeded_by']),
    limitUnit: text(detail['limit_unit']),
    atMs: eventTimeMs,
  };
}

/**
 * In AWS's samples the target is ten seconds after the event; a target this far from the event is an error, and nothing is concluded from
 * it.
 */
const furthestTargetMs = 600_000;
/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_InsertAdBreak.html */
const longestBreakSeconds = 300;

/** The ad break that an event describes; undefined if it does not say when, or says something impossible. */
function adBreakOf({ envelope: { detail }, eventTimeMs }: EventObservation): AdBreak | undefined {
  const id = text(detail['ad_break_id'])?.slice(0, 64);
  const seconds = number(detail['duration_seconds']);
  const startsAtMs = Date.parse(text(detail['target_start_time']) ?? '');
  if (id === undefined || seconds === undefined || seconds < 1 || seconds > longestBreakSeconds) return undefined;
  if (!(Math.abs(startsAtMs - eventTimeMs) <= furthestTargetMs)) return undefined;
  return { id, insertedAtMs: eventTimeMs, startsAtMs, endsAtMs: startsAtMs + seconds * 1000 };
}

function adBreakText({ startsAtMs, endsAtMs }: AdBreak): string {
  const at = new Date(startsAtMs).toISOString().slice(11, 19);
  return `an ad break of ${(endsAtMs - startsAtMs) / 1000} s was inserted, to begin at ${at} UTC`;
}

// The user guide says `limit_name`, the published event schema `limit`.
function limitNameOf(detail: Readonly<Record<string, unknown>>): string | undefined {
  return text(detail['limit_name']) ?? text(detail['limit']);
}

function reasonOf(detail: Readonly<Record<string, unknown>>): string | undefined {
  return (text(detail['reason']) ?? text(detail['code']) ?? text(detail['recording_status_reason']))?.slice(0, 500);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
