// After a downtime or a data gap: asks IVS about sessions that began or ended unobserved, channel by channel, first where streams changed
// meanwhile. One replica at a time; its progress is in the shared state, so that another continues wherever this one ends.
import { type ChannelArn, channelIdOf, isChannelArn, type StreamId } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import type { HistorySession } from '#domain/observation.ts';
import type { SharedState, StateView } from '#domain/shared-state.ts';
import { kinds, logs, notes } from '#domain/state-registry.ts';
import type { LookBack as LookBackNote } from '#domain/stream-memory.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import type { Logger } from '#runtime/logger.ts';
import { PageTokens } from '#runtime/page-tokens.ts';
import { maxLoggedSessions } from '#streams/channel-records.ts';
import { gapOf } from '#streams/gaps.ts';
import { knownSession } from '#streams/keys.ts';
import type { HistoryReader, Observe } from './ports.ts';

export interface LookBackOptions {
  readonly state: SharedState;
  readonly reader: HistoryReader;
  readonly observe: Observe;
  /** Whether there is an event queue: the events waiting in it are read first. */
  readonly hasEventQueue: boolean;
  /** Identifies this process. */
  readonly replica: string;
  readonly logger: Logger;
}

/** Channels of one claim. */
const batchSize = 5;
const claimMs = 120_000;
const callWaitMs = 30_000;
/** Per channel; no more are kept. */
const mostSessions = maxLoggedSessions;
/**
 * An unusable answer may come from a proxy and be temporary. If it stays, nothing is learnt about this channel, so that the others are not
 * delayed.
 */
const mostOddAnswers = 3;
/** How long to wait for late events before IVS is asked. */
const longestPatienceMs = 5 * 60_000;
const quietLagMs = 10_000;
/** EventBridge truncates times to whole seconds, and clocks differ. */
const slackMs = 2_000;

export class LookBack {
  readonly #options: LookBackOptions;
  /** How many unusable answers each channel of the claim got. */
  readonly #oddAnswers = new Map<ChannelArn, number>();

  constructor(options: LookBackOptions) {
    this.#options = options;
  }

  /**
   * Asks about the next few channels, if there are any and no other replica does.
   * @throws AppError of the call that failed: the same channels are asked about again
   */
  async step(signal: AbortSignal): Promise<'idle' | 'worked'> {
    const { state, observe, replica, hasEventQueue } = this.#options;
    const due = state.view.get(notes.lookBack);
    if (!due || !isTimeToLook(state.view, due, { hasEventQueue, nowMs: state.nowMs() })) return 'idle';
    const claimed = await state.transact((tx) => {
      const now = tx.get(notes.lookBack);
      if (!now || (now.claim && now.claim.by !== replica && now.claim.untilMs > tx.nowMs)) return undefined;
      const next = { ...now, claim: { by: replica, untilMs: tx.nowMs + claimMs } };
      tx.set(notes.lookBack, next);
      return next;
    });
    if (!claimed) return 'idle';
    const channels = nextChannels(state.view, claimed);
    let learnt = 0;
    for (const channelArn of channels) {
      const sessions = await this.#sessionsOf(channelArn, claimed, signal);
      if (sessions === 'refused') return this.#giveUp();
      learnt += sessions.length;
      if (sessions.length > 0) await observe({ kind: 'history', channelArn, sessions, atMs: state.nowMs() });
    }
    await this.#advance(claimed, channels.at(-1), learnt);
    this.#oddAnswers.clear();
    return 'worked';
  }

