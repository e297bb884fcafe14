// The evening in figures, and whether it went as it must: there must be 0 throttles.
import { visibleLine } from '#domain/visible-text.ts';
import type { CallRecord, CueRecord } from '#simulator/client.ts';

export interface Summary {
  readonly observations: ReadonlyMap<string, number>;
  readonly decisions: ReadonlyMap<string, number>;
  readonly jobs: ReadonlyMap<string, number>;
  readonly calls: readonly CallRecord[];
  readonly cues: readonly CueRecord[];
  /** Sentences; an empty list means success. */
  readonly problems: string[];
}

/** Prints the tables; adds what went wrong to `problems`. */
export function printSummary(summary: Summary): void {
  const { observations, decisions, jobs, calls, cues, problems } = summary;
  const throttled = calls.filter(({ status }) => status === 429);
  if (throttled.length > 0) problems.push(`${throttled.length} calls were throttled`);
  if (!decisions.has('acted')) problems.push('no rule acted');
  for (const label of jobs.keys()) if (label.endsWith(': failed')) problems.push(`jobs failed: ${label}`);

  table('Observations', observations);
  table('Decisions', decisions);
  table('Jobs', jobs);
  table(
    'Calls to IVS',
    countBy(calls, ({ operation }) => operation),
  );
  console.log(`\n  metadata cues accepted by IVS  ${cues.length}`);
  console.log(`  throttles                      ${throttled.length}`);
  for (const problem of problems) console.log(`  PROBLEM: ${visibleLine(problem)}`);
}

function table(title: string, counts: ReadonlyMap<string, number>): void {
  console.log(`\n${title}`);
  const rows = [...counts].toSorted(([a], [b]) => a.localeCompare(b));
  const width = Math.max(0, ...rows.map(([label]) => label.length));
  for (const [label, count] of rows) console.log(`  ${visibleLine(label).padEnd(width)}  ${String(count).padStart(6)}`);
}

function countBy<T>(items: readonly T[], labelOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(labelOf(item), (counts.get(labelOf(item)) ?? 0) + 1);
  return counts;
}
