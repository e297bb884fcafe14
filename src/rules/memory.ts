// Rule memory in the shared state: what the rules remember between observations. Timers are in timers.ts.
//
// A subject is what a rule's condition is about: a channel's ARN, `all` (an aggregate, a schedule without `match`), or
// `group:<text>` (an event without a channel). It exists only while there is something to remember.
import type { TriggerKind } from '#domain/rule.ts';
import type { Cause, Polled, RuleMemory, WithheldMoment } from '#domain/rule-memory.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { type Key, pairId } from '#domain/state-key.ts';
import { indexes, kinds, notes, type PlacedControl } from '#domain/state-registry.ts';

/** The most waiting moments of all rules; one more is decided at once, by what holds it back. */
export const mostWithheldMoments = 2_000;

export const allSubject = 'all';
/** How many causes one memory holds. */
const rememberedCauses = 8;

export function readMemory(view: StateView, rule: string, subject: string): RuleMemory | undefined {
  return view.get(kinds.ruleMemory.of(rule, subject));
}

/** Writes what a rule remembers, or deletes it when nothing is left to remember. */
export function writeMemory(tx: Transaction, memory: RuleMemory): void {
  const { pending, firing, acted, once } = memory;
  const key = kinds.ruleMemory.of(memory.rule, memory.subject);
  if (pending || firing || acted.length > 0 || once) tx.set(key, memory);
  else if (tx.get(key) !== undefined) tx.delete(key);
  const cause = (pending ?? firing)?.cause;
  watch(tx, memory, cause !== undefined && moments.has(cause.evidence.kind));
}

export function forgetMemory(tx: Transaction, rule: string, subject: string): void {
  const memory = readMemory(tx, rule, subject);
  if (!memory) return;
  tx.delete(kinds.ruleMemory.of(rule, subject));
  watch(tx, memory, false);
}

const moments: ReadonlySet<TriggerKind> = new Set(['event', 'http', 'times', 'threshold']);

/** Rules of moments that wait or fire for a subject: a change of its stream may end them. One look-up, however many rules there are. */
export function watchingRules(view: StateView, subject: string): readonly string[] {
  return view.get(kinds.watch.of(subject)) ?? [];
}

function watch(tx: Transaction, { rule, subject }: RuleMemory, isWatching: boolean): void {
  const known = watchingRules(tx, subject);
  if (known.includes(rule) === isWatching) return;
  const rules = isWatching ? [...known, rule] : known.filter((other) => other !== rule);
  if (rules.length > 0) tx.set(kinds.watch.of(subject), rules);
  else tx.delete(kinds.watch.of(subject));
}

const momentKey = ({ rule, subject, cause }: Pick<WithheldMoment, 'rule' | 'subject' | 'cause'>) =>
  kinds.moment.of(`${rule}|${subject}|${cause.id}`);

/** The withheld moment of a rule, a subject and a cause. */
export function readMoment(
  view: StateView,
  name: Pick<WithheldMoment, 'rule' | 'subject' | 'cause'>,
): WithheldMoment | undefined {
  return view.get(momentKey(name));
}

/** Keeps a moment until what holds it back is over. Returns whether there was room. */
export function writeMoment(tx: Transaction, moment: WithheldMoment): boolean {
  if (readMoment(tx, moment) === undefined && tx.count(kinds.moment) >= mostWithheldMoments) return false;
  tx.set(momentKey(moment), moment);
  return true;
}

export function dropMoment(tx: Transaction, name: Pick<WithheldMoment, 'rule' | 'subject' | 'cause'>): void {
  if (readMoment(tx, name) !== undefined) tx.delete(momentKey(name));
}

/** Waiting moments, in the order in which they came. */
export function withheldMoments(view: StateView): readonly WithheldMoment[] {
  if (view.count(kinds.moment) === 0) return [];
  const moments = Array.from(view.entries(kinds.moment), ([, moment]) => moment);
  return moments.sort((a, b) => a.heldMs - b.heldMs || (momentKey(a) < momentKey(b) ? -1 : 1));
}

export function ruleMemories(view: StateView): Iterable<readonly [string, RuleMemory]> {
  return view.entries(kinds.ruleMemory);
}

/** The rule memories that wait to act or are held back. */
export function openMemories(view: StateView): Iterable<readonly [string, RuleMemory]> {
  return view.indexed(indexes.memories, 'open');
}

/** What a rule fires for, or acted for. */
export function memoriesOf(
  view: StateView,
  what: 'firing' | 'acted',
  rule: string,
): Iterable<readonly [string, RuleMemory]> {
  return view.indexed(indexes.memories, pairId(what, rule));
}

/** What a rule takes to hold: it waits or fires for it, and the condition is not over. */
export function heldCause({ pending, firing }: Pick<RuleMemory, 'pending' | 'firing'>): Cause | undefined {
  return (pending ?? (firing?.endedAtMs === undefined ? firing : undefined))?.cause;
}

/** Whether a rule has acted for what it fires for; if not, a guard holds it back. */
export function hasActed({ firing, acted }: Pick<RuleMemory, 'firing' | 'acted'>): boolean {
  return firing !== undefined && (firing.acted || acted.includes(firing.cause.id));
}

export function newMemory(rule: { name: string; conditionHash: string }, subject: string, nowMs: number): RuleMemory {
  return { rule: rule.name, subject, conditionHash: rule.conditionHash, acted: [], touchedMs: nowMs };
}

export function withActed(memory: RuleMemory, cause: string): readonly string[] {
  return [...memory.acted.filter((known) => known !== cause), cause].slice(-rememberedCauses);
}

/** The channel of a subject, if it is one. */
export function channelOfSubject(subject: string): string | undefined {
  return subject.startsWith('arn:') ? subject : undefined;
}

/** When a rule last fired for a group; kept when the rule changes. */
export function lastFiredMs(view: StateView, rule: string, group: string): number | undefined {
  return view.get(kinds.cooldown.of(rule, group));
}

export function noteFired(tx: Transaction, rule: string, group: string): void {
  tx.set(kinds.cooldown.of(rule, group), tx.nowMs);
}

/** Replaces the times of a rule's firings in the last hour. */
export function writeFirings(tx: Transaction, rule: string, firedMs: readonly number[]): void {
  tx.set(kinds.rate.of(rule), firedMs);
}

const hourMs = 3_600_000;

/** Times of the rule's firings in the hour that ends now. */
export function firingsInLastHour(view: StateView, rule: string, nowMs: number): readonly number[] {
  return (view.get(kinds.rate.of(rule)) ?? []).filter((firedMs) => firedMs > nowMs - hourMs);
}

export function notePolled(tx: Transaction, polled: Polled): void {
  tx.set(notes.warm, polled);
}

export function readPolled(view: StateView): Polled | undefined {
  return view.get(notes.warm);
}

/** Sets a control; that it was removed before no longer matters. */
export function placeControl<T extends PlacedControl>(tx: Transaction, key: Key<T>, value: NoInfer<T>): void {
  tx.set(key, value);
  if (tx.get(kinds.gone.of(key)) !== undefined) tx.delete(kinds.gone.of(key));
}

/** Removes a control, so that no replica's memory restores it after a loss. Returns whether there was one. */
export function removeControl(tx: Transaction, key: Key<PlacedControl>): boolean {
  if (tx.get(key) === undefined) return false;
  tx.delete(key);
  tx.set(kinds.gone.of(key), { atMs: tx.nowMs });
  return true;
}