  /** Sessions of the unobserved period that the records lack. `refused`: the policy does not allow these calls. */
  async #sessionsOf(
    channelArn: ChannelArn,
    { fromMs, toMs }: LookBackNote,
    signal: AbortSignal,
  ): Promise<readonly HistorySession[] | 'refused'> {
    const { reader, state } = this.#options;
    const call = { lane: 'bulk', signal, waitMs: callWaitMs } as const;
    const found: HistorySession[] = [];
    let archived: ReadonlySet<string> | undefined;
    const tokens = new PageTokens('ListStreamSessions');
    let nextToken: string | undefined;
    try {
      do {
        const page = await reader.listStreamSessions(channelArn, nextToken, call);
        let isOlder = false;
        for (const { streamId, startTimeMs, endTimeMs } of page.sessions) {
          if (endTimeMs !== undefined && endTimeMs < fromMs - slackMs) {
            isOlder = true;
            continue;
          }
          if (!isUnseen(state.view, channelArn, { streamId, startTimeMs, endTimeMs }, { fromMs, toMs })) continue;
          if (found.length === mostSessions) return found;
          // Archived sessions are known; they are no longer amended.
          archived ??= await this.#archivedOf(channelArn);
          if (archived.has(streamId)) continue;
          const events = await reader.sessionEvents(channelArn, streamId, call);
          found.push({
            streamId,
            startTimeMs: startTimeMs!,
            ...(endTimeMs === undefined ? {} : { endTimeMs }),
            events,
          });
        }
        nextToken = isOlder ? undefined : tokens.next(page.nextToken, { broughtNews: page.sessions.length > 0 });
      } while (nextToken !== undefined);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // The channel was deleted meanwhile.
      if (error.code === 'IVS_NOT_FOUND') return [];
      if (error.code === 'IVS_ACCESS_DENIED') {
        this.#options.logger.warn(
          { err: error },
          'sessions of the unobserved time cannot be looked up: the policy lacks ListStreamSessions or GetStreamSession',
        );
        return 'refused';
      }
      if (error.code === 'IVS_ANSWER_INVALID' || error.code === 'IVS_REQUEST_INVALID') {
        const times = (this.#oddAnswers.get(channelArn) ?? 0) + 1;
        this.#oddAnswers.set(channelArn, times);
        if (times < mostOddAnswers) throw error;
        this.#options.logger.warn(
          { err: error, channelArn },
          'the sessions of a channel cannot be looked up; what it did in the unobserved time stays unknown',
        );
        return [];
      }
      throw error;
    }
    return found;
  }

  async #archivedOf(channelArn: ChannelArn): Promise<ReadonlySet<string>> {
    const rows = await this.#options.state.readLog(logs.sessions(channelIdOf(channelArn)), {
      limit: maxLoggedSessions,
    });
    return new Set(rows.flatMap(({ entry }) => (entry.channelArn === channelArn ? entry.streamId : [])));
  }

  async #giveUp(): Promise<'idle'> {
    await this.#options.state.transact((tx) => tx.delete(notes.lookBack));
    return 'idle';
  }

  async #advance(claimed: LookBackNote, last: ChannelArn | undefined, learnt: number): Promise<void> {
    const { state, replica, logger } = this.#options;
    const finished = await state.transact((tx) => {
      const now = tx.get(notes.lookBack);
      // Another replica has continued, or a further period must be looked at.
      if (now?.claim?.by !== replica || now.fromMs !== claimed.fromMs || now.toMs !== claimed.toMs) return undefined;
      const { after: _, claim: _over, ...rest } = now;
      const sum = now.learnt + learnt;
      if (last !== undefined) tx.set(notes.lookBack, { ...rest, after: last, learnt: sum });
      else if (now.phase === 'suspects') tx.set(notes.lookBack, { ...rest, phase: 'all', learnt: sum });
      else {
        tx.delete(notes.lookBack);
        return { ...now, learnt: sum };
      }
      return undefined;
    });
    if (!finished) return;
    const span = { from: new Date(finished.fromMs).toISOString(), to: new Date(finished.toMs).toISOString() };
    logger.info({ ...span, sessions: finished.learnt }, 'looked back at the unobserved time');
  }
}

/** False while IVS does not answer, or while events still wait in the queue. */
function isTimeToLook(
  view: StateView,
  { toMs }: LookBackNote,
  { hasEventQueue, nowMs }: { readonly hasEventQueue: boolean; readonly nowMs: number },
): boolean {
  if (gapOf(view, 'poll')) return false;
  // First it must be known which streams are live now, and which have ended.
  if ((view.get(notes.sweep('all'))?.startedAtMs ?? 0) < toMs - slackMs) return false;
  if (!hasEventQueue || nowMs - toMs > longestPatienceMs) return true;
  const read = view.get(notes.queueRead);
  return read !== undefined && read.atMs > toMs + slackMs && (read.lagMs ?? 0) < quietLagMs;
}

/** The next channels of the phase, in the order of their ARNs; none: the phase is over. */
function nextChannels(view: StateView, { phase, after = '', fromMs, toMs }: LookBackNote): readonly ChannelArn[] {
  const all =
    phase === 'suspects'
      ? Array.from(view.entries(kinds.stream)).flatMap(([arn, record]) => (isSuspect(record, fromMs, toMs) ? arn : []))
      : Array.from(view.entries(kinds.channel), ([arn]) => arn);
  return all
    .filter((arn) => arn > after && isChannelArn(arn))
    .toSorted()
    .slice(0, batchSize);
}

/** Whether the newest session began or ended about then. */
function isSuspect(
  { stateSinceMs, startedAtMs = stateSinceMs, endedAtMs }: StreamRecord,
  fromMs: number,
  toMs: number,
): boolean {
  const isAbout = (ms: number) => ms >= fromMs - slackMs && ms <= toMs + longestPatienceMs;
  return isAbout(startedAtMs) || (endedAtMs !== undefined && isAbout(endedAtMs));
}

/** Whether a session began or ended in the unobserved period, and no event reported it. */
function isUnseen(
  view: StateView,
  channelArn: ChannelArn,
  session: {
    readonly streamId: StreamId;
    readonly startTimeMs: number | undefined;
    readonly endTimeMs: number | undefined;
  },
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): boolean {
  const { streamId, startTimeMs, endTimeMs } = session;
  if (startTimeMs === undefined || startTimeMs > toMs || (endTimeMs !== undefined && endTimeMs < startTimeMs))
    return false;
  const basis = knownSession(view, channelArn, streamId)?.basis;
  const lacksStart = startTimeMs >= fromMs - slackMs && basis?.startEventMs === undefined;
  const lacksEnd =
    endTimeMs !== undefined &&
    endTimeMs <= toMs + slackMs &&
    basis?.endedMs === undefined &&
    basis?.failedMs === undefined;
  return lacksStart || lacksEnd;
}
