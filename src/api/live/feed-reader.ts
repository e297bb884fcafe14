// One reader of the live feed, at the speed of its link: rows in pieces, the most severe first, then changes. A reader that is behind gets
// several steps as one, so the number of rows bounds what waits for it, however long it is behind.
import type { RowDelta } from './model.ts';
import type { LiveRow } from './row.ts';

/** One open connection. */
export interface Reader {
  readonly signal: AbortSignal;
  /** Bytes that were written and have not left yet. */
  readonly backlog: number;
  /** Resolves when nothing is buffered any longer, or the connection is over. */
  drained(): Promise<void>;
  send(event: string, data: unknown): void;
}

type Numbered = readonly [number: number, row: LiveRow];
type Status = Record<string, unknown>;

/** Rows in one message, about 80 kB: less than a second on a slow link. */
const rowsPerMessage = 250;
/** Changed rows in one message; a change is a few numbers. */
const patchesPerMessage = 2000;
/** A reader with more than this buffered is behind. */
const behindBytes = 131_072;

/** States: loading (gets the rows in pieces) → following. */
export class FeedReader {
  readonly #reader: Reader;
  /** Numbers of the rows that it has, or that are on their way to it. */
  readonly #has = new Set<number>();
  #loading = true;
  /** Changes that were not sent to it yet, because it is behind. */
  #owed:
    | { readonly rows: Map<number, LiveRow | null>; readonly patches: Map<number, Status>; status: Status }
    | undefined;
  #catchingUp = false;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** Sends every row, in its state at the moment when its turn comes. `rowOf` returns undefined for a removed row. */
  async load(numbers: readonly number[], rowOf: (number: number) => LiveRow | undefined): Promise<void> {
    const reader = this.#reader;
    for (let from = 0; from < numbers.length && !reader.signal.aborted; from += rowsPerMessage) {
      const rows: Numbered[] = [];
      for (const number of numbers.slice(from, from + rowsPerMessage)) {
        const row = rowOf(number);
        if (!row || this.#has.has(number)) continue;
        this.#has.add(number);
        rows.push([number, row]);
      }
      reader.send('rows', rows);
      await reader.drained();
    }
    this.#loading = false;
    if (!reader.signal.aborted) reader.send('ready', { rows: this.#has.size });
  }

  /** A step of the model. Rows that the reader does not have yet are sent later, up to date. */
  delta({ rows, patches, removed }: RowDelta): void {
    const mine = {
      rows,
      patches: this.#loading ? patches.filter(([number]) => this.#has.has(number)) : patches,
      removed: this.#loading ? removed.filter((number) => this.#has.has(number)) : removed,
    };
    for (const [number] of rows) this.#has.add(number);
    for (const number of removed) this.#has.delete(number);
    if (mine.rows.length + mine.patches.length + mine.removed.length === 0) return;
    const fits = mine.rows.length <= rowsPerMessage && mine.patches.length <= patchesPerMessage;
    if (fits && !this.#isBehind()) return this.#reader.send('delta', mine);
    const owed = this.#owe();
    for (const [number, row] of mine.rows) {
      owed.rows.set(number, row);
      owed.patches.delete(number);
    }
    for (const [number, patch] of mine.patches) {
      const whole = owed.rows.get(number);
      if (whole) owed.rows.set(number, { ...whole, ...patch });
      else owed.patches.set(number, { ...owed.patches.get(number), ...patch });
    }
    for (const number of mine.removed) {
      owed.rows.set(number, null);
      owed.patches.delete(number);
    }
  }

  /** Parts of the status that changed. */
  status(parts: Status): void {
    if (!this.#isBehind()) return this.#reader.send('status', parts);
    const owed = this.#owe();
    owed.status = { ...owed.status, ...parts };
  }

  problem(message: string): void {
    if (!this.#isBehind()) this.#reader.send('problem', { message });
  }

  #isBehind(): boolean {
    return this.#owed !== undefined || this.#reader.backlog > behindBytes;
  }

  #owe() {
    this.#owed ??= { rows: new Map(), patches: new Map(), status: {} };
    if (!this.#catchingUp) {
      this.#catchingUp = true;
      void this.#reader.drained().then(() => this.#settle());
    }
    return this.#owed;
  }

  /** Sends everything owed, in pieces; changes that arrive meanwhile join the rest. */
  async #settle(): Promise<void> {
    const reader = this.#reader;
    const owed = this.#owe();
    while (!reader.signal.aborted) {
      const rows: Numbered[] = [];
      const removed: number[] = [];
      for (const [number, row] of owed.rows) {
        if (rows.length === rowsPerMessage) break;
        owed.rows.delete(number);
        if (row) rows.push([number, row]);
        else removed.push(number);
      }
      const patches: (readonly [number, Status])[] = [];
      for (const patch of owed.patches) {
        if (patches.length === patchesPerMessage) break;
        owed.patches.delete(patch[0]);
        patches.push(patch);
      }
      if (rows.length + removed.length + patches.length > 0) reader.send('delta', { rows, patches, removed });
      if (Object.keys(owed.status).length > 0) reader.send('status', owed.status);
      owed.status = {};
      if (owed.rows.size + owed.patches.size === 0) break;
      await reader.drained();
    }
    this.#owed = undefined;
    this.#catchingUp = false;
  }
}
