// The rows of the operator's page, kept in step with the shared state. A row keeps its number for as long as it exists, so that a change
// costs a few bytes. One model serves all readers; changes are relative to the model's own last step.
import { holdsInForce, readHold } from '#domain/controls-in-force.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { belongsOnPage, type LiveRow, type NextAction, type RowParts, rowOf, rowPatch } from './row.ts';

/** What channels have besides the state's own records; each map is by channel ARN. */
export interface ChannelExtras {
  readonly next: ReadonlyMap<string, NextAction>;
  readonly pendingRecording: ReadonlyMap<string, string>;
  readonly keyCreatedAtMs: ReadonlyMap<string, number>;
}

/** One step: new and replaced rows, changed fields, removed rows. */
export interface RowDelta {
  readonly rows: readonly (readonly [number: number, row: LiveRow])[];
  readonly patches: readonly (readonly [number: number, patch: Record<string, unknown>])[];
  readonly removed: readonly number[];
}

interface Entry {
  readonly number: number;
  parts: RowParts;
  row: LiveRow;
}

const sparkLength = 24;

export class LiveModel {
  readonly #entries = new Map<string, Entry>();
  readonly #byNumber = new Map<number, Entry>();
  readonly #sparks = new Map<string, number[]>();
  #nextNumber = 1;

  get size(): number {
    return this.#entries.size;
  }

  /** The numbers of all rows, the most severe first, so that these arrive at once over a slow link. */
  numbers(): number[] {
    return Array.from(this.#entries.values())
      .toSorted((a, b) => urgency(a.row) - urgency(b.row) || (b.row.viewers ?? 0) - (a.row.viewers ?? 0))
      .map(({ number }) => number);
  }

  /** A row for a reader that does not have it yet: with its sparkline. */
  row(number: number): LiveRow | undefined {
    const entry = this.#byNumber.get(number);
    if (!entry) return undefined;
    const { row, parts } = entry;
    return parts.spark && parts.spark.length > 1 ? { ...row, spark: [...parts.spark] } : row;
  }

  /** Samples the current viewer counts for the sparklines; call it at regular intervals. */
  sample(view: StateView): void {
    const live = new Set<string>();
    for (const [arn, record] of view.entries(kinds.stream)) {
      if (record.state !== 'live' || record.viewerCount === undefined) continue;
      live.add(arn);
      const spark = this.#sparks.get(arn) ?? [];
      spark.push(record.viewerCount);
      if (spark.length > sparkLength) spark.shift();
      this.#sparks.set(arn, spark);
    }
    for (const arn of this.#sparks.keys()) if (!live.has(arn)) this.#sparks.delete(arn);
  }

  /** Takes in the current state; returns what changed since the last step. Unchanged rows cost one comparison each. */
  step(view: StateView, extras: ChannelExtras, nowMs: number): RowDelta {
    const rows: (readonly [number, LiveRow])[] = [];
    const patches: (readonly [number, Record<string, unknown>])[] = [];
    const seen = new Set<string>();
    for (const arn of this.#channels(view, extras, nowMs)) {
      const parts: RowParts = {
        arn,
        record: view.get(kinds.stream.of(arn)),
        channel: view.get(kinds.channel.of(arn)),
        hold: readHold(view, arn, nowMs),
        next: extras.next.get(arn),
        pendingRecording: extras.pendingRecording.get(arn),
        keyCreatedAtMs: extras.keyCreatedAtMs.get(arn),
        spark: this.#sparks.get(arn),
      };
      if (!belongsOnPage(parts, nowMs)) continue;
      seen.add(arn);
      const entry = this.#entries.get(arn);
      if (!entry) {
        const made = { number: this.#nextNumber++, parts, row: rowOf(parts) };
        this.#entries.set(arn, made);
        this.#byNumber.set(made.number, made);
        rows.push([made.number, made.row]);
      } else if (!sameParts(entry.parts, parts)) {
        const row = rowOf(parts);
        const patch = rowPatch(entry.row, row);
        if (patch) patches.push([entry.number, patch]);
        entry.row = row;
        entry.parts = parts;
      }
    }
    const removed: number[] = [];
    for (const [arn, { number }] of this.#entries) {
      if (seen.has(arn)) continue;
      this.#entries.delete(arn);
      this.#byNumber.delete(number);
      removed.push(number);
    }
    return { rows, patches, removed };
  }

  #channels(view: StateView, extras: ChannelExtras, nowMs: number): Set<string> {
    const arns = new Set<string>();
    for (const [arn] of view.entries(kinds.stream)) arns.add(arn);
    for (const [arn] of holdsInForce(view, nowMs)) arns.add(arn);
    for (const arn of extras.next.keys()) arns.add(arn);
    for (const arn of extras.pendingRecording.keys()) arns.add(arn);
    return arns;
  }
}

/** 0 is the most severe. This is the order in which rows are sent; the page sorts them by more. */
function urgency({ state, health, next, hold }: LiveRow): number {
  if (state === 'failed' || health === 'STARVING') return 0;
  if (health === 'UNKNOWN' || state === 'created') return 1;
  return next || hold ? 2 : 3;
}

/** Values of the state are replaced, never changed, so comparing identity is enough. */
function sameParts(a: RowParts, b: RowParts): boolean {
  return (
    a.record === b.record &&
    a.channel === b.channel &&
    a.hold === b.hold &&
    a.next === b.next &&
    a.pendingRecording === b.pendingRecording &&
    a.keyCreatedAtMs === b.keyCreatedAtMs
  );
}
