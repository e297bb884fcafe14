// A rules file after compilation: what the engine, the workers and the API work with. The YAML's shape is in config/schema.ts;
// config/compile.ts translates it. Everything here is immutable and independent of clocks.
import type { ActionName, ActionParams, Pattern } from './action.ts';
import type { ApprovalTerms } from './approval-terms.ts';
import type { TemplateContext } from './documents.ts';
import type { LabelMatcher } from './labels.ts';
import type { Heartbeat, Receiver, Route } from './receiver.ts';

/** A compiled pattern. `match` never throws, whatever the input. */
export interface Matcher {
  readonly source: Pattern;
  match(document: unknown): boolean;
}

export const ruleModes = ['enforce', 'dry_run', 'off'] as const;
export type RuleMode = (typeof ruleModes)[number];

/** What makes a rule fire. */
export type Trigger =
  /** Each event whose envelope matches. */
  | { readonly kind: 'event'; readonly pattern: Matcher }
  /** A channel whose StreamDocument matches. */
  | { readonly kind: 'state'; readonly pattern: Matcher }
  | {
      readonly kind: 'aggregate';
      /** Which live streams are counted, by their StreamDocument. */
      readonly pattern: Matcher;
      /** Over `{ count, percent_of_live }`: whether it fires. */
      readonly condition: Matcher;
      /** It does not fire with fewer live channels (among those that `match` selects). */
      readonly minLive: number;
    }
  | {
      readonly kind: 'threshold';
      readonly field: 'viewerCount';
      readonly direction: 'rises_to' | 'falls_to';
      /** Ascending, without repeats. */
      readonly values: readonly number[];
    }
  /** Fires at the start of an interval, resolves at its end: for each channel that `match` selects, or once if there is no `match`. */
  | { readonly kind: 'schedule'; readonly intervals: readonly TimeInterval[] }
  /**
   * The moments of a schedule, which have no duration: at this interval from a stream's start, for each live channel; or at times of the
   * day.
   */
  | { readonly kind: 'times'; readonly everyMs: number }
  | { readonly kind: 'times'; readonly daily: DailyTimes }
  /** The channel's stream key has reached this age, in days: begins with time, ends with a new key. */
  | {
      readonly kind: 'key_age';
      /** Over `{ key_age }`. */
      readonly pattern: Matcher;
      /** The days that it names, ascending. */
      readonly days: readonly number[];
    }
  /** A POST to the API under this name; `body` matches the request's body. */
  | { readonly kind: 'http'; readonly name: string; readonly body: Matcher | undefined };

/** Times of the day in a time zone. */
export interface DailyTimes {
  /** Minutes of the day, ascending, without repeats. */
  readonly minutes: readonly number[];
  /** IANA name. */
  readonly zone: string;
}

export type TriggerKind = Trigger['kind'];

/** One part of a group: the channel, a tag of the channel, or a field of the event's envelope. */
export type GroupPart =
  | { readonly kind: 'channel' }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'event'; readonly path: readonly string[] };

export interface Guards {
  /** Minimum time between two firings of the rule for the same group; 0: none. */
  readonly cooldownMs: number;
  /** Maximum number of firings of the rule in any hour. */
  readonly maxPerHour: number | undefined;
  /** Older events are not acted on. */
  readonly maxEventAgeMs: number | undefined;
  /** Rather than act on more than this share of the live channels, the rule stops and alerts a person. */
  readonly maxLivePercent: number | undefined;
  /** Never empty; default: the channel. */
  readonly groupBy: readonly GroupPart[];
  readonly onDataGap: 'freeze' | 'ignore';
  /** Minimum time after the end of the channel's last ad break; undefined: the rule inserts none. */
  readonly minGapMs: number | undefined;
}

/** Parameters with their templates filled in, or why that failed. */
export type Rendered<N extends ActionName = ActionName> =
  | { readonly ok: true; readonly params: ActionParams<N> }
  | { readonly ok: false; readonly problem: string };

/** One action of a rule. */
export interface Step {
  /** Its place in `actions` or `on_resolve`, from 0: stable as long as the rule's hash is. */
  readonly index: number;
  readonly action: ActionName;
  /** As written, with templates not filled in. */
  readonly params: ActionParams;
  /** Counted from the firing. Cancelled when the rule resolves. */
  readonly afterMs: number;
  /** Compared with fresh data from IVS right before the call. */
  readonly onlyIf: Matcher | undefined;
  readonly destructive: boolean;
  /** Who must approve first; undefined: nobody. */
  readonly approval: ApprovalTerms | undefined;
  /** Fills in the templates and checks the result against the action's schema. Pure; never throws. */
  render(context: TemplateContext): Rendered;
}

export interface Rule {
  readonly name: string;
  readonly description: string | undefined;
  readonly mode: RuleMode;
  readonly trigger: Trigger;
  /** Matches the ChannelDocument. */
  readonly match: Matcher | undefined;
  /** Matches the StreamDocument: must stay true from the trigger until the rule fires. */
  readonly while: Matcher | undefined;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly oncePer: 'session' | undefined;
  readonly actions: readonly Step[];
  readonly onResolve: readonly Step[];
  readonly guards: Guards;
  /** Hash of everything in force for this rule, including defaults and time intervals. */
  readonly hash: string;
  /**
   * Hash of what decides when it fires (trigger, match, while, for, keep_firing_for, group_by): the rule memory stays valid while this is
   * unchanged.
   */
  readonly conditionHash: string;
}

/** While something that matches the sources fires, whatever matches the targets is held back. */
export interface InhibitRule {
  readonly source: readonly LabelMatcher[];
  readonly target: readonly LabelMatcher[];
  /** Labels that must have the same value on both sides. */
  readonly equal: readonly string[];
}

/** First and last value, both included. */
export type NumberRange = readonly [from: number, to: number];

export interface TimeRange {
  /** Minutes of the day, the end excluded; empty: the whole day. */
  readonly times: readonly NumberRange[];
  /** 0 is Sunday; empty: all. */
  readonly weekdays: readonly NumberRange[];
  /** Negative values count from the end of the month; empty: all. */
  readonly daysOfMonth: readonly NumberRange[];
  readonly months: readonly NumberRange[];
  readonly years: readonly NumberRange[];
  /** IANA name. */
  readonly zone: string;
}

/** Active if any of its ranges is. See src/rules/time-intervals.ts. */
export interface TimeInterval {
  readonly name: string;
  readonly ranges: readonly TimeRange[];
}

export interface Ruleset {
  /** In the file's order; includes rules that are off. */
  readonly rules: readonly Rule[];
  readonly inhibitRules: readonly InhibitRule[];
  readonly timeIntervals: readonly TimeInterval[];
  readonly receivers: readonly Receiver[];
  /** The receiver of a `notify` that names none. */
  readonly route?: Route | undefined;
  readonly heartbeat?: Heartbeat | undefined;
  /** Hash of the whole rules part of the file. */
  readonly hash: string;
}
