// Who did what, why, and what it changed: an append-only log, one entry for each request, each refusal and each finished action.
// Entries contain ids and settings, never a secret: of an address only its origin.
import { maskAddresses } from '#domain/address.ts';
import type { AuditEntry, AuditedMembers } from '#domain/log-entries.ts';
import { memberJobId } from '#domain/metadata-fanout.ts';
import type { SharedState, Transaction } from '#domain/shared-state.ts';
import { logs } from '#domain/state-registry.ts';

import { shownCheck } from './checks.ts';

const keptEntries = 200_000;

/** Adds an entry; its time is the commit's. */
export function audit(tx: Transaction, entry: Omit<AuditEntry, 'atMs'>): void {
  tx.append(
    logs.audit,
    masked({ atMs: tx.nowMs, ...entry, ...('params' in entry ? { params: kept(entry.params) } : {}) }),
    keptEntries,
  );
}

/** Adds one entry that stands for many members of a fan-out with equal results. */
export function auditMany(
  tx: Transaction,
  entry: Omit<AuditEntry, 'atMs' | 'why' | 'many'>,
  many: AuditedMembers,
): void {
  audit(tx, { ...entry, why: '', many });
}

export interface AuditFilter {
  readonly channelArn?: string | undefined;
  readonly who?: string | undefined;
  readonly what?: string | undefined;
  readonly sinceMs?: number | undefined;
  /** Only entries older than this. */
  readonly untilMs?: number | undefined;
}

export type AuditRow = AuditEntry & { readonly id: string };

const pageSize = 1_000;

/**
 * All entries that match, newest first; reads the log in pages. `before` continues after an earlier row's id. After `mostLooked` entries,
 * matching or not, the rest is skipped: returns the id to continue from, or undefined at the log's beginning. An entry that stands for
 * many yields a row for each, with ids `<id>.<n>`.
 */
export async function* auditEntries(
  state: Pick<SharedState, 'readLog'>,
  filter: AuditFilter,
  before?: string,
  mostLooked = Number.POSITIVE_INFINITY,
): AsyncGenerator<AuditRow, string | undefined> {
  const resumed = placeIn(before);
  for (let from = resumed.from, looked = 0; ; ) {
    const rows = await state.readLog(logs.audit, {
      limit: pageSize,
      ...(from === undefined ? {} : { before: from }),
    });
    for (const { id, entry } of rows) {
      if (filter.sinceMs !== undefined && entry.atMs < filter.sinceMs) return undefined;
      // Entries of earlier versions contain whole addresses.
      for (const row of rowsOf(id, entry, id === resumed.id ? resumed.next : 0))
        if (matches(row, filter)) yield { ...masked(row), id: row.id };
    }
    if (rows.length < pageSize) return undefined;
    from = rows.at(-1)!.id;
    looked += rows.length;
    if (looked >= mostLooked) return from;
  }
}

/** Where reading continues: an entry whose rows were partly read is read again, from its next row. */
function placeIn(before: string | undefined): {
  readonly from: string | undefined;
  readonly id?: string;
  readonly next: number;
} {
  const [id, row] = before?.split('.') ?? [];
  if (id === undefined || row === undefined) return { from: before, next: 0 };
  const [ms, number] = id.split('-');
  return { from: `${ms}-${Number(number) + 1}`, id, next: Number(row) + 1 };
}

function rowsOf(id: string, { many, ...entry }: AuditEntry, from: number): AuditRow[] {
  if (!many) return [{ id, ...entry }];
  return many.members.slice(from).map(([place, decisionId, channelArn], index) => ({
    id: `${id}.${from + index}`,
    ...entry,
    why: decisionId,
    decisionId,
    channelArn,
    jobId: memberJobId(many.fanoutId, place),
  }));
}

/** The export's line for an entry: one JSON object, times in ISO 8601. */
export function auditLine({ atMs, checks, ...entry }: AuditRow): string {
  const shown = checks && { checks: checks.map(shownCheck) };
  return `${JSON.stringify({ at: new Date(atMs).toISOString(), ...entry, ...shown })}\n`;
}

/** Limit of the parameters of one entry, and of each parameter, in characters of JSON, because the log is read by the thousand entries. */
const mostParams = 4_096;
const mostParam = 1_024;

/** The parameters as stored: of a very large one only its size. The job has it in full. */
function kept(params: unknown): unknown {
  if (lengthOf(params) <= mostParams || typeof params !== 'object' || params === null) return params;
  const short = Object.fromEntries(
    Object.entries(params).map(([key, value]) => [key, lengthOf(value) <= mostParam ? value : leftOut(value)]),
  );
  return lengthOf(short) <= mostParams ? short : leftOut(params);
}

function lengthOf(value: unknown): number {
  return JSON.stringify(value)?.length ?? 0;
}

function leftOut(value: unknown): { readonly leftOut: string } {
  return { leftOut: `${lengthOf(value)} characters` };
}

function masked(entry: AuditEntry): AuditEntry {
  return entry.params === undefined ? entry : { ...entry, params: maskAddresses(entry.params) };
}

function matches(entry: AuditEntry, { channelArn, who, what, untilMs }: AuditFilter): boolean {
  return (
    (untilMs === undefined || entry.atMs < untilMs) &&
    (channelArn === undefined || entry.channelArn === channelArn) &&
    (who === undefined || entry.who === who) &&
    (what === undefined || entry.what === what)
  );
}
