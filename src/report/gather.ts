// Reads what reports consist of: records, samples, journal, audit and what was captured about the session from IVS.
import { type ChannelArn, isChannelArn } from '#domain/channel.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { kinds, logs } from '#domain/state-registry.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import { type AuditRow, auditEntries } from '#journal/audit.ts';
import { decisionsAbout } from '#journal/query.ts';
import { unknownSession } from '#journal/traces.ts';
import { nameOf, sessionOf } from '#streams/queries.ts';
import { allSamples } from '#streams/samples.ts';
import type { Report, SessionReport } from './model.ts';
import { sessionReport } from './session-report.ts';

/** One session of a channel (default: the newest), or the newest session of every channel with a tag. */
export type ReportSubject =
  | { readonly channelArn: ChannelArn; readonly streamId?: string | undefined }
  | { readonly tag: { readonly key: string; readonly value: string } };

/** Maximum number of channels in one report. */
export const mostChannels = 50;
/** Maximum number of entries of the audit, and of the log of captures, that a report reads. */
const mostLooked = 20_000;
const keptCaptures = 2_000;
/** Actions that the end of a session caused come a little later. */
const afterEndMs = 10 * 60_000;
/** Causes of a session's actions may have begun a little before it. */
const beforeStartMs = 60_000;

/** A tag that no channel has results in a report without sessions. @throws AppError NOT_FOUND: no such session; REDIS_UNREACHABLE */
export async function gatherReport(state: SharedState, subject: ReportSubject): Promise<Report> {
  const nowMs = state.nowMs();
  const { records, title, leftOut } = await sessionsOf(state, subject);
  const spans = new Map(records.map((record) => [record.channelArn, spanOf(record, nowMs)]));
  const sinceMs = Math.min(nowMs, ...Array.from(spans.values(), ({ fromMs }) => fromMs));
  const [decisions, audit, captures] = await Promise.all([
    decisionsAbout(state, new Set(spans.keys()), { sinceMs }),
    auditOf(state, spans, sinceMs),
    state.readLog(logs.captures, { limit: keptCaptures }),
  ]);
  const sessions: SessionReport[] = [];
  // One after the other, because a long session has many samples.
  for (const record of records) {
    const { channelArn, streamId } = record;
    const { fromMs, toMs } = spans.get(channelArn)!;
    const inSpan = ({ atMs }: { readonly atMs: number }) => atMs >= fromMs && atMs <= toMs;
    const own = (decisions.rows.get(channelArn) ?? []).filter(
      (row) => inSpan(row) && (row.streamId === undefined || row.streamId === streamId),
    );
    const capture = captures.find(({ entry }) => entry.channelArn === channelArn && entry.streamId === streamId)?.entry;
    const facts = {
      record,
      channelName: nameOf(state.view, channelArn, record),
      samples: await allSamples(state, record),
      decisions: own,
      audit: audit.entries.filter((entry) => entry.channelArn === channelArn && inSpan(entry)),
      hints: capture?.hints,
      incomplete: decisions.truncated || audit.truncated,
      nowMs,
    };
    sessions.push(sessionReport(facts));
  }
  return {
    version: 1,
    title,
    madeAt: new Date(nowMs).toISOString(),
    sessions,
    ...(leftOut > 0 ? { leftOut } : {}),
  };
}

async function sessionsOf(
  state: SharedState,
  subject: ReportSubject,
): Promise<{ readonly records: readonly StreamRecord[]; readonly title: string; readonly leftOut: number }> {
  if ('channelArn' in subject) {
    const { channelArn, streamId } = subject;
    const record = await sessionOf(state, channelArn, streamId);
    if (!record) throw await unknownSession(state, channelArn, streamId);
    return { records: [record], title: nameOf(state.view, channelArn, record) || channelArn, leftOut: 0 };
  }
  const { key, value } = subject.tag;
  const tagged = Array.from(state.view.entries(kinds.channel), ([, channel]) => channel).filter(
    ({ tags }) => Object.hasOwn(tags, key) && tags[key] === value,
  );
  const found = await Promise.all(
    tagged
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .slice(0, mostChannels)
      .map(({ arn }) => sessionOf(state, arn)),
  );
  const records = found.filter((record) => record !== undefined);
  return { records, title: `${key}=${value}`, leftOut: Math.max(0, tagged.length - mostChannels) };
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

function spanOf({ startedAtMs, stateSinceMs, basis, endedAtMs }: StreamRecord, nowMs: number): Span {
  const startMs = Math.min(startedAtMs ?? stateSinceMs, basis.createdMs ?? stateSinceMs, stateSinceMs);
  return { fromMs: startMs - beforeStartMs, toMs: endedAtMs === undefined ? nowMs : endedAtMs + afterEndMs };
}

async function auditOf(
  state: SharedState,
  spans: ReadonlyMap<ChannelArn, Span>,
  sinceMs: number,
): Promise<{ readonly entries: readonly AuditRow[]; readonly truncated: boolean }> {
  const entries: AuditRow[] = [];
  const found = auditEntries(state, { sinceMs }, undefined, mostLooked);
  for (let step = await found.next(); ; step = await found.next()) {
    if (step.done) return { entries, truncated: step.value !== undefined };
    const { channelArn } = step.value;
    if (channelArn !== undefined && isChannelArn(channelArn) && spans.has(channelArn)) entries.push(step.value);
  }
}
