// How many channels are live, and how many of them satisfy the condition of each aggregate. Updated with each change, and recounted at
// every complete poll, when the inventory changes, and when the rules change.

import type { AggregateDocument } from '#domain/documents.ts';
import type { Counted, Population, Tally } from '#domain/rule-memory.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import { type StreamChange, type StreamRecord, unlistedSinceMs } from '#domain/stream-record.ts';
import { type ChannelView, channelView, viewOf } from './channel-view.ts';
import type { Evaluation } from './evaluation.ts';
import type { RuleIndex, RuleOf } from './rule-index.ts';

const none: Tally = { count: 0, live: 0 };
const plus = (a: Tally, b: Tally, sign = 1): Tally => ({
  count: a.count + sign * b.count,
  live: a.live + sign * b.live,
});

const key = notes.population;
const namedChannels = 20;

/** Live channels now. */
export function liveCount(view: StateView): number {
  return view.get(key)?.live ?? 0;
}

/** Applies the changes of one transaction. Cheap: it reads only the changed channels, unless a recount is due. */
export function followPopulation(evaluation: Evaluation, changes: readonly StreamChange[]): void {
  const { tx, index } = evaluation;
  const known = tx.get(key);
  const stale =
    !known ||
    index.aggregate.some(({ name, conditionHash }) => known.aggregates[name]?.conditionHash !== conditionHash) ||
    changes.some(
      (change) => change.kind === 'inventory' || (change.kind === 'poll' && change.scope === 'all' && change.complete),
    );
  const counted = stale ? recount(tx, index) : adjust(evaluation, known, changes);
  if (!known || counted !== known) tx.set(key, counted);
}

/** What an aggregate counts now. */
export function aggregateDocument(view: StateView, rule: RuleOf<'aggregate'>): AggregateDocument {
  const { count, live } = view.get(key)?.aggregates[rule.name] ?? { count: 0, live: 0 };
  return { count, live, percent: Math.round(percentOf(count, live) * 10) / 10, channels: [] };
}

/** The same with the names of some channels that satisfy the condition; reads every stream. */
export function aggregateDocumentWithNames(tx: Transaction, rule: RuleOf<'aggregate'>): AggregateDocument {
  const channels: string[] = [];
  for (const [arn, record] of tx.entries(kinds.stream)) {
    if (channels.length === namedChannels) break;
    const { channel, stream } = channelView(tx, arn, tx.nowMs);
    if (!stream.live || !rule.trigger.pattern.match(stream)) continue;
    if (!rule.match || rule.match.match(channel)) channels.push(channel.name || record.channelName || channel.id);
  }
  return { ...aggregateDocument(tx, rule), channels };
}

/** Whether the aggregate's condition holds now; undefined: that depends on streams that may be gone. */
export function aggregateHolds(view: StateView, { name, trigger }: RuleOf<'aggregate'>): boolean | undefined {
  const { inDoubt, ...all } = view.get(key)?.aggregates[name] ?? { ...none, inDoubt: none };
  const holds = ({ count, live }: Tally) =>
    live >= trigger.minLive && trigger.condition.match({ count, percent_of_live: percentOf(count, live) });
  const verdict = holds(all);
  return inDoubt.live === 0 || holds(plus(all, inDoubt, -1)) === verdict ? verdict : undefined;
}

function percentOf(count: number, live: number): number {
  return live === 0 ? 0 : (100 * count) / live;
}

function recount(tx: Transaction, { aggregate }: RuleIndex): Population {
  let live = 0;
  const totals = aggregate.map(() => ({ all: none, inDoubt: none }));
  for (const [arn, record] of tx.entries(kinds.stream)) {
    if (record.state !== 'live') continue;
    live += 1;
    if (aggregate.length === 0) continue;
    const view = viewOf(record.channelArn, tx.get(kinds.channel.of(arn)), record, tx.nowMs);
    aggregate.forEach((rule, place) => {
      const own = tallyOf(rule, view);
      const total = totals[place]!;
      total.all = plus(total.all, own);
      if (unlistedSinceMs(record) !== undefined) total.inDoubt = plus(total.inDoubt, own);
    });
  }
  const aggregates = aggregate.map(({ name, conditionHash }, place) => {
    const { all, inDoubt } = totals[place]!;
    return [name, { conditionHash, ...all, inDoubt } satisfies Counted] as const;
  });
  return { live, aggregates: Object.fromEntries(aggregates) };
}

/** What a live channel adds to an aggregate. */
function tallyOf({ match, trigger }: RuleOf<'aggregate'>, view: ChannelView): Tally {
  // Reading `view.channel` builds that document.
  if (match && !match.match(view.channel)) return none;
  return { count: trigger.pattern.match(view.stream) ? 1 : 0, live: 1 };
}

function adjust(evaluation: Evaluation, known: Population, changes: readonly StreamChange[]): Population {
  const { aggregate } = evaluation.index;
  let { live } = known;
  const counts = aggregate.map(({ name }) => ({ ...known.aggregates[name]! }));
  const add = (record: StreamRecord | undefined, sign: 1 | -1) => {
    if (record?.state !== 'live') return;
    live += sign;
    // Whether a stream is in doubt changes with complete polls, and those recount.
    for (const [place, rule] of aggregate.entries()) {
      const own = tallyOf(rule, evaluation.viewOf(record));
      counts[place]!.count += sign * own.count;
      counts[place]!.live += sign * own.live;
    }
  };
  for (const change of changes) {
    if (change.kind !== 'stream') continue;
    add(change.before, -1);
    add(change.after, 1);
  }
  // A change that was counted twice or not at all cannot last: the next complete poll recounts.
  const same =
    live === known.live &&
    aggregate.every(({ name }, place) => {
      const [now, then] = [counts[place]!, known.aggregates[name]!];
      return now.count === then.count && now.live === then.live;
    });
  if (same) return known;
  const changed = Object.fromEntries(aggregate.map(({ name }, place) => [name, counts[place]!]));
  return { live: Math.max(0, live), aggregates: { ...known.aggregates, ...changed } };
}
