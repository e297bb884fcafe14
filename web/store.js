// What the page knows: rows by number, the parts of the status, the connection. Views read it; only live events write it.

export const store = {
  /** @type {Map<number, any>} */
  rows: new Map(),
  /** @type {any} */
  status: undefined,
  /** @type {{name: string, role: 'viewer' | 'operator' | 'admin'} | undefined} */
  caller: undefined,
  version: '',
  /** connecting → live ↔ lost; denied asks for a token */
  connection: 'connecting',
  /** Rows are complete. */
  ready: false,
  lastMessageAt: 0,
  /** The daemon's clock minus this machine's, ms. */
  clockOffset: 0,
  /** Counts changes of rows, so that views know when to sort again. */
  rowsVersion: 0,
};

const mostSpark = 24;
const listeners = new Set();
let scheduled = false;
let loading = new Map();
let wholeStatus = true;

/** Calls back after changes, at most once in a frame. */
export function onChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function changed() {
  if (scheduled) return;
  scheduled = true;
  // A hidden tab has no frames; it catches up when it is shown.
  requestAnimationFrame(() => {
    scheduled = false;
    for (const listener of listeners) listener();
  });
}

/** The daemon's time now. */
export function now() {
  return Date.now() + store.clockOffset;
}

/** Whether what is shown may be old: the connection, or the daemon's own data. */
export function staleReason() {
  if (store.connection === 'lost') return 'The daemon cannot be reached: this is the last it said.';
  if (store.lastMessageAt > 0 && Date.now() - store.lastMessageAt > 5000)
    return 'The daemon has said nothing for some seconds: this may be old.';
  if (store.status?.stale) return 'The daemon’s data is stale: timers stand still and nothing acts on it.';
  return undefined;
}

let byArn = new Map();
let byArnOf = -1;

/** The row of a channel, if it has one. */
export function rowOfChannel(arn) {
  if (byArnOf !== store.rowsVersion) {
    byArnOf = store.rowsVersion;
    byArn = new Map(Array.from(store.rows.values(), (row) => [row.arn, row]));
  }
  return byArn.get(arn);
}

/** What a channel is called. */
export function channelName(arn) {
  return rowOfChannel(arn)?.name ?? arn.slice(arn.lastIndexOf('/') + 1);
}

export function mayOperate() {
  return store.caller !== undefined && store.caller.role !== 'viewer';
}

/** Takes in one event of the stream. */
export function take(name, data) {
  store.lastMessageAt = Date.now();
  if (name === 'hello') {
    store.caller = data.caller;
    store.version = data.version;
    loading = new Map();
    // The first rows are shown as they come, the worst first; what was shown before a reconnect stays until all rows are there.
    if (store.rows.size === 0) store.rows = loading;
    wholeStatus = true;
    store.ready = false;
  } else if (name === 'status') {
    store.status = wholeStatus ? { ...data } : { ...store.status, ...data };
    wholeStatus = false;
    for (const [key, value] of Object.entries(data)) if (value === null) delete store.status[key];
    store.clockOffset = data.nowMs - Date.now();
  } else if (name === 'rows') {
    for (const [number, row] of data) loading.set(number, row);
    if (store.rows === loading) store.rowsVersion += 1;
  } else if (name === 'ready') {
    store.rows = loading;
    store.rowsVersion += 1;
    store.ready = true;
  } else if (name === 'delta') {
    takeDelta(data);
  }
  changed();
}

function takeDelta({ rows, patches, removed }) {
  const mine = loading;
  for (const [number, row] of rows) mine.set(number, row);
  for (const [number, patch] of patches) {
    const row = mine.get(number);
    if (!row) continue;
    const next = { ...row };
    for (const [key, value] of Object.entries(patch)) {
      if (value === null) delete next[key];
      else next[key] = value;
    }
    if (patch.viewers !== undefined && patch.viewers !== null)
      next.spark = [...(row.spark ?? (row.viewers === undefined ? [] : [row.viewers])), patch.viewers].slice(
        -mostSpark,
      );
    if (next.state !== 'live') delete next.spark;
    mine.set(number, next);
  }
  for (const number of removed) mine.delete(number);
  if (store.rows === mine) store.rowsVersion += 1;
}
