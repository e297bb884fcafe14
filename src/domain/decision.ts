// What a rule decided, and why: every decision, including those not to act. The reasons are a closed set, because they are also metric
// labels and the headings of docs/reasons.md.
import type { ActionName } from './action.ts';
import type { RuleMode, TriggerKind } from './rule.ts';
import type { Traceparent } from './trace.ts';

export const decisionOutcomes = ['acted', 'would_act', 'pending', 'not_fired', 'suppressed', 'resolved'] as const;
/**
 * `acted`: jobs were enqueued. `would_act`: the same in dry run, without jobs. `pending`: the condition began and `for` runs.
 * `not_fired`: the trigger occurred but the rule did not fire. `suppressed`: the rule was due but a guard held it back.
 * `resolved`: a condition ended that the rule had acted on, or had been about to act on.
 */
export type DecisionOutcome = (typeof decisionOutcomes)[number];

interface ReasonEntry {
  /** A few words, for a line that people scan. */
  readonly words: string;
  readonly outcomes: readonly DecisionOutcome[];
  readonly meaning: string;
  /** What to do about it; empty if nothing needs to be done. */
  readonly remedy: string;
}

export const decisionReasons = {
  fired: {
    words: 'fired',
    outcomes: ['acted', 'would_act'],
    meaning: 'The trigger matched, for as long as `for` requires, and every guard let the rule pass.',
    remedy: 'Write `mode: enforce` if a rule in dry run should act.',
  },
  step_due: {
    words: 'a later action',
    outcomes: ['acted', 'would_act'],
    meaning: 'An action with `after` became due while the rule was still firing.',
    remedy: '',
  },
  condition_ended: {
    words: 'over',
    outcomes: ['resolved'],
    meaning:
      'The condition ended. If the rule had acted on it, the actions of `on_resolve` were requested; the entry shows the result of each. Without a firing that acted there is nothing to undo.',
    remedy: '',
  },
  rule_gone: {
    words: 'the rule was removed or switched off',
    outcomes: ['resolved'],
    meaning:
      'The rule had acted and its condition had not ended when the rule was removed or switched off. The actions of its `on_resolve` were requested ten seconds later; the entry shows the result of each.',
    remedy: '',
  },
  condition_began: {
    words: 'began',
    outcomes: ['pending'],
    meaning: 'The trigger matches. The rule fires when the match has lasted as long as `for` requires.',
    remedy: 'Wait, or shorten `for`.',
  },
  trigger_not_met: {
    words: 'the trigger does not match',
    outcomes: ['not_fired'],
    meaning: 'The state of the channel does not match the trigger. Only `explain` reports this; it is not recorded.',
    remedy: 'Compare the displayed values with the trigger of the rule.',
  },
  match_failed: {
    words: 'not a channel of this rule',
    outcomes: ['not_fired'],
    meaning: 'The trigger matched, but `match` does not select the channel.',
    remedy:
      'Compare the tags and the name of the channel with `match`. A tag that somebody else changed in AWS counts once the channels have been listed again (`polling.inventory_interval`): `ivs-autopilot channel refresh` lists them at once.',
  },
  no_channel: {
    words: 'the event names no channel',
    outcomes: ['not_fired'],
    meaning:
      'The event names no channel (a breach of an account’s limit), but the rule needs one for `match` or `while`.',
    remedy: 'Remove `match` and `while`, or match events that name a channel.',
  },
  while_broken: {
    words: '“while” was not true',
    outcomes: ['not_fired'],
    meaning: '`while` was not true, or was no longer true, before the rule fired.',
    remedy:
      'Change `while` if the rule should fire anyway. For a key rotation this is intended: a reconnecting encoder cancels it.',
  },
  for_not_reached: {
    words: 'did not last long enough',
    outcomes: ['not_fired'],
    meaning: 'The condition ended before it had lasted as long as `for` requires.',
    remedy: 'Shorten `for` if short problems should count too.',
  },
  event_too_old: {
    words: 'the event was too old',
    outcomes: ['not_fired'],
    meaning: 'The event happened longer ago than `max_event_age` allows.',
    remedy: 'Raise `max_event_age`, or find out why events arrive late.',
  },
  already_acted: {
    words: 'acted for this before',
    outcomes: ['not_fired'],
    meaning: 'The rule has already acted for this cause.',
    remedy: '',
  },
  once_per_session: {
    words: 'once per session, and it has fired',
    outcomes: ['suppressed'],
    meaning: 'The rule has `once_per: session` and has already fired in this stream session.',
    remedy: 'Wait for the next session, in which it can fire again.',
  },
  step_cancelled: {
    words: 'over before the later action',
    outcomes: ['not_fired'],
    meaning:
      'The rule resolved before an action with `after` was due, or before a person had approved an action with `approval`.',
    remedy: '',
  },
  rule_changed: {
    words: 'the rule was changed meanwhile',
    outcomes: ['not_fired'],
    meaning:
      'The rule was changed, removed or switched off while it was waiting, so what it waited for was dropped. What it had already done is undone by `on_resolve` when the condition ends.',
    remedy: 'No action needed: the changed rule evaluates every channel again.',
  },
  superseded: {
    words: 'another cause took its place',
    outcomes: ['not_fired'],
    meaning:
      'Another cause for the same channel replaced this one before the rule acted: a later crossing of a threshold or, with `while` or `for`, another event of the same condition.',
    remedy: 'See the decision for the other cause.',
  },
  too_many_waiting: {
    words: 'too many were waiting',
    outcomes: ['suppressed'],
    meaning:
      'The event or request came during a warm-up or a data gap while 2,000 others were already waiting for its end. It is not judged later.',
    remedy: 'Find out what sends so many, and narrow the pattern of the rule or add a `match`.',
  },
  warming_up: {
    words: 'not warmed up yet',
    outcomes: ['suppressed'],
    meaning:
      'After its start, the daemon has not completed a sweep yet, or has not listed the channel and so does not know its tags. A warm-up only delays: every event, request and condition is judged afterwards.',
    remedy:
      'Wait for the first complete sweep and the first listing of the channels. If none comes, look at the polls in `/metrics`, at `/readyz`, and for `the channels cannot be listed` in the log.',
  },
  data_gap: {
    words: 'data was missing',
    outcomes: ['suppressed'],
    meaning:
      'Polls or events have stopped, or the newest complete sweep did not list the stream. Timers stand still while data is missing, and missing data is no reason to act.',
    remedy:
      'Find out why data is missing; timers continue when it is back. The next sweep lists a missing stream again or ends it. `on_data_gap: ignore` turns this guard off.',
  },
  paused: {
    words: 'automation was paused',
    outcomes: ['suppressed'],
    meaning: 'All automation is paused.',
    remedy: 'Run `ivs-autopilot resume`.',
  },
  held: {
    words: 'the channel was on hold',
    outcomes: ['suppressed'],
    meaning: 'The channel is on hold, by the tag `ops-hold` or by `ivs-autopilot hold`.',
    remedy: 'Release the hold, or remove the tag.',
  },
  silenced: {
    words: 'silenced',
    outcomes: ['suppressed'],
    meaning: 'A silence matches the rule, the action or the channel.',
    remedy: 'Expire the named silence, or wait for its end.',
  },
  inhibited: {
    words: 'inhibited by another rule',
    outcomes: ['suppressed'],
    meaning: 'Another rule fires and inhibits this one (`inhibit_rules`).',
    remedy: 'Solve the larger problem first; conditions that still hold afterwards are judged again.',
  },
  cooldown: {
    words: 'fired too recently',
    outcomes: ['suppressed'],
    meaning: 'The rule fired for the same group less than its `cooldown` ago.',
    remedy: 'Wait, or shorten `cooldown`. If the condition still holds then, the rule acts.',
  },
  incident_open: {
    words: 'an incident was open',
    outcomes: ['suppressed'],
    meaning: 'Many channels are in trouble together (an aggregate rule fires). Rules insert no ad breaks meanwhile.',
    remedy: 'Solve the incident. An operator can still insert an ad break.',
  },
  min_gap: {
    words: 'too soon after the last ad break',
    outcomes: ['suppressed'],
    meaning: 'The channel’s last ad break, whoever inserted it, ended less than `min_gap` ago or has not ended.',
    remedy: 'Wait, or shorten `min_gap`.',
  },
  max_per_hour: {
    words: 'fired too often in an hour',
    outcomes: ['suppressed'],
    meaning: 'The rule has fired as often in the last hour as `max_per_hour` allows.',
    remedy: 'Find out why it fires so often, or raise `max_per_hour`.',
  },
  max_live_percent: {
    words: 'too many live channels at once',
    outcomes: ['suppressed'],
    meaning:
      'The rule was about to act on more than `max_live_percent` of the live channels, so it was stopped until somebody starts it again.',
    remedy:
      'Look for what these channels have in common. Then run `ivs-autopilot rule reset <rule>`, or change the rule.',
  },
  rule_stopped: {
    words: 'the rule was stopped by its cap',
    outcomes: ['suppressed'],
    meaning: '`max_live_percent` stopped the rule earlier, and nobody has started it again.',
    remedy: 'Run `ivs-autopilot rule reset <rule>`, or change the rule.',
  },
  awaiting_approval: {
    words: 'waits for approval',
    outcomes: ['pending'],
    meaning: 'The rule fired, and an action with `approval` waits for a person.',
    remedy:
      'Run `ivs-autopilot approval list`, then `approval approve <id>` or `approval reject <id>`, or use the link in the message. A timeout never approves.',
  },
  approved: {
    words: 'approved',
    outcomes: ['acted'],
    meaning: 'Everybody whom `approval` requires has approved, and all checks passed again.',
    remedy: '',
  },
  approval_rejected: {
    words: 'rejected',
    outcomes: ['not_fired'],
    meaning: 'A person rejected the action.',
    remedy: '',
  },
  approval_timed_out: {
    words: 'nobody approved it in time',
    outcomes: ['not_fired'],
    meaning: 'Nobody, or too few people, had approved when `timeout` was over.',
    remedy: 'Request the action by hand if it is still needed. Raise `timeout`, or use a receiver that somebody reads.',
  },
  session_over: {
    words: 'another session had begun',
    outcomes: ['not_fired'],
    meaning: 'While the action waited for an approval, another stream session began or went live.',
    remedy: 'No action needed: the rule decides again for the new session.',
  },
  too_many_approvals: {
    words: 'too many were waiting for approval',
    outcomes: ['suppressed'],
    meaning: 'The action needs an approval, but 500 others in this account are already waiting for theirs.',
    remedy: 'Answer the waiting ones, and narrow the rule: nobody can judge so many.',
  },
  recovering: {
    words: 'it may be over',
    outcomes: ['suppressed'],
    meaning:
      'The condition ended and `keep_firing_for` runs. An action with `after` waits until the rule resolves or the condition returns.',
    remedy: '',
  },
  template_failed: {
    words: 'a parameter could not be filled in',
    outcomes: ['suppressed'],
    meaning: 'The parameters of an action could not be rendered from the known values.',
    remedy: 'Read the problem in the entry; write `| default: "…"` for values that can be missing.',
  },
} as const satisfies Record<string, ReasonEntry>;

