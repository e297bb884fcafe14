// One pass over ListStreams: all its pages, as one observation. A pass that fails half-way still tells what it saw, and is marked
// incomplete: then presence counts and absence does not.
import type { StreamSnapshot } from '#domain/channel.ts';
import { AppError, messageOf } from '#domain/errors.ts';
import type { PollObservation } from '#domain/observation.ts';
import type { CallOptions, StreamReader } from '../ports.ts';

export interface PassOptions {
  readonly scope: PollObservation['scope'];
  readonly pollId: string;
  readonly reader: StreamReader;
  /** The clock that all replicas share: passes of different replicas are compared with each other and with events. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** The interval between passes that is in force. */
  readonly everyMs?: number | undefined;
  /** How long a page may wait for its permit and its answer. */
  readonly pageTimeoutMs?: number;
}

export interface PassResult {
  readonly observation: PollObservation;
  /** Why the pass is not complete. */
  readonly failure: AppError | undefined;
}

/** Far beyond any fleet: a listing that does not end is a fault of the service. */
const maxPages = 2_000;

/** Reads page after page; never rejects. */
export async function readPass({
  scope,
  pollId,
  reader,
  now,
  signal,
  everyMs,
  pageTimeoutMs = 20_000,
}: PassOptions): Promise<PassResult> {
  const startedAtMs = now();
  // A stream that moved to a later page while it was listed is taken as it was seen last.
  const streams = new Map<string, StreamSnapshot>();
  const tokens = new Set<string>();
  const filter = scope === 'starving' ? { filterBy: { health: 'STARVING' as const } } : {};
  let nextToken: string | undefined;
  let pages = 0;
  let failure: AppError | undefined;
  try {
    do {
      const seenAtMs = now();
      // The starving streams are what cannot wait; the full sweep takes what is left of the quota.
      const call: CallOptions = {
        lane: scope === 'starving' ? 'urgent' : 'bulk',
        signal,
        waitMs: pageTimeoutMs,
      };
      const page = await reader.listStreams({ ...filter, ...(nextToken === undefined ? {} : { nextToken }) }, call);
      pages += 1;
      for (const stream of page.streams) streams.set(stream.streamId, { ...stream, seenAtMs });
      nextToken = page.nextToken;
      if (nextToken !== undefined && (tokens.has(nextToken) || pages >= maxPages))
        throw new AppError('POLL_FAILED', `ListStreams goes round in circles after ${pages} pages`);
      if (nextToken !== undefined) tokens.add(nextToken);
    } while (nextToken !== undefined);
  } catch (error) {
    failure = new AppError('POLL_FAILED', `page ${pages + 1} of ListStreams (${scope}): ${messageOf(error)}`, {
      cause: error,
    });
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
