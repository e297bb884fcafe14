// What the rules remember between observations, as it lies in the shared state; timers are in timers.ts.
//
// A subject is what a rule's condition is about: a channel's ARN, `all` (an aggregate, a schedule without `match`), or
// `group:<text>` (an event without a channel). A fact exists only while there is something to remember.
import { pauseKeys } from '#domain/control.ts';
import type { DecisionReason, TriggerEvidence } from '#domain/decision.ts';
import type { HttpFacts, ThresholdFacts } from '#domain/facts.ts';
import type { EventEnvelope } from '#domain/observation.ts';
import type { RuleMode, TriggerKind } from '#domain/rule.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';

/** What set a rule off, as far as templates and later checks need it. */
export interface Cause {
  /** Names it for good: the same text for the same cause, over restarts and replicas. */
  readonly id: string;
  readonly evidence: TriggerEvidence;
  readonly streamId?: string;
  readonly event?: EventEnvelope;
  readonly http?: HttpFacts;
  readonly threshold?: ThresholdFacts;
}

/** The condition is true and `for` runs, or a threshold that was crossed waits. */
export interface Pending {
  readonly cause: Cause;
}

/** `for` has passed and the condition has not ended. */
export interface Firing {
  readonly cause: Cause;
  readonly firedAtMs: number;
  /** False while guards hold it back. */
  readonly acted: boolean;
  readonly mode: RuleMode;
  readonly decisionId: string;
  /** The condition is over and `keep_firing_for` runs. */
  readonly endedAtMs?: number;
}

export interface Fact {
  readonly rule: string;
  readonly subject: string;
  readonly conditionHash: string;
  readonly pending?: Pending;
  readonly firing?: Firing;
  /** Causes that were acted for, newest last. */
  readonly acted: readonly string[];
  /** Of `once_per: session`: what has been done in which session (for thresholds, the values). */
  readonly once?: { readonly streamId: string; readonly values: readonly number[] };
  readonly touchedMs: number;
}

/**
 * An event or a request that came during a warm-up or a data gap: the entry `moment/<rule>|<subject>|<cause>`. Each is judged by
 * itself when that is over; a later one takes no earlier one's place.
 */
export interface WithheldMoment {
  readonly rule: string;
  readonly subject: string;
  readonly conditionHash: string;
  readonly cause: Cause;
  readonly heldMs: number;
  /** What holds it back, as the journal was told. */
  readonly blocked: DecisionReason;
}

/** Most moments of all rules that wait; one more is decided at once, by what holds it back. */
export const mostWithheldMoments = 2_000;

export const allSubject = 'all';
/** How many causes a fact remembers. */
const rememberedCauses = 8;

const factKey = (rule: string, subject: string) => `fact/${rule}|${subject}`;

export function readFact(view: StateView, rule: string, subject: string): Fact | undefined {
  return view.get<Fact>(factKey(rule, subject));
}

/** Writes a fact, or forgets it when nothing is left to remember. */
export function writeFact(tx: Transaction, fact: Fact): void {
  const { pending, firing, acted, once } = fact;
  if (pending || firing || acted.length > 0 || once) tx.set(factKey(fact.rule, fact.subject), fact);
  else if (tx.get(factKey(fact.rule, fact.subject)) !== undefined) tx.delete(factKey(fact.rule, fact.subject));
  const cause = (pending ?? firing)?.cause;
  watch(tx, fact, cause !== undefined && moments.has(cause.evidence.kind));
}

export function forgetFact(tx: Transaction, rule: string, subject: string): void {
  const fact = readFact(tx, rule, subject);
  if (!fact) return;
  tx.delete(factKey(rule, subject));
  watch(tx, fact, false);
}

const moments: ReadonlySet<TriggerKind> = new Set(['event', 'http', 'threshold']);

/** Rules of moments that wait or fire for a subject: what its stream does may end that. One look-up, however many rules there are. */
export function watchingRules(view: StateView, subject: string): readonly string[] {
  return view.get<readonly string[]>(`watch/${subject}`) ?? [];
}

function watch(tx: Transaction, { rule, subject }: Fact, isWatching: boolean): void {
  const known = watchingRules(tx, subject);
  if (known.includes(rule) === isWatching) return;
  const rules = isWatching ? [...known, rule] : known.filter((other) => other !== rule);
  if (rules.length > 0) tx.set(`watch/${subject}`, rules);
  else tx.delete(`watch/${subject}`);
}

const momentKey = ({ rule, subject, cause }: Pick<WithheldMoment, 'rule' | 'subject' | 'cause'>) =>
  `moment/${rule}|${subject}|${cause.id}`;

/** The withheld moment of a rule, a subject and a cause. */
export function readMoment(
  view: StateView,
  name: Pick<WithheldMoment, 'rule' | 'subject' | 'cause'>,
): WithheldMoment | undefined {
  return view.get<WithheldMoment>(momentKey(name));
}

/** Keeps a moment until what holds it back is over. Returns whether there was room. */
export function writeMoment(tx: Transaction, moment: WithheldMoment): boolean {
  if (readMoment(tx, moment) === undefined && tx.count('moment') >= mostWithheldMoments) return false;
  tx.set(momentKey(moment), moment);
  return true;
}

