// What the rules remember between observations, as it lies in the shared state. Only this file knows the keys.
//
// A subject is what a rule's condition is about: a channel's ARN, `all` (an aggregate, a schedule without `match`), or
// `group:<text>` (an event without a channel). A fact exists only while there is something to remember.
import type { TriggerEvidence } from '#domain/decision.ts';
import type { RuleMode } from '#domain/rule.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import type { EventEnvelope } from '#domain/observation.ts';
import type { AggregateFacts, HttpFacts, ThresholdFacts } from '#domain/facts.ts';
import type { DecisionReason } from '#domain/decision.ts';

/** What set a rule off, as far as templates and later checks need it. */
export interface Cause {
  /** Names it for good: the same text for the same cause, over restarts and replicas. */
  readonly id: string;
  readonly evidence: TriggerEvidence;
  readonly streamId?: string;
  readonly event?: EventEnvelope;
  readonly http?: HttpFacts;
  readonly threshold?: ThresholdFacts;
  readonly aggregate?: AggregateFacts;
}

/** The condition is true and `for` runs. */
export interface Pending {
  readonly cause: Cause;
  /** How long timers stood still meanwhile. */
  readonly frozenMs: number;
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

/** Something that becomes due. */
export interface Timer {
  readonly kind: 'for' | 'step' | 'end';
  readonly rule: string;
  readonly subject: string;
  readonly dueMs: number;
  readonly setMs: number;
  readonly conditionHash: string;
  /** A guard held it back when it was due; it is judged again from time to time. */
  readonly blocked?: DecisionReason;
  /** Of a `step`: which, and the firing that it belongs to. */
  readonly step?: number;
  readonly firing?: Firing;
}

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
  else forgetFact(tx, fact.rule, fact.subject);
}

export function forgetFact(tx: Transaction, rule: string, subject: string): void {
  const key = factKey(rule, subject);
  if (tx.get(key) !== undefined) tx.delete(key);
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

function timerKey({ kind, rule, subject, step, firing }: Omit<Timer, 'dueMs' | 'setMs' | 'conditionHash'>): string {
  const suffix = kind === 'step' ? `|${step}|${firing?.decisionId ?? ''}` : '';
  return `timer/${kind}|${rule}|${subject}${suffix}`;
}

export function setTimer(tx: Transaction, timer: Timer): void {
  tx.set(timerKey(timer), timer);
}

export function readTimer(view: StateView, kind: 'for' | 'end', rule: string, subject: string): Timer | undefined {
  return view.get<Timer>(timerKey({ kind, rule, subject }));
}

export function dropTimer(tx: Transaction, timer: Omit<Timer, 'dueMs' | 'setMs' | 'conditionHash'>): void {
  const key = timerKey(timer);
  if (tx.get(key) !== undefined) tx.delete(key);
}

export function timers(view: StateView): Iterable<readonly [string, Timer]> {
  return view.entries<Timer>('timer');
}

/** When a rule last fired for a group; kept over changes of the rule. */
export function lastFiredMs(view: StateView, rule: string, group: string): number | undefined {
  return view.get<number>(`cooldown/${rule}|${group}`);
}

export function noteFired(tx: Transaction, rule: string, group: string, maxPerHour: number | undefined): void {
  tx.set(`cooldown/${rule}|${group}`, tx.nowMs);
  if (maxPerHour === undefined) return;
  tx.set(`rate/${rule}`, [...firingsInLastHour(tx, rule, tx.nowMs), tx.nowMs]);
}

const hourMs = 3_600_000;

/** Times of the rule's firings in the hour that ends now. */
export function firingsInLastHour(view: StateView, rule: string, nowMs: number): readonly number[] {
  return (view.get<readonly number[]>(`rate/${rule}`) ?? []).filter((firedMs) => firedMs > nowMs - hourMs);
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

/** Hold of a channel in force: by command or by the tag `ops-hold`. */
export function readHold(view: StateView, channelArn: string, nowMs: number): Hold | undefined {
  const hold = view.get<Hold>(`hold/${channelArn}`);
  return hold && (hold.untilMs === undefined || hold.untilMs > nowMs) ? hold : undefined;
}

export function readPause(view: StateView): Pause | undefined {
  return view.get<Pause>('pause/global');
}

export function silencesInForce(view: StateView, nowMs: number): (readonly [id: string, silence: Silence])[] {
  return Array.from(view.entries<Silence>('silence')).filter(
    ([, { startsMs, endsMs }]) => startsMs <= nowMs && nowMs < endsMs,
  );
}

/** Has everything that is held back judged again at the next tick. */
export function judgeBlockedSoon(tx: Transaction): void {
  tx.set('meta/recheck', { dueMs: tx.nowMs });
}
