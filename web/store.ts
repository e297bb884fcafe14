// What the page knows: rows by number, the parts of the status, the connection. Views read it; only live events write it.

import { computed, signal } from '@preact/signals';
import type { TokenRole } from '#api/auth.ts';
import type { RowDelta } from '#api/live/model.ts';
import type { LiveRow } from '#api/live/row.ts';
import type { LiveStatus } from '#api/live/status.ts';
import { pictureTitle } from '#domain/picture.ts';
import { clock } from './format.ts';

export interface Caller {
  readonly name: string;
  readonly role: TokenRole;
}

/** connecting → open ↔ lost; denied asks for a token. */
export const connection = signal<'connecting' | 'open' | 'lost' | 'denied'>('connecting');
/** Why somebody who is known may not even read: the daemon's message. */
export const refusal = signal('');
export const status = signal<LiveStatus | undefined>(undefined);
export const caller = signal<Caller | undefined>(undefined);
export const version = signal('');
/** All rows have arrived. */
export const ready = signal(false);
/** Counts changes of rows, so that views know when to sort again. */
export const rowsVersion = signal(0);

const mostSpark = 24;
/** Ticks once a second: ages and countdowns change, and silence becomes staleness, without any event. */
const tick = signal(Date.now());
const lastMessageAt = signal(0);
/** The daemon's clock minus this machine's, ms. */
let clockOffset = 0;
let shown = new Map<number, LiveRow>();
let loading = new Map<number, LiveRow>();
let wholeStatus = true;

/** Runs the clock of the page. Returns a function that stops this. */
export function startClock(): () => void {
  const timer = setInterval(() => {
    tick.value = Date.now();
  }, 1000);
  return () => clearInterval(timer);
}

/** The daemon's time now; a component that reads it while drawing is drawn again every second. */
export function now(): number {
  return Math.max(tick.value, Date.now()) + clockOffset;
}

/** Every row by its number; a component that reads it while drawing is drawn again when one changes. */
export function rows(): ReadonlyMap<number, LiveRow> {
  return rowsVersion.value < 0 ? new Map() : shown;
}

/** Why what is shown may be old: the connection, or the daemon's own data. Undefined: it is not old. */
export const staleReason = computed(() => {
  if (connection.value === 'lost') return 'The daemon cannot be reached: this is its last known state.';
  if (lastMessageAt.value > 0 && tick.value - lastMessageAt.value > 5000)
    return 'No news from the daemon for some seconds: this may be old.';
  const picture = status.value?.picture;
  if (picture) {
    // Without the seconds that pass: a screen reader would read the sentence again every second.
    const seen =
      picture.asOfMs === undefined ? 'nothing is known yet' : `this is the picture of ${clock(picture.asOfMs)}`;
    const accounts = picture.accounts === undefined ? '' : ` (${picture.accounts.join(', ')})`;
    return `${pictureTitle(picture)}${accounts}: nothing is decided; ${seen}.`;
  }
  if (status.value?.stale) return 'The daemon’s data is stale: timers stand still and nothing acts on it.';
  return undefined;
});

const byArn = computed(() => new Map(Array.from(rows().values(), (row) => [row.arn, row])));

/** The row of a channel, if it has one. */
export function rowOfChannel(arn: string): LiveRow | undefined {
  return byArn.value.get(arn);
}

/** Names of channels from answers of the API, by ARN. */
const learned = signal<ReadonlyMap<string, string>>(new Map());

/** Remembers the name of a channel that may have no row. */
export function learnName(arn: string, name: string): void {
  if (name !== '' && learned.peek().get(arn) !== name) learned.value = new Map([...learned.peek(), [arn, name]]);
}

/** The name of a channel; its id if no name is known. */
export function channelName(arn: string): string {
  return (
    rowOfChannel(arn)?.name ?? status.value?.names[arn] ?? learned.value.get(arn) ?? arn.slice(arn.lastIndexOf('/') + 1)
  );
}

export function mayOperate(): boolean {
  return caller.value !== undefined && caller.value.role !== 'viewer';
}

export const isPaused = computed(() => status.value?.pause !== undefined);

/** Applies one event of the stream. */
export function take(name: string, data: unknown): void {
  // A problem says that there is no news.
  if (name !== 'problem') lastMessageAt.value = Date.now();
  if (name === 'hello') {
    const hello = data as { readonly caller: Caller; readonly version: string };
    caller.value = hello.caller;
    version.value = hello.version;
    loading = new Map();
    // The first rows are shown as they arrive, the worst first; what was shown before a reconnect stays until all rows are there.
    if (shown.size === 0) shown = loading;
    wholeStatus = true;
    ready.value = false;
  } else if (name === 'status') takeStatus(data as Partial<LiveStatus> & { readonly nowMs: number });
  else if (name === 'rows') {
    for (const [number, row] of data as [number, LiveRow][]) loading.set(number, row);
    if (shown === loading) rowsVersion.value += 1;
  } else if (name === 'ready') {
    shown = loading;
    rowsVersion.value += 1;
    ready.value = true;
  } else if (name === 'delta') takeRowDelta(data as RowDelta);
}

/** A part that was removed is null. */
function takeStatus(parts: Partial<LiveStatus> & { readonly nowMs: number }): void {
  const known = Object.entries(wholeStatus ? parts : { ...status.peek(), ...parts }).filter(
    ([, part]) => part !== null,
  );
  wholeStatus = false;
  clockOffset = parts.nowMs - Date.now();
  status.value = Object.fromEntries(known) as unknown as LiveStatus;
}

function takeRowDelta({ rows: whole, patches, removed }: RowDelta): void {
  const mine = loading;
  for (const [number, row] of whole) mine.set(number, row);
  for (const [number, patch] of patches) {
    const row = mine.get(number);
    if (row) mine.set(number, patched(row, patch));
  }
  for (const number of removed) mine.delete(number);
  if (shown === mine) rowsVersion.value += 1;
}

/** A field that was removed is null; the sparkline grows with the viewers. */
function patched(row: LiveRow, patch: Readonly<Record<string, unknown>>): LiveRow {
  const next = Object.fromEntries(
    Object.entries({ ...row, ...patch }).filter(([, value]) => value !== null),
  ) as unknown as { -readonly [K in keyof LiveRow]: LiveRow[K] };
  if (typeof patch['viewers'] === 'number')
    next.spark = [...(row.spark ?? (row.viewers === undefined ? [] : [row.viewers])), patch['viewers']].slice(
      -mostSpark,
    );
  if (next.state !== 'live') delete next.spark;
  return next;
}