export function dropMoment(tx: Transaction, name: Pick<WithheldMoment, 'rule' | 'subject' | 'cause'>): void {
  if (readMoment(tx, name) !== undefined) tx.delete(momentKey(name));
}

/** Moments that wait, in the order in which they came. */
export function withheldMoments(view: StateView): readonly WithheldMoment[] {
  if (view.count('moment') === 0) return [];
  const moments = Array.from(view.entries<WithheldMoment>('moment'), ([, moment]) => moment);
  return moments.sort((a, b) => a.heldMs - b.heldMs || (momentKey(a) < momentKey(b) ? -1 : 1));
}

export function facts(view: StateView): Iterable<readonly [string, Fact]> {
  return view.entries<Fact>('fact');
}

export function newFact(rule: { name: string; conditionHash: string }, subject: string, nowMs: number): Fact {
  return { rule: rule.name, subject, conditionHash: rule.conditionHash, acted: [], touchedMs: nowMs };
}

export function withActed(fact: Fact, cause: string): readonly string[] {
  return [...fact.acted.filter((known) => known !== cause), cause].slice(-rememberedCauses);
}

/** The channel of a subject, if it is one. */
export function channelOfSubject(subject: string): string | undefined {
  return subject.startsWith('arn:') ? subject : undefined;
}

/** When a rule last fired for a group; kept over changes of the rule. */
export function lastFiredMs(view: StateView, rule: string, group: string): number | undefined {
  return view.get<number>(`cooldown/${rule}|${group}`);
}

export function noteFired(tx: Transaction, rule: string, group: string): void {
  tx.set(`cooldown/${rule}|${group}`, tx.nowMs);
}

/** Replaces the times of a rule's firings in the last hour. */
export function writeFirings(tx: Transaction, rule: string, firedMs: readonly number[]): void {
  tx.set(`rate/${rule}`, firedMs);
}

const hourMs = 3_600_000;

/** Times of the rule's firings in the hour that ends now. */
export function firingsInLastHour(view: StateView, rule: string, nowMs: number): readonly number[] {
  return (view.get<readonly number[]>(`rate/${rule}`) ?? []).filter((firedMs) => firedMs > nowMs - hourMs);
}

/** The entry `meta/warm`: the last complete poll of all streams. */
export interface Polled {
  /** Its end. */
  readonly polledMs: number;
  /** From when on what it told is too old to act on; left out: no such moment (virtual time). */
  readonly staleAtMs?: number;
}

export function notePolled(tx: Transaction, polled: Polled): void {
  tx.set('meta/warm', polled);
}

export function readPolled(view: StateView): Polled | undefined {
  return view.get<Polled>('meta/warm');
}

/** An operator's hold of one channel. */
export interface Hold {
  readonly who: string;
  readonly reason: string;
  readonly sinceMs: number;
  readonly untilMs?: number;
}

export interface Pause {
  readonly who: string;
  readonly reason: string;
  readonly sinceMs: number;
  /** What happened and what to do, where the daemon paused by itself. */
  readonly text?: string;
}

/** At `gone/<key of a control>`: somebody took it back then. Kept for as long as a replica could still remember it. */
export interface Gone {
  readonly atMs: number;
}

export function goneKey(key: string): string {
  return `gone/${key}`;
}

/** Places a control: whether it was taken back before does not matter any more. */
export function placeControl(tx: Transaction, key: string, value: unknown): void {
  tx.set(key, value);
  if (tx.get(goneKey(key)) !== undefined) tx.delete(goneKey(key));
}

/** Takes a control back, so that no replica's memory brings it back after a loss. Returns whether there was one. */
export function removeControl(tx: Transaction, key: string): boolean {
  if (tx.get(key) === undefined) return false;
  tx.delete(key);
  tx.set(goneKey(key), { atMs: tx.nowMs } satisfies Gone);
  return true;
}

/** An operator's silence: what matches every matcher is held back. */
export interface Silence {
  /** As written: `rule="x"`, `channel=~".*"`. */
  readonly matchers: readonly string[];
  readonly author: string;
  readonly reason: string;
  readonly startsMs: number;
  readonly endsMs: number;
}

/** The hold of a channel by command, if one is in force. */
export function readHold(view: StateView, channelArn: string, nowMs: number): Hold | undefined {
  const hold = view.get<Hold>(`hold/${channelArn}`);
  return hold && (hold.untilMs === undefined || hold.untilMs > nowMs) ? hold : undefined;
}

export function readPause(view: StateView): Pause | undefined {
  return pausesOf(view)[0];
}

/** All that pause: after a loss of the state there may be two. */
export function pausesOf(view: StateView): Pause[] {
  return pauseKeys.flatMap((key) => view.get<Pause>(key) ?? []);
}

export function silencesInForce(view: StateView, nowMs: number): (readonly [id: string, silence: Silence])[] {
  return Array.from(view.entries<Silence>('silence')).filter(
    ([, { startsMs, endsMs }]) => startsMs <= nowMs && nowMs < endsMs,
  );
}
