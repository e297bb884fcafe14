// Answers "why did it (not) act?" from the journal: its logs merged, newest first, with the results of the jobs.

import type { ChannelArn } from '#domain/channel.ts';
import type {
  Decision,
  DecisionBundle,
  DecisionOutcome,
  DecisionReason,
  JobResult,
  JobResults,
  JournalEntry,
} from '#domain/decision.ts';
import { memberJobId } from '#domain/metadata-fanout.ts';
import type { SharedState } from '#domain/shared-state.ts';
import type { Log } from '#domain/state-key.ts';
import { kinds, logs } from '#domain/state-registry.ts';
import { decisionsOf, mostAlone } from './bundle.ts';
import { decisionWords } from './words.ts';

export interface DecisionFilter {
  readonly id?: string | undefined;
  readonly rule?: string | undefined;
  readonly channelArn?: string | undefined;
  /** Only this session of the channel. */
  readonly streamId?: string | undefined;
  readonly outcome?: DecisionOutcome | undefined;
  readonly reason?: DecisionReason | undefined;
  /** Words that must all occur in the decision: names, ids, ARN, trigger, reason, actions, guards. */
  readonly text?: string | undefined;
  readonly sinceMs?: number | undefined;
  /** Only decisions before this moment. */
  readonly untilMs?: number | undefined;
  /** `next` of the previous page. */
  readonly after?: PagePlace | undefined;
  readonly limit: number;
}

/** Where a page ended: many decisions share a moment, so it also counts how many of that moment were shown. */
export interface PagePlace {
  readonly atMs: number;
  readonly seen: number;
}

export interface DecisionRow extends Omit<Decision, 'jobs'> {
  /** The number of channels with the same decision at that moment, in this one row. */
  readonly count: number;
  /** If the row stands for many channels: the one whose trigger and values are shown. */
  readonly example?: { readonly channelArn?: string; readonly channelName?: string };
  readonly jobs: readonly (Decision['jobs'][number] & { readonly result?: JobResult })[];
}

type Reader = Pick<SharedState, 'readLog' | 'view'>;
type LogReader = Pick<SharedState, 'readLog'>;

const pageSize = 1000;
/** Maximum number of entries of one log that a query reads: with a filter that matches very few, the result may be incomplete. */
const readAtMost = 50_000;

export interface FoundDecisions {
  readonly decisions: readonly DecisionRow[];
  /** Older ones may match too, but were not read. */
  readonly truncated: boolean;
  /** The oldest entries that were read: in the log of those that acted, were held back or resolved, and in the other one. */
  readonly reachedMs: { readonly loud: number | undefined; readonly quiet: number | undefined };
}

/** The newest decisions that match. */
export async function queryDecisions(state: Reader, filter: DecisionFilter): Promise<FoundDecisions> {
  const { limit, after } = filter;
  const wanted = { ...filter, limit: limit + (after?.seen ?? 0) };
  const matches = matcherOf(state, filter);
  const [loud, bundled, quiet] = await Promise.all([
    readMatching(state, sources.journal, wanted, matches),
    readMatching(state, sources.bundles, wanted, matches),
    readMatching(state, sources.quiet, wanted, matches),
  ]);
  const rows = mergePage([...loud.rows, ...bundled.rows, ...quiet.rows], filter);
  const loudMs = [loud.reachedMs, bundled.reachedMs].filter((atMs) => atMs !== undefined);
  return {
    decisions: await withResults(state, rows),
    truncated: loud.truncated || bundled.truncated || quiet.truncated,
    reachedMs: { loud: loudMs.length === 0 ? undefined : Math.min(...loudMs), quiet: quiet.reachedMs },
  };
}

/**
 * Decisions about some channels since a moment, without unimportant ones: reads the journal once for all of them, newest first.
 * `truncated`: older ones were not read.
 */
export async function decisionsAbout(
  state: LogReader,
  channelArns: ReadonlySet<string>,
  { sinceMs }: { readonly sinceMs: number },
): Promise<{ readonly rows: ReadonlyMap<string, readonly DecisionRow[]>; readonly truncated: boolean }> {
  const byId = new Map(Array.from(channelArns, (arn) => [arn.slice(arn.lastIndexOf('/') + 1), arn]));
  const found: DecisionRow[] = [];
  const take = (entry: JournalEntry) => {
    const about = 'summary' in entry ? entry.channelIds.flatMap((id) => byId.get(id) ?? []) : [entry.channelArn];
    for (const channelArn of about) {
      if (channelArn === undefined || !channelArns.has(channelArn)) continue;
      const row = rowOf(entry, { channelArn, sinceMs, limit: pageSize });
      if (row) found.push(row);
    }
    return entry.atMs >= sinceMs;
  };
  const isCut = [await walk(state, sources.journal, take), await walk(state, sources.bundles, take)];
  const newestFirst = found.toSorted((a, b) => b.atMs - a.atMs);
  const rows = await withResults(state, newestFirst);
  return { rows: Map.groupBy(rows, ({ channelArn }) => channelArn ?? ''), truncated: isCut.includes(true) };
}

