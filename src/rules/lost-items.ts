// What a loss of the state took besides the controls, as far as a running replica knows for certain: counted and named, so that a person
// knows what to request again. Nothing of it is written again: some of it was done meanwhile, and nothing must be done twice.
import type { StateView } from '#domain/shared-state.ts';
import type { Kind } from '#domain/state-key.ts';
import type { LostItems } from '#domain/state-loss.ts';
import { kinds } from '#domain/state-registry.ts';

interface LostKind<T, Id extends string> {
  readonly kind: Kind<T, Id>;
  readonly one: string;
  readonly many: string;
  /** What an entry is about; undefined for one that is over and only remembered. */
  readonly name: (value: T, id: Id) => string | undefined;
}

/** How many names of one kind are listed. */
const mostNamed = 3;

const counters: readonly ((known: StateView, found: StateView) => LostItems | undefined)[] = [
  counter({
    kind: kinds.job,
    one: 'job on its way to a queue',
    many: 'jobs on their way to the queues',
    name: ({ name }) => name,
  }),
  counter({ kind: kinds.timer, one: 'timer of a rule', many: 'timers of rules', name: ({ rule }) => rule }),
  counter({
    kind: kinds.approval,
    one: 'approval that waited',
    many: 'approvals that waited',
    name: ({ state, rule }) => (state === 'waiting' ? rule : undefined),
  }),
  counter({
    kind: kinds.intent,
    one: 'deferred action',
    many: 'deferred actions',
    name: ({ summary, channelArn }) => `${summary} on ${channelArn}`,
  }),
  counter({
    kind: kinds.adBreak,
    one: 'ad break in the line',
    many: 'ad breaks in the line',
    name: ({ state }, arn) => (state === 'planned' ? arn : undefined),
  }),
  counter({
    kind: kinds.bulk,
    one: 'bulk action under way',
    many: 'bulk actions under way',
    name: ({ endedAtMs, action }) => (endedAtMs === undefined ? action : undefined),
  }),
  counter({
    kind: kinds.key,
    one: 'key rotation under way',
    many: 'key rotations under way',
    name: ({ finishedAtMs }, arn) => (finishedAtMs === undefined ? arn : undefined),
  }),
  counter({ kind: kinds.channelLease, one: 'lent channel', many: 'lent channels', name: (_lease, arn) => arn }),
  counter({
    kind: kinds.incident,
    one: 'open incident',
    many: 'open incidents',
    name: ({ closedAtMs, rule }) => (closedAtMs === undefined ? rule : undefined),
  }),
  counter({
    kind: kinds.groupAlert,
    one: 'alert that waited for its group',
    many: 'alerts that waited for their group',
    name: ({ labels }) => labels['alertname'] ?? '',
  }),
];

/** Entries of `known` that `found` lacks, by kind; kinds without missing entries are left out. */
export function lostItems(known: StateView, found: StateView): LostItems[] {
  return counters.flatMap((count) => count(known, found) ?? []);
}

function counter<T, Id extends string>({ kind, one, many, name }: LostKind<T, Id>) {
  return (known: StateView, found: StateView): LostItems | undefined => {
    let count = 0;
    const names = new Set<string>();
    for (const [id, value] of known.entries(kind)) {
      if (found.get(kind.of(id)) !== undefined) continue;
      const about = name(value, id);
      if (about === undefined) continue;
      count += 1;
      if (about !== '' && names.size < mostNamed) names.add(about);
    }
    return count === 0 ? undefined : { what: count === 1 ? one : many, count, names: [...names] };
  };
}
