// One sweep of ListStreams: all its pages, as one observation. A sweep that fails halfway still reports what it saw, marked as incomplete:
// then presence counts and absence does not.
import type { ChannelArn, StreamSnapshot } from '#domain/channel.ts';
import { AppError, messageOf } from '#domain/errors.ts';
import type { PollObservation } from '#domain/observation.ts';
import { PageTokens } from '#runtime/page-tokens.ts';
import { type Home, strangersOf, strangersText } from '../home.ts';
import type { CallOptions, StreamReader } from '../ports.ts';

export interface SweepOptions {
  readonly scope: PollObservation['scope'];
  readonly pollId: string;
  readonly reader: StreamReader;
  /** The clock that all replicas share, because sweeps of different replicas are compared with each other and with events. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** The current interval between sweeps. */
  readonly everyMs?: number | undefined;
  /** How long a page may wait for its permit and its answer. */
  readonly pageTimeoutMs?: number;
  /** The expected owner of the streams; undefined: anybody. */
  readonly home?: Home | undefined;
  /** Number of streams known to be live: with a filter, up to as many pages as they fill may be empty. */
  readonly knownLive?: number | undefined;
}

export interface SweepResult {
  readonly observation: PollObservation;
  /** Why the sweep is incomplete. */
  readonly failure: AppError | undefined;
}

/** Reads page after page; never rejects. */
export async function readSweep({
  scope,
  pollId,
  reader,
  now,
  signal,
  everyMs,
  pageTimeoutMs = 20_000,
  home,
  knownLive = 0,
}: SweepOptions): Promise<SweepResult> {
  const startedAtMs = now();
  // A stream that moved to a later page during the listing is taken in its last version.
  const streams = new Map<string, StreamSnapshot>();
  const tokens = new PageTokens('the listing', { emptyPages: knownLive / 100 });
  const strangers: ChannelArn[] = [];
  const filter = scope === 'starving' ? { filterBy: { health: 'STARVING' as const } } : {};
  let nextToken: string | undefined;
  let pages = 0;
  let failure: AppError | undefined;
  try {
    do {
      const seenAtMs = now();
      // The starving streams are urgent; the full sweep takes what is left of the quota.
      const call: CallOptions = {
        lane: scope === 'starving' ? 'urgent' : 'bulk',
        signal,
        waitMs: pageTimeoutMs,
      };
      const page = await reader.listStreams({ ...filter, ...(nextToken === undefined ? {} : { nextToken }) }, call);
      pages += 1;
      const known = streams.size;
      const foreign = new Set(
        strangersOf(
          home,
          page.streams.map(({ channelArn }) => channelArn),
        ),
      );
      strangers.push(...foreign);
      for (const stream of page.streams) {
        const twin = streams.get(stream.streamId);
        if (twin && twin.channelArn !== stream.channelArn)
          throw new AppError('IVS_ANSWER_INVALID', `stream ${stream.streamId} is listed for two channels`);
        if (!foreign.has(stream.channelArn)) streams.set(stream.streamId, { ...stream, seenAtMs });
      }
      nextToken = tokens.next(page.nextToken, { broughtNews: streams.size > known });
    } while (nextToken !== undefined);
    if (home && strangers.length > 0) throw new AppError('IVS_ANSWER_INVALID', strangersText(home, strangers));
  } catch (error) {
    // If some page failed, the message names it; if the listing was read to its end, the whole listing is wrong.
    const place = nextToken === undefined && pages > 0 ? 'ListStreams' : `page ${pages + 1} of ListStreams`;
    failure = new AppError('POLL_FAILED', `${place} (${scope}): ${messageOf(error)}`, { cause: error });
  }
  return {
    observation: {
      kind: 'poll',
      scope,
      pollId,
      startedAtMs,
      finishedAtMs: now(),
      ...(everyMs === undefined ? {} : { everyMs }),
      complete: failure === undefined,
      pages,
      streams: [...streams.values()],
    },
    failure,
  };
}
