// One line of the operator's page: a channel that is live, was live a moment ago, or needs attention.
import { type Channel, type ChannelArn, channelIdOf } from '#domain/channel.ts';
import type { Hold } from '#domain/control.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import type { WithheldAction } from '#rules/planned.ts';

/** What will happen to a channel next if nobody stops it. */
export interface NextAction {
  /** The id to use when cancelling it. */
  readonly id: string;
  /** In words: `stop_stream`, `set_recording none at Stream End`. */
  readonly text: string;
  readonly rule?: string | undefined;
  /** Undefined: it waits for an event instead of a time, or it is held back. */
  readonly dueMs?: number | undefined;
  /** Why it will not happen at its time. */
  readonly withheld?: WithheldAction | undefined;
  /** Further planned actions. */
  readonly more?: readonly Omit<NextAction, 'more'>[] | undefined;
}

/** A row as the page gets it; keys are short because thousands are sent. Undefined fields are left out. */
export interface LiveRow {
  /** Channel ARN. */
  readonly arn: string;
  readonly name: string;
  /** `held` alone means: not live, but an operator's hold is in force. */
  readonly state: 'live' | 'created' | 'ended' | 'failed' | 'offline';
  readonly health?: 'HEALTHY' | 'STARVING' | 'UNKNOWN' | undefined;
  /** Since when the state has been as it is or, while live, the health; epoch ms. */
  readonly since?: number | undefined;
  readonly started?: number | undefined;
  readonly viewers?: number | undefined;
  /** Recent viewer counts, oldest first. */
  readonly spark?: readonly number[] | undefined;
  readonly recording: 'none' | 'recording' | 'ended' | 'failed';
  /** What recording will be after Stream End. */
  readonly pending?: string | undefined;
  /** The newest ad break of a live stream, begin and end, epoch ms: it may be over. */
  readonly ads?: readonly [from: number, to: number] | undefined;
  /** When the stream key was created, epoch ms. */
  readonly key?: number | undefined;
  readonly next?: NextAction | undefined;
  readonly hold?: { readonly who: string; readonly reason: string; readonly until?: number | undefined } | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** What a row is built from. */
export interface RowParts {
  readonly arn: string;
  readonly record: StreamRecord | undefined;
  readonly channel: Channel | undefined;
  readonly hold: Hold | undefined;
  readonly next: NextAction | undefined;
  readonly pendingRecording: string | undefined;
  readonly keyCreatedAtMs: number | undefined;
  readonly spark: readonly number[] | undefined;
}

/** How long an ended stream stays in the list. */
const endedStaysMs = 10 * 60_000;

/** Whether a channel has a row at all. */
export function belongsOnPage({ record, hold, next, pendingRecording }: RowParts, nowMs: number): boolean {
  if (hold || next || pendingRecording !== undefined) return true;
  if (!record) return false;
  if (record.state === 'live' || record.state === 'created') return true;
  return nowMs - record.stateSinceMs < endedStaysMs;
}

/** Builds the row. */
export function rowOf(parts: RowParts): LiveRow {
  const { arn, record, channel, hold, spark } = parts;
  const live = record?.state === 'live';
  const ads = live ? record.adBreaks?.[0] : undefined;
  return clean({
    arn,
    name: channel?.name || record?.channelName || channelIdOf(arn as ChannelArn),
    state: record?.state ?? 'offline',
    health: live ? record.health : undefined,
    since: live ? record.healthSinceMs : record?.stateSinceMs,
    started: record?.startedAtMs,
    viewers: live ? record.viewerCount : undefined,
    spark: live && spark && spark.length > 1 ? spark : undefined,
    recording: record?.recording ?? 'none',
    pending: parts.pendingRecording,
    ads: ads && [ads.startsAtMs, ads.endsAtMs],
    key: parts.keyCreatedAtMs,
    next: parts.next && clean({ ...parts.next, more: parts.next.more?.map(clean) }),
    hold: hold && clean({ who: hold.who, reason: hold.reason, until: hold.untilMs }),
    tags: channel && Object.keys(channel.tags).length > 0 ? channel.tags : undefined,
  });
}

/** The fields of a row that differ; a removed field is null. Undefined: nothing differs. */
export function rowPatch(before: LiveRow, after: LiveRow): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof LiveRow>) {
    // The page extends its sparkline by itself when the viewers change.
    if (key === 'spark') continue;
    if (!sameValue(before[key], after[key])) patch[key] = after[key] ?? null;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function sameValue(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b));
}

function clean<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T;
}