/** The newest decisions that acted, were held back or resolved, newest first, each with a unique id. */
export async function newestDecisions(
  state: LogReader,
  { limit }: { readonly limit: number },
): Promise<readonly { readonly id: string; readonly entry: JournalEntry }[]> {
  const [alone, bundles] = await Promise.all([
    state.readLog(logs.journal, { limit }),
    state.readLog(logs.bundles, { limit: Math.ceil(limit / mostAlone) }),
  ]);
  const bundled = bundles.flatMap(({ id, entry }) =>
    decisionsOf(entry)
      .map((decision, place) => ({ id: `${id}.${place}`, entry: decision }))
      .reverse(),
  );
  return [...alone, ...bundled].toSorted((a, b) => b.entry.atMs - a.entry.atMs).slice(0, limit);
}

/** A log, and how its entries are shown. */
interface Source<T> {
  readonly log: Log<T>;
  readonly pageSize: number;
  readonly shown: (entry: T) => readonly JournalEntry[];
}

const sources = {
  journal: { log: logs.journal, pageSize, shown: (entry) => [entry] } satisfies Source<JournalEntry>,
  bundles: {
    log: logs.bundles,
    // Each entry has up to fifty decisions.
    pageSize: 100,
    shown: (bundle) => decisionsOf(bundle).reverse(),
  } satisfies Source<DecisionBundle>,
  quiet: { log: logs.quiet, pageSize, shown: (entry) => [entry] } satisfies Source<JournalEntry>,
};

/**
 * Passes entries to `take`, newest first, until it returns false. Returns whether it gave up before that, so that older ones were not read.
 */
async function walk<T>(
  state: LogReader,
  { log, pageSize: limit, shown }: Source<T>,
  take: (entry: JournalEntry) => boolean,
): Promise<boolean> {
  let before: string | undefined;
  for (let read = 0; read < readAtMost; ) {
    const page = await state.readLog(log, { limit, ...(before === undefined ? {} : { before }) });
    for (const { entry } of page) for (const one of shown(entry)) if (!take(one)) return false;
    if (page.length < limit) return false;
    read += page.length;
    before = page.at(-1)!.id;
  }
  return true;
}

/** One page of rows from several sources, newest first. */
export function mergePage(
  rows: readonly DecisionRow[],
  { limit, after }: Pick<DecisionFilter, 'limit' | 'after'>,
): readonly DecisionRow[] {
  const sorted = rows.toSorted((a, b) => b.atMs - a.atMs);
  const from = after === undefined ? 0 : Math.min(after.seen, sorted.filter(({ atMs }) => atMs === after.atMs).length);
  return sorted.slice(from, from + limit);
}

/** Where the next page begins; undefined if the page was not full. */
export function nextPlace(
  page: readonly DecisionRow[],
  { limit, after }: Pick<DecisionFilter, 'limit' | 'after'>,
): PagePlace | undefined {
  const last = page.at(-1);
  if (!last || page.length < limit) return undefined;
  const shown = page.filter(({ atMs }) => atMs === last.atMs).length;
  return { atMs: last.atMs, seen: shown + (after?.atMs === last.atMs ? after.seen : 0) };
}

interface Matching {
  readonly rows: readonly DecisionRow[];
  readonly truncated: boolean;
  readonly reachedMs: number | undefined;
}

async function readMatching<T>(
  state: Reader,
  source: Source<T>,
  filter: DecisionFilter,
  matches: (entry: JournalEntry) => boolean,
): Promise<Matching> {
  const rows: DecisionRow[] = [];
  let reachedMs: number | undefined;
  const truncated = await walk(state, source, (entry) => {
    if (filter.sinceMs !== undefined && entry.atMs < filter.sinceMs) return false;
    reachedMs = entry.atMs;
    const row = rowOf(entry, filter);
    if (row && matches(entry)) rows.push(row);
    return rows.length < filter.limit;
  });
  return { rows, truncated, reachedMs };
}

/** The row of an entry, if it matches. An entry for many channels is shown for the channel that was asked for. */
function rowOf(entry: JournalEntry, filter: DecisionFilter): DecisionRow | undefined {
  const { id, rule, streamId, outcome, reason, untilMs, after } = filter;
  if (id !== undefined && ('summary' in entry ? entry.example.id : entry.id) !== id) return undefined;
  if (rule !== undefined && entry.rule !== rule) return undefined;
  if (outcome !== undefined && entry.outcome !== outcome) return undefined;
  if (reason !== undefined && entry.reason !== reason) return undefined;
  if (streamId !== undefined && ('summary' in entry || entry.streamId !== streamId)) return undefined;
  if (untilMs !== undefined && entry.atMs >= untilMs) return undefined;
  if (after !== undefined && entry.atMs > after.atMs) return undefined;
  const { channelArn } = filter;
  if (!('summary' in entry))
    return channelArn === undefined || entry.channelArn === channelArn ? { ...entry, count: 1 } : undefined;
  const { channelName, streamId: _stream, ...shared } = entry.example;
  const example = {
    ...(shared.channelArn === undefined ? {} : { channelArn: shared.channelArn }),
    ...(channelName === undefined ? {} : { channelName }),
  };
  const row = { ...entry.example, count: entry.count, example };
  if (channelArn === undefined || shared.channelArn === channelArn) return row;
  if (!entry.channelIds.includes(channelArn.slice(channelArn.lastIndexOf('/') + 1))) return undefined;
  return { ...shared, channelArn, group: channelArn, count: entry.count, example };
}

