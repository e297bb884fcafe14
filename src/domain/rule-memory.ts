// What the rules remember between observations, as stored in the shared state (state-registry.ts has the keys). The functions that read
// and write it are in src/rules.
//
// A subject is what a rule's condition is about: a channel's ARN, `all` (an aggregate, a schedule without `match`), or
// `group:<text>` (an event without a channel). It exists only while there is something to remember.
import type { ActionName, ActionParams, Pattern } from './action.ts';
import type { DecisionOutcome, DecisionReason, TriggerEvidence, Values } from './decision.ts';
import type { HttpDocument, ThresholdDocument } from './documents.ts';
import type { EventEnvelope } from './observation.ts';
import type { GroupPart, RuleMode } from './rule.ts';
import type { Traceparent } from './trace.ts';

/** What triggered a rule, with what templates and later checks need. */
export interface Cause {
  /** Identifies it permanently: the same cause has the same text, across restarts and replicas. */
  readonly id: string;
  readonly evidence: TriggerEvidence;
  readonly streamId?: string;
  readonly event?: EventEnvelope;
  readonly http?: HttpDocument;
  readonly threshold?: ThresholdDocument;
  /** Who caused it, if a person or a program did: the caller of an `http` trigger. */
  readonly author?: string;
  /** The place of the trigger in a trace. */
  readonly trace?: Traceparent;
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
  /** It took the place of a firing that had acted with `enforce`: `on_resolve` is due at its end, whatever it does itself. */
  readonly owes?: true;
  /** Its rule is off, or in the file no longer: what still has to be done at the end. */
  readonly left?: LeftEnd;
}

/** The end of a rule that was removed or switched off while it fired. */
export interface LeftEnd extends KeptEnd {
  readonly atMs: number;
}

/** What the end of a rule needs, kept for the case that the rule is removed: `on_resolve`, and what limits it. */
export interface KeptEnd {
  readonly steps: readonly KeptStep[];
  /** Silences and receivers know a firing by its group. */
  readonly groupBy: readonly GroupPart[];
  /** A shared setting is changed only if every channel that it affects is selected. */
  readonly match?: Pattern;
  readonly minGapMs?: number;
}

/** The ends of the rules of one file, by name. */
export interface KeptEnds {
  /** Hash of the ruleset. */
  readonly hash: string;
  readonly rules: Readonly<Record<string, KeptEnd>>;
}

/** A step of `on_resolve` as it is kept for the case that its rule is removed. */
export interface KeptStep {
  readonly index: number;
  readonly action: ActionName;
  /** As written, with templates not filled in. */
  readonly params: ActionParams;
  readonly afterMs: number;
  readonly onlyIf?: Pattern;
  /** A person must approve it. */
  readonly approval?: true;
}

export interface RuleMemory {
  readonly rule: string;
  readonly subject: string;
  readonly conditionHash: string;
  readonly pending?: Pending;
  readonly firing?: Firing;
  /** Causes that were acted on, newest last. */
  readonly acted: readonly string[];
  /** For `once_per: session`: what has been done in which session (for thresholds, the values). */
  readonly once?: { readonly streamId: string; readonly values: readonly number[] };
  readonly touchedMs: number;
}

/**
 * An event or a request that arrived during a warm-up or a data gap: the entry `moment/<rule>|<subject>|<cause>`. When that is over, each
 * is evaluated by itself; a later one does not replace an earlier one.
 */
export interface WithheldMoment {
  readonly rule: string;
  readonly subject: string;
  readonly conditionHash: string;
  readonly cause: Cause;
  readonly heldMs: number;
  /** What holds it back, as written to the journal. */
  readonly blocked: DecisionReason;
}

/** The entry `meta/warm`: the last complete poll of all streams. */
export interface Polled {
  /** When it ended. */
  readonly polledMs: number;
  /** From when on its data is too old to act on; undefined: never (virtual time). */
  readonly staleAtMs?: number;
}

export interface Timer {
  readonly kind: 'for' | 'step' | 'end';
  readonly rule: string;
  readonly subject: string;
  /** When it starts to count, epoch ms. */
  readonly sinceMs: number;
  readonly runsMs: number;
  /** Counts only time with data. */
  readonly freezes: boolean;
  /** A guard held it back when it was due: it is evaluated again with the other blocked ones. */
  readonly blocked?: DecisionReason;
  /** For a `step`: its place in `actions`, and the firing that it belongs to. */
  readonly step?: number;
  readonly firing?: Firing;
}

export type Stretch = readonly [fromMs: number, toMs: number];

/** The entry `meta/unseen`: when there was no data. */
export interface Unseen {
  /** Each source that is silent now, with the time of its last data. */
  readonly silent: Readonly<Record<string, number>>;
  /** Past silences, in order, without overlap. */
  readonly past: readonly Stretch[];
}

/** The entry `meta/population`. */
export interface Population {
  readonly live: number;
  readonly aggregates: Readonly<Record<string, Counted>>;
}

export interface Counted extends Tally {
  readonly conditionHash: string;
  /** The part of these streams that may no longer exist. */
  readonly inDoubt: Tally;
}

export interface Tally {
  readonly count: number;
  readonly live: number;
}

/** The entry `meta/ruleset`: the rules under which the state was decided. */
export interface KnownRules {
  readonly hash: string;
  /** Name → conditionHash of the rules that were not off. */
  readonly rules: Readonly<Record<string, string>>;
  /** State rules that have not evaluated every channel yet. */
  readonly unseen: readonly string[];
}

/** The entry `schedule/<rule>`. */
export interface ScheduleState {
  readonly conditionHash: string;
  readonly active: boolean;
  /** Since when it is active, or inactive. */
  readonly sinceMs: number;
  /** When to check again. */
  readonly nextMs: number;
  /** Channels up to this ARN have processed the last change; undefined: all have. */
  readonly toldUpTo?: string;
}

/** Why a rule did not act on a channel when it last nearly did. */
export interface LastWord {
  readonly decisionId: string;
  readonly atMs: number;
  readonly outcome: DecisionOutcome;
  readonly reason: DecisionReason;
  /** What was compared. */
  readonly values: Values;
}