export type DecisionReason = keyof typeof decisionReasons;

/** The guards, in the order in which they are checked. */
export const guardNames = [
  'warm_up',
  'on_data_gap',
  'stopped',
  'pause',
  'hold',
  'max_event_age',
  'once_per',
  'cooldown',
  'min_gap',
  'incident',
  'max_per_hour',
  'max_live_percent',
  'silence',
  'inhibit',
] as const;
export type GuardName = (typeof guardNames)[number];

export type Values = Readonly<Record<string, string | number | boolean>>;

/** The verdict of a guard, with the values it compared. */
export interface GuardVerdict {
  readonly guard: GuardName;
  readonly passed: boolean;
  readonly values: Values;
}

/** One value that was compared before something was done or left: what was asked, what was found, and the conclusion. */
export interface Check {
  /** A guard's name, or what a worker checked right before it acted: `pause`, `hold`, `session`, `only_if`, `live`, … */
  readonly check: string;
  readonly verdict: 'passed' | 'failed';
  readonly asked: Readonly<Record<string, unknown>>;
  readonly found: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

/** What triggered the rule. */
export interface TriggerEvidence {
  readonly kind: TriggerKind;
  /** When the condition began, or the event happened. */
  readonly sinceMs: number;
  /** In plain words. */
  readonly text: string;
  readonly values: Values;
}

/** One decision of one rule about one channel (or group); the entry of the journal. */
export interface Decision {
  readonly id: string;
  readonly rule: string;
  readonly mode: RuleMode;
  readonly outcome: DecisionOutcome;
  readonly reason: DecisionReason;
  readonly atMs: number;
  readonly channelArn?: string;
  readonly channelName?: string;
  readonly streamId?: string;
  /** What the rule is grouped by; the channel's ARN by default. */
  readonly group: string;
  /** Its cause: the same cause is acted on once. */
  readonly cause: string;
  /** For an action with `after`: how long that is. */
  readonly afterMs?: number;
  /** Hash of the configuration that decided; replicas may differ for a while. */
  readonly configHash?: string;
  /** For a decision that acts: the place of its cause in a trace. */
  readonly trace?: Traceparent;
  readonly trigger: TriggerEvidence;
  readonly guards: readonly GuardVerdict[];
  readonly jobs: readonly { readonly jobId: string; readonly action: ActionName }[];
  /** Actions of an acting decision that were held back individually. */
  readonly withheld: readonly {
    readonly action: ActionName;
    readonly reason: DecisionReason;
    readonly values: Values;
  }[];
}

/** Many equal decisions of one moment in one entry: which channels, and one decision as the example. */
export interface DecisionSummary {
  readonly summary: true;
  readonly rule: string;
  readonly outcome: DecisionOutcome;
  readonly reason: DecisionReason;
  readonly atMs: number;
  /** Number of channels; number of decisions if they are about no channel. */
  readonly count: number;
  /** Last parts of the channels' ARNs, each once. */
  readonly channelIds: readonly string[];
  readonly example: Decision;
}

export type JournalEntry = Decision | DecisionSummary;

/** Similar decisions of one moment: the first in full, of each other one only what differs from the first. */
export interface DecisionBundle {
  readonly atMs: number;
  readonly first: Decision;
  readonly others: readonly DecisionDifference[];
}

/** As in RFC 7396: fields that differ from the first; null stands for a missing field, because no part of a decision is null. */
export interface DecisionDifference {
  readonly fields: Readonly<Record<string, unknown>>;
  /** The same for verdicts, by their place, if equally many guards were checked; otherwise `fields` contains all guards. */
  readonly verdicts?: readonly (readonly [place: number, fields: Readonly<Record<string, unknown>>])[];
}

/** The results of the items that a put_metadata job handed over: counts of (item, channel) pairs. */
export interface Delivery {
  readonly batchId: string;
  readonly pending: number;
  readonly delivered: number;
  /** Replaced by a newer item with the same key. */
  readonly conflated: number;
  readonly expired: number;
  readonly notBroadcasting: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Why items did not arrive: codes and words, the most frequent first. */
  readonly reason?: string;
  readonly finishedAtMs?: number;
}

/** How the items of a rule have ended, since the state began. */
export type ItemTally = Readonly<
  Partial<Record<Exclude<keyof Delivery, 'batchId' | 'reason' | 'finishedAtMs' | 'pending'>, number>>
>;

/** The result of a decision's job. */
export interface JobResult {
  readonly jobId: string;
  readonly decisionId: string;
  readonly atMs: number;
  readonly outcome: 'done' | 'failed' | 'skipped';
  readonly detail: string;
  /** What the worker compared before it acted, or did not. */
  readonly checks?: readonly Check[];
  /** For a put_metadata whose items have ended. */
  readonly delivery?: Delivery;
}

/** Equal results of many members of a fan-out, in one entry. */
export interface JobResults extends Omit<JobResult, 'jobId' | 'decisionId' | 'delivery'> {
  readonly fanoutId: string;
  /** Each member's place in the fan-out, its decision, and, with `delivery`, the name of its part of the batch. */
  readonly members: readonly (readonly [place: number, decisionId: string, part?: string])[];
  /** Of each. */
  readonly delivery?: Omit<Delivery, 'batchId'>;
}

/** Many channels in trouble together, treated as one incident. */
export interface Incident {
  readonly id: string;
  /** `aggregate`: a rule with an aggregate trigger fires. `cap`: a rule was stopped by max_live_percent. */
  readonly kind: 'aggregate' | 'cap';
  readonly rule: string;
  readonly openedAtMs: number;
  readonly closedAtMs?: number;
  /** Channels in the condition: now, and at the peak. */
  readonly affected: number;
  readonly peak: number;
  readonly live: number;
  /** Actions that were held back because of it. */
  readonly withheld: number;
  readonly text: string;
}
