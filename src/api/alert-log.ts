// Records which alerts exist, so that their end is known: most alerts are not stored anywhere, but follow from the current state. Every
// replica with an API does this; each finds what another has recorded. Whoever records that an alert began or ended also logs it, so that
// the fleet logs it once, and a restart logs nothing again.
import { isDeepStrictEqual } from 'node:util';
import type { SeenAlert } from '#domain/alert.ts';
import type { SharedState, StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { Clock } from '#runtime/clock.ts';
import { loggedEpisode } from '#runtime/episode.ts';
import type { Logger } from '#runtime/logger.ts';
import { Loop } from '#runtime/loop.ts';
import { type Alert, type AlertKind, isAboutAllOf, isAlertKind } from './alert.ts';
import type { AlertLines } from './alert-lines.ts';
import type { AlertShard, AlertSources } from './alert-sources.ts';
import { openAlerts, seenOf, shardOf } from './alerts.ts';

export interface AlertLogOptions extends AlertSources {
  readonly shards: readonly (AlertShard & { readonly state: SharedState })[];
  /** Logs what began and what ended. */
  readonly lines: AlertLines;
}

/** Kinds that each replica sees by itself: if one replica does not see such an alert, it has not ended. */
const ofOneReplica: ReadonlySet<AlertKind> = new Set(['config', 'data_gap', 'dead_letters', 'redis', 'not_carried']);
/** A record is renewed at most this often. */
const renewMs = 60_000;
/** If nobody has renewed a record for this long, nobody sees the alert any longer. */
const unseenMs = 150_000;
const endedKeptMs = 86_400_000;
const mostEnded = 300;
/** More than anybody reads; alerts beyond this are shown while they are open, and forgotten afterwards. */
const mostOpen = 1_000;

/** The loop that records alerts. */
export function alertLog(
  options: AlertLogOptions & { readonly clock: Clock; readonly logger: Logger; readonly random: () => number },
): Loop {
  const { clock, logger, random } = options;
  const everyMs = 5_000;
  return new Loop({
    name: 'alert-log',
    run: () => logAlerts(options),
    everyMs,
    retry: { baseMs: everyMs, maxMs: 30_000 },
    episode: loggedEpisode({
      clock,
      logger,
      level: 'error',
      began: 'alerts cannot be recorded; trying again',
      ended: 'alerts are recorded again',
    }),
    clock,
    random,
  });
}

/**
 * Compares once, and writes what has changed, which is usually nothing. A Redis that is away does not stop the accounts on other servers.
 * @throws what a write throws, after every account has been tried
 */
export async function logAlerts(sources: AlertLogOptions): Promise<void> {
  const { shards, lines } = sources;
  const all = openAlerts(sources);
  const isIncident = ({ kind }: Alert) => kind === 'incident';
  // Incidents have a record of their own.
  lines.follow(all.filter(isIncident), shards[0]?.state.nowMs() ?? 0);
  const open = Map.groupBy(
    all.filter((alert) => !isIncident(alert)),
    ({ id }) => shardOf(shards, id),
  );
  const written = shards.map(async (shard) => {
    const { state } = shard;
    const changes = changesOf(state.view, open.get(shard) ?? [], state.nowMs());
    if (changes.length === 0) return;
    const made = await state.transact((tx) =>
      changes.filter(({ id, before, after }) => {
        const key = kinds.seenAlert.of(id);
        // What another replica has written in the meantime is just as valid.
        if (!isDeepStrictEqual(tx.get(key), before)) return false;
        if (after) tx.set(key, after);
        else tx.delete(key);
        return true;
      }),
    );
    for (const { id, before, after } of made) {
      if (!after) continue;
      if (after.endedMs !== undefined) lines.ended({ ...after, id }, after.endedMs);
      else if (isBeginning(before, after)) lines.began({ ...after, id });
    }
  });
  lines.settle();
  for (const outcome of await Promise.allSettled(written)) if (outcome.status === 'rejected') throw outcome.reason;
}

interface Change {
  readonly id: string;
  readonly before: SeenAlert | undefined;
  /** Undefined: the record is deleted. */
  readonly after: SeenAlert | undefined;
}

function changesOf(view: StateView, open: readonly Alert[], nowMs: number): Change[] {
  const changes: Change[] = [];
  const byId = new Map(open.slice(0, mostOpen).map((alert) => [alert.id, alert]));
  for (const [id, alert] of byId) {
    const before = view.get(kinds.seenAlert.of(id));
    const after = seenOf(alert, nowMs);
    if (!before || before.endedMs !== undefined || isNews(before, after)) changes.push({ id, before, after });
  }
  const records = Array.from(view.entries(kinds.seenAlert));
  for (const [id, before] of records) {
    const { kind, seenMs, endedMs, sinceMs } = before;
    if (endedMs !== undefined || byId.has(id) || !isAlertKind(kind)) continue;
    if (open.length > mostOpen || (ofOneReplica.has(kind) && nowMs - seenMs < unseenMs)) continue;
    const acknowledged = view.get(kinds.acknowledged.of(id));
    const isTheirs = acknowledged && isAboutAllOf(acknowledged.atMs, { since: sinceMs });
    changes.push({ id, before, after: { ...before, endedMs: nowMs, ...(isTheirs ? { acknowledged } : {}) } });
  }
  const ended = records
    .filter(([id, { endedMs }]) => endedMs !== undefined && !byId.has(id))
    .sort(([, left], [, right]) => right.endedMs! - left.endedMs!);
  for (const [place, [id, before]] of ended.entries())
    if (place >= mostEnded || nowMs - before.endedMs! > endedKeptMs) changes.push({ id, before, after: undefined });
  return changes;
}

/** Whether the alert is not the one on record: there is none, that one has ended, or this one began after it was last recorded. */
function isBeginning(before: SeenAlert | undefined, after: SeenAlert): boolean {
  if (!before || before.endedMs !== undefined) return true;
  return !isLocal(before) && after.sinceMs > before.seenMs;
}

/** Whether each replica sees alerts of this kind by itself. */
function isLocal({ kind }: SeenAlert): boolean {
  return isAlertKind(kind) && ofOneReplica.has(kind);
}

/** Whether the alert differs from its record. For kinds that each replica sees by itself, a different beginning is no difference. */
function isNews(before: SeenAlert, after: SeenAlert): boolean {
  if (!isLocal(before) && before.sinceMs !== after.sinceMs) return true;
  if (after.seenMs - before.seenMs < renewMs) return false;
  return isLocal(before) || !isDeepStrictEqual({ ...before, seenMs: 0 }, { ...after, seenMs: 0 });
}
