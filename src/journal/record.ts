// Stores decisions. There are two logs, so that unimportant entries never push out important ones: `journal` has what acted, was held back
// or resolved, `journal-quiet` the rest. `last/<rule>|<channel>` keeps the newest reason why a rule did not act on a channel.
// Many equal decisions of one moment become one entry that names every channel; many that acted become one entry of `journal-bundles` that
// contains each of them.
import type {
  Decision,
  DecisionBundle,
  DecisionOutcome,
  DecisionReason,
  DecisionSummary,
  JobResult,
  JobResults,
  JournalEntry,
} from '#domain/decision.ts';
import type { LastWord } from '#domain/rule-memory.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds, logs } from '#domain/state-registry.ts';
import { bundleOf, mostAlone } from './bundle.ts';

const keptDecisions = 50_000;
const keptQuiet = 20_000;
const keptResults = 50_000;
/** Maximum number of decisions that share an entry. At least as many decisions are kept in shared entries as in single ones. */
const mostInBundle = 50;
const keptBundles = keptDecisions / mostAlone;
/** How many last reasons are kept, and for how long. */
const keptLastWords = 50_000;
const lastWordKeptMs = 7 * 86_400_000;

const loud: ReadonlySet<DecisionOutcome> = new Set(['acted', 'would_act', 'suppressed', 'resolved']);
/** Reasons of approvals: requests and their outcomes. */
const loudReasons: ReadonlySet<DecisionReason> = new Set([
  'awaiting_approval',
  'approval_rejected',
  'approval_timed_out',
  'session_over',
]);

/** Stores the decisions of one transaction. */
export function recordDecisions(tx: Transaction, decisions: readonly Decision[]): void {
  for (const [, like] of Map.groupBy(decisions, ({ rule, outcome, reason }) => `${rule}|${outcome}|${reason}`)) {
    const [first] = like as [Decision, ...Decision[]];
    // Each action is listed individually, with its jobs.
    const isAsked = loudReasons.has(first.reason);
    const acts =
      isAsked || first.outcome === 'acted' || first.outcome === 'would_act' || like.some(({ jobs }) => jobs.length > 0);
    if (acts && like.length > mostAlone) {
      for (const bundle of bundlesOf(like)) tx.append(logs.bundles, bundle, keptBundles);
      continue;
    }
    const entries: readonly JournalEntry[] = like.length <= mostAlone ? like : [summaryOf(like)];
    const [log, kept] = loud.has(first.outcome) || isAsked ? [logs.journal, keptDecisions] : [logs.quiet, keptQuiet];
    for (const entry of entries) tx.append(log, entry, kept);
  }
  for (const decision of decisions) {
    if (decision.outcome !== 'not_fired' && decision.outcome !== 'suppressed') continue;
    if (decision.channelArn !== undefined)
      tx.set(kinds.last.of(decision.rule, decision.channelArn), lastWordOf(decision));
  }
}

/** Splits into parts of about the same size. */
function bundlesOf(decisions: readonly Decision[]): DecisionBundle[] {
  const size = Math.ceil(decisions.length / Math.ceil(decisions.length / mostInBundle));
  return Array.from({ length: Math.ceil(decisions.length / size) }, (_, place) =>
    bundleOf(decisions.slice(place * size, (place + 1) * size) as [Decision, ...Decision[]]),
  );
}

function summaryOf(decisions: readonly Decision[]): DecisionSummary {
  const [example] = decisions as [Decision, ...Decision[]];
  const { rule, outcome, reason, atMs } = example;
  // Two steps of one rule can be held back on one channel.
  const ids = decisions.flatMap(({ channelArn }) => channelArn?.slice(channelArn.lastIndexOf('/') + 1) ?? []);
  const channelIds = [...new Set(ids)];
  return {
    summary: true,
    rule,
    outcome,
    reason,
    atMs,
    count: channelIds.length || decisions.length,
    channelIds,
    example,
  };
}

function lastWordOf({ id, atMs, outcome, reason, guards, withheld, trigger }: Decision): LastWord {
  const refused = guards.find(({ passed }) => !passed);
  return { decisionId: id, atMs, outcome, reason, values: refused?.values ?? withheld[0]?.values ?? trigger.values };
}

export function lastWord(view: StateView, rule: string, channelArn: string): LastWord | undefined {
  return view.get(kinds.last.of(rule, channelArn));
}

/** Deletes last reasons that are old, and the oldest if there are too many. */
export function pruneLastWords(tx: Transaction): void {
  const words = Array.from(tx.entries(kinds.last), ([id, { atMs }]) => ({ id, atMs }));
  words.sort((a, b) => b.atMs - a.atMs);
  for (const [place, { id, atMs }] of words.entries())
    if (place >= keptLastWords || tx.nowMs - atMs > lastWordKeptMs) tx.delete(kinds.last.of(id));
}

/** Stores the result of a decision's job, so that the journal can show both together. */
export function recordJobResult(tx: Transaction, result: JobResult): void {
  tx.append(logs.results, result, keptResults);
}

/** The same for members of a fan-out with equal results. */
export function recordJobResults(tx: Transaction, results: JobResults): void {
  tx.append(logs.results, results, keptResults);
}
