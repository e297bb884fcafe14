// What the API asks about streams: lists by state and health, and one channel with its history. Reads only.
import { type Channel, type ChannelArn, channelIdOf, type StreamHealth } from '#domain/channel.ts';
import type { SharedState, StateView } from '#domain/shared-state.ts';
import type { Kind } from '#domain/state-key.ts';
import { kinds, logs } from '#domain/state-registry.ts';
import type { StreamRecord, StreamState } from '#domain/stream-record.ts';
import { maxLoggedSessions } from './channel-records.ts';
import { channelOf, pastOf, streamOf } from './keys.ts';

export interface StreamQuery {
  /** Undefined: any. */
  readonly state?: StreamState | undefined;
  readonly health?: StreamHealth | undefined;
  /** Words that must all occur in the name, the ARN or a tag's `key=value`. */
  readonly text?: string | undefined;
  /** At most this many; the ARN of the last one continues the list. */
  readonly limit: number;
  readonly after?: string | undefined;
}

/** The newest session of each channel that matches, in the order of ARNs; `next` is there when there are more. */
export function listStreams(
  view: StateView,
  { state, health, text, limit, after = '' }: StreamQuery,
): { readonly streams: readonly StreamRecord[]; readonly next: string | undefined } {
  const matching: StreamRecord[] = [];
  const matches = matcherOf(view, text);
  for (const [arn, record] of view.entries(kinds.stream)) {
    if (arn <= after || (state !== undefined && record.state !== state)) continue;
    if ((health === undefined || record.health === health) && matches(record)) matching.push(record);
  }
  matching.sort((a, b) => (a.channelArn < b.channelArn ? -1 : 1));
  const streams = matching.slice(0, limit);
  return { streams, next: matching.length > limit ? streams.at(-1)?.channelArn : undefined };
}

/**
 * Sessions that are over, the newest end first: for each channel the newest session, and earlier ones while late events may still amend
 * them. `after` is `next` of the page before.
 */
export function listEnded(
  view: StateView,
  { text, limit, after }: Pick<StreamQuery, 'text' | 'limit' | 'after'>,
): { readonly streams: readonly StreamRecord[]; readonly next: string | undefined } {
  const matches = matcherOf(view, text);
  const found: StreamRecord[] = [];
  for (const [arn, record] of view.entries(kinds.stream))
    for (const session of [record, ...pastOf(view, arn)])
      if ((session.state === 'ended' || session.state === 'failed') && matches(session)) found.push(session);
  const sorted = found
    .map((session) => [placeOfEnd(session), session] as const)
    .filter(([at]) => after === undefined || at < after)
    .toSorted(([a], [b]) => (a < b ? 1 : -1));
  const page = sorted.slice(0, limit);
  return { streams: page.map(([, session]) => session), next: sorted.length > limit ? page.at(-1)?.[0] : undefined };
}

/** One page of several lists of the same kind, each as long as a page may be. `next` is set if there is more. */
export function mergeStreams(
  pages: readonly { readonly streams: readonly StreamRecord[]; readonly next: string | undefined }[],
  { limit, order }: { readonly limit: number; readonly order: 'arn' | 'end' },
): { readonly streams: readonly StreamRecord[]; readonly next: string | undefined } {
  const [only] = pages;
  if (only && pages.length === 1) return only;
  const place = (record: StreamRecord) => (order === 'arn' ? record.channelArn : placeOfEnd(record));
  const sign = order === 'arn' ? 1 : -1;
  const all = pages.flatMap(({ streams }) => streams).toSorted((a, b) => (place(a) < place(b) ? -sign : sign));
  const streams = all.slice(0, limit);
  const hasMore = all.length > limit || pages.some(({ next }) => next !== undefined);
  const last = streams.at(-1);
  return { streams, next: hasMore && last ? place(last) : undefined };
}

function placeOfEnd(session: StreamRecord): string {
  return `${String(session.endedAtMs ?? session.stateSinceMs).padStart(16, '0')}/${session.streamId}`;
}

/** The name of a session's channel: as listed last, or as an event named it. */
export function nameOf(view: StateView, arn: ChannelArn, record?: StreamRecord): string {
  return channelOf(view, arn)?.name || (record ?? streamOf(view, arn))?.channelName || '';
}

function matcherOf(view: StateView, text = ''): (record: StreamRecord) => boolean {
  const parts = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (parts.length === 0) return () => true;
  return (record) => {
    const tags = Object.entries(channelOf(view, record.channelArn)?.tags ?? {}).map(
      ([key, value]) => `${key}=${value}`,
    );
    const hay = [nameOf(view, record.channelArn, record), record.channelArn, ...tags].join(' ').toLowerCase();
    return parts.every((part) => hay.includes(part));
  };
}

export interface ChannelStory {
  readonly channel: Channel | undefined;
  /** The newest session. */
  readonly record: StreamRecord | undefined;
  /** Earlier sessions, newest first. */
  readonly sessions: readonly StreamRecord[];
}

/** Everything known about one channel; undefined if nothing is. Sessions that ended before `sinceMs` are left out. */
export async function channelStory(
  state: Pick<SharedState, 'view' | 'readLog'>,
  arn: ChannelArn,
  { limit, sinceMs }: { readonly limit: number; readonly sinceMs: number },
): Promise<ChannelStory | undefined> {
  const channel = channelOf(state.view, arn);
  const record = streamOf(state.view, arn);
  const past = pastOf(state.view, arn);
  const logged = await state.readLog(logs.sessions(channelIdOf(arn)), { limit });
  if (!channel && !record && logged.length === 0) return undefined;
  const known = new Set([record, ...past].map((session) => session?.streamId));
  // Each session once, as it was last archived.
  const older = logged
    .map(({ entry }) => entry)
    .filter(({ channelArn, streamId }) => channelArn === arn && !known.has(streamId) && known.add(streamId));
  const sessions = [...past, ...older].filter(({ endedAtMs, stateSinceMs }) => (endedAtMs ?? stateSinceMs) >= sinceMs);
  return { channel, record, sessions: sessions.slice(0, limit) };
}

/** One session of a channel, or its newest one; undefined when it is not known. */
export async function sessionOf(
  state: Pick<SharedState, 'view' | 'readLog'>,
  arn: ChannelArn,
  streamId?: string,
): Promise<StreamRecord | undefined> {
  const story = await channelStory(state, arn, { limit: maxLoggedSessions, sinceMs: 0 });
  const sessions = story ? [...(story.record ? [story.record] : []), ...story.sessions] : [];
  return streamId === undefined ? sessions[0] : sessions.find((session) => session.streamId === streamId);
}

/** The ARNs of channels of which only the id is given; a channel that has never been seen is left out. */
export function arnsOf(view: StateView, ids: readonly string[]): ReadonlyMap<string, ChannelArn> {
  const wanted = new Set(ids);
  const found = new Map<string, ChannelArn>();
  const seen: readonly Kind<unknown, ChannelArn>[] = [kinds.stream, kinds.channel];
  for (const kind of seen) {
    if (found.size === wanted.size) break;
    for (const [arn] of view.entries(kind)) {
      const id = channelIdOf(arn);
      if (wanted.has(id)) found.set(id, arn);
    }
  }
  return found;
}
