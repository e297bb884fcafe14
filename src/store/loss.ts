// How a replica without a copy notices a loss, and how much was lost as seen by a replica with one.
import type { StateView } from '#domain/shared-state.ts';
import type { StateLoss } from '#domain/state-loss.ts';
import { notes } from '#domain/state-registry.ts';
import type { Redis } from '#runtime/redis.ts';
import type { Head } from './head.ts';
import { LocalCopy } from './local-copy.ts';
import type { Found } from './read-all.ts';
import type { StateNote } from './state-note.ts';

/** Longer than the loss that a failover may cause. */
const remembered = 2_000;

/** The commits that a replica was at, to find the one that Redis went back to. */
export class KnownHeads {
  readonly #heads = new Map<string, Head>();

  add(head: Head): void {
    if (head.atMs === undefined || this.#heads.has(head.text)) return;
    this.#heads.set(head.text, head);
    if (this.#heads.size > remembered) this.#heads.delete(this.#heads.keys().next().value!);
  }

  /** The newest of these heads that is known, by Redis's clock; undefined: none. */
  newestOf(heads: readonly string[]): Head | undefined {
    const known = heads.flatMap((head) => this.#heads.get(head) ?? []);
    return known.sort((a, b) => b.atMs! - a.atMs!)[0];
  }
}

/** Whether Redis holds nothing that followed `known`, so that what is missing was lost and not undone: see StateLoss. */
export function isBefore(known: Head, { copy, head }: Found): boolean {
  if (head === undefined) return copy.size === 0;
  if (head.text === known.text) return true;
  if (known.lineage === undefined || head.lineage === undefined) return false;
  if (head.lineage !== known.lineage) return copy.get(notes.lineage)?.former.includes(known.lineage) !== true;
  // A process without a copy may have continued from the older state: then its commit is younger than ours.
  return head.number! < known.number! && head.atMs! <= known.atMs!;
}

const evidence = {
  emptied: 'the state in Redis is not the one that this replica knew: Redis was emptied or replaced',
  rolled_back:
    'the state in Redis is older than what this replica knew: Redis came back from an older file, or failed over',
  damaged: 'keys or fields of the state are missing in Redis',
} as const satisfies Record<StateLoss['kind'], string>;

/** The loss that a running replica sees. `shared`: the newest commit that it and Redis both have, if there is one. */
export function lossOfCopy(
  kind: StateLoss['kind'],
  { view, head, shared }: { view: StateView; head: Head; shared: Head | undefined },
): StateLoss {
  const { atMs, lineage, number } = head;
  const since = (now: number | undefined, then: number | undefined) =>
    now === undefined || then === undefined ? undefined : Math.max(0, now - then);
  return {
    kind,
    evidence: evidence[kind],
    known: view,
    lineage,
    hasCopy: true,
    knownAtMs: atMs,
    lostMs: since(atMs, shared?.atMs),
    lostCommits: since(number, shared?.number),
    missingIsLost: false,
    controlsAtMs: undefined,
    onEmpty: undefined,
  };
}

/** Keys that are written only while there is a state: parts of the queues, the journal, the outbox, other replicas' signs of life. */
const traces = [
  'actions:id',
  'metadata-fanout:id',
  'poll-all:id',
  'poll-starving:id',
  'refresh-inventory:id',
  'log:audit',
  'log:journal',
  'log:journal-bundles',
  'md:batches',
  'md:total',
  'replicas',
] as const;

/**
 * A key that shows that there was a state, although the state itself is empty; undefined: there is none. The ledger of permits counts
 * if it is older than this process: a process that waited for Redis may have started it a moment ago.
 */
export async function findTrace(redis: Redis, prefix: string, startedAtMs: number): Promise<string | undefined> {
  const names = traces.map((name) => `${prefix}:${name}`);
  const there = await Promise.all(names.map((name) => redis.exists(name)));
  const found = names.find((_, index) => there[index] === 1);
  if (found !== undefined) return found;
  const epochUs = Number(await redis.hget(`${prefix}:ledger`, 'epoch'));
  return epochUs > 0 && epochUs / 1000 < startedAtMs ? `${prefix}:ledger` : undefined;
}

/** The loss that a replica without a copy must repair, if there is one. */
export function lossAtStart(
  { copy, head, fields }: Found,
  options: {
    readonly note: StateNote | 'unreadable' | undefined;
    readonly trace: string | undefined;
    readonly onEmptyState: 'pause' | 'start' | undefined;
    /** When a control in the found state last changed. */
    readonly controlsAtMs: number;
  },
): StateLoss | undefined {
  const { trace, onEmptyState } = options;
  const note = options.note === 'unreadable' ? undefined : options.note;
  const base = {
    known: new LocalCopy(),
    lineage: note?.lineage,
    hasCopy: false,
    knownAtMs: note?.atMs,
    lostMs: undefined,
    lostCommits: undefined,
    missingIsLost: false,
    controlsAtMs: note?.controlsAtMs,
    onEmpty: undefined,
  } as const;
  if (head === undefined && copy.size === 0) {
    const evidence =
      options.note !== undefined
        ? 'Redis has no state, but the file beside this process shows that there was one'
        : trace !== undefined
          ? `Redis has no state, but the key ${trace} shows that there was one`
          : onEmptyState === 'pause'
            ? 'Redis has no state'
            : undefined;
    return evidence === undefined
      ? undefined
      : { ...base, kind: 'emptied', evidence, onEmpty: onEmptyState ?? 'pause' };
  }
  if (head === undefined || (head.fields !== undefined && fields < head.fields))
    return { ...base, kind: 'damaged', evidence: 'keys or fields of the state are missing in Redis' };
  if (note === undefined || head.number === undefined) return undefined;
  if (head.lineage !== note.lineage) {
    // Another process repaired that loss while this one did not run.
    if (copy.get(notes.lineage)?.former.includes(note.lineage)) return undefined;
    return {
      ...base,
      kind: 'emptied',
      evidence: 'the state in Redis is not the one that the file beside this process names',
    };
  }
  if (head.number >= note.number) return undefined;
  return {
    ...base,
    kind: 'rolled_back',
    evidence: 'the state in Redis is older than the file beside this process says',
    lostMs: head.atMs === undefined ? undefined : Math.max(0, note.atMs - head.atMs),
  };
}