/** Whether an entry contains all words of the filter; an entry for many channels is found by the name of each. */
function matcherOf(
  { view }: Pick<SharedState, 'view'>,
  { text = '' }: DecisionFilter,
): (entry: JournalEntry) => boolean {
  const parts = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (parts.length === 0) return () => true;
  return (entry) => {
    const hay = said('summary' in entry ? entry.example : entry).toLowerCase();
    const missing = parts.filter((part) => !hay.includes(part));
    if (missing.length === 0) return true;
    if (!('summary' in entry)) return false;
    const { channelArn = '' } = entry.example;
    const arns = entry.channelIds.map(
      (id) => `${channelArn.slice(0, channelArn.lastIndexOf('/') + 1)}${id}` as ChannelArn,
    );
    return arns.some((arn) => {
      const name = `${arn} ${view.get(kinds.channel.of(arn))?.name ?? ''}`.toLowerCase();
      return missing.every((part) => name.includes(part));
    });
  };
}

/** Every text of a decision that somebody may remember. */
function said(decision: Decision): string {
  const { id, rule, mode, outcome, reason, channelArn, channelName, streamId, trigger, guards, jobs, withheld } =
    decision;
  const refused = guards.flatMap(({ passed, values }) => (passed ? [] : Object.values(values)));
  const facts = [id, rule, mode, outcome, reason, decisionWords(decision), channelArn, channelName, streamId];
  const actions = [...jobs.map(({ action }) => action), ...withheld.map(({ action }) => action)];
  return [
    ...facts,
    trigger.text,
    ...actions.flatMap((action) => [action, action.replaceAll('_', ' ')]),
    ...jobs.map(({ jobId }) => jobId),
    ...withheld.flatMap((one) => [one.reason, ...Object.values(one.values)]),
    ...refused,
  ].join(' ');
}

/** The results of jobs: the newest of each. `sinceMs`: when the first of them was decided. */
export async function resultsOf(
  state: LogReader,
  jobIds: ReadonlySet<string>,
  { sinceMs, readAtMost: most = readAtMost }: { readonly sinceMs: number; readonly readAtMost?: number },
): Promise<ReadonlyMap<string, JobResult>> {
  const results = new Map<string, JobResult>();
  /** Jobs whose worker's result was found; the results of their metadata are newer, or only slightly older. */
  const told = new Set<string>();
  let before: string | undefined;
  for (let read = 0; read < most && told.size < jobIds.size; ) {
    const page = await state.readLog(logs.results, {
      limit: pageSize,
      ...(before === undefined ? {} : { before }),
    });
    for (const { entry } of page) {
      for (const result of 'members' in entry ? apart(entry, jobIds) : [entry]) {
        if (!jobIds.has(result.jobId)) continue;
        const known = results.get(result.jobId);
        // The results of its items take precedence, even for a job that continued with other channels of its fan-out.
        results.set(
          result.jobId,
          result.delivery && !known?.delivery ? { ...known, ...result } : { ...result, ...known },
        );
        if (!result.delivery) told.add(result.jobId);
      }
    }
    read += page.length;
    before = page.at(-1)?.id;
    if (page.length < pageSize || page.at(-1)!.entry.atMs < sinceMs) break;
  }
  return results;
}

/** From results that share an entry, those of these jobs. */
function apart({ fanoutId, members, delivery, ...shared }: JobResults, jobIds: ReadonlySet<string>): JobResult[] {
  return members.flatMap(([place, decisionId, batchId = '']) => {
    const jobId = memberJobId(fanoutId, place);
    if (!jobIds.has(jobId)) return [];
    return [{ ...shared, jobId, decisionId, ...(delivery ? { delivery: { batchId, ...delivery } } : {}) }];
  });
}

async function withResults(state: LogReader, rows: readonly DecisionRow[]): Promise<readonly DecisionRow[]> {
  const wanted = new Set(rows.flatMap(({ jobs }) => jobs.map(({ jobId }) => jobId)));
  if (wanted.size === 0) return rows;
  const results = await resultsOf(state, wanted, { sinceMs: Math.min(...rows.map(({ atMs }) => atMs)) });
  return rows.map((row) => ({
    ...row,
    jobs: row.jobs.map((job) => {
      const result = results.get(job.jobId);
      return result ? { ...job, result } : job;
    }),
  }));
}
