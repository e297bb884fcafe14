// What one transaction needs while it decides: what it has read, what has become due, and the decisions so far. It lives as long as the
// transaction's body; nothing of it is shared.
import type { Approval } from '#domain/approval.ts';
import type { Decision } from '#domain/decision.ts';
import type { Rule, Ruleset } from '#domain/rule.ts';
import type { Cause, RuleMemory, Timer, WithheldMoment } from '#domain/rule-memory.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import type { Traceparent } from '#domain/trace.ts';
import { type ChannelView, channelView, viewOf } from './channel-view.ts';
import { CommitJobs } from './commit-jobs.ts';
import { firingsInLastHour, newMemory, noteFired, readMemory, readPolled, writeFirings } from './memory.ts';
import { Muting } from './muting.ts';
import { indexOf, isMoment, type RuleIndex } from './rule-index.ts';

export interface DecideOptions {
  /**
   * When this process started, by the shared clock: it does nothing before a complete poll after that. Left out: no such condition
   * (virtual time).
   */
  readonly startedAtMs?: number;
  /** Nothing is done about a channel that the inventory does not know. Left out: channels need not be listed (virtual time). */
  readonly needsInventory?: boolean;
  /** Between two calls of InsertAdBreak, by the quota. Left out: a second. */
  readonly adBreakSpacingMs?: number;
  /** `http.external_url`, without a slash at its end: the base of links in messages. */
  readonly externalUrl?: string | undefined;
  /** Prefix for the id of an approval in a message if there are several accounts: `main:`. */
  readonly accountPrefix?: string | undefined;
  /** Hash of the configuration that decides, for the journal. */
  readonly configHash?: string;
  /** The transaction's place in a trace. */
  readonly trace?: Traceparent | undefined;
}

/** A cause that is due. */
export interface DueCause {
  readonly rule: Rule;
  readonly subject: string;
  readonly cause: Cause;
  /** The timer that made it due, if one did. */
  readonly timer?: Timer | undefined;
  /** It is a moment that was withheld before. */
  readonly withheld?: WithheldMoment | undefined;
}

export class Evaluation {
  readonly tx: Transaction;
  readonly ruleset: Ruleset;
  readonly index: RuleIndex;
  readonly options: DecideOptions;
  readonly muting: Muting;
  readonly decisions: Decision[] = [];
  readonly due = new Map<string, DueCause>();
  readonly jobs = new CommitJobs();
  /** Approvals that this transaction requests, and those that it found to have timed out. */
  readonly asked: Approval[] = [];
  readonly timedOut: Approval[] = [];
  /** For each capped rule, the live channels it is about to act on; counted on first use. */
  affected: Map<string, Set<string>> | undefined;
  /** Something was withheld that must be judged again. */
  hasWithheld = false;
  /** The place in a trace of what is being evaluated. */
  trace: Traceparent | undefined;
  /** By the record of the stream. */
  readonly #views = new Map<StreamRecord, ChannelView>();
  readonly #channels = new Map<string, ChannelView>();
  readonly #firings = new Map<string, number[]>();
  readonly #withheldBy = new Map<string, Set<string>>();

  constructor(tx: Transaction, ruleset: Ruleset, options: DecideOptions) {
    this.tx = tx;
    this.ruleset = ruleset;
    this.index = indexOf(ruleset);
    this.options = options;
    this.trace = options.trace;
    this.muting = new Muting({ tx, index: this.index, inhibitRules: ruleset.inhibitRules });
  }

  get nowMs(): number {
    return this.tx.nowMs;
  }

  /** A channel as a record describes its stream, whether it still is the newest or not. */
  viewOf(record: StreamRecord): ChannelView {
    let view = this.#views.get(record);
    if (!view) {
      const { channelArn } = record;
      view = viewOf(channelArn, this.tx.get(kinds.channel.of(channelArn)), record, this.nowMs);
      this.#views.set(record, view);
    }
    return view;
  }

  /** Takes over a view that was built from the newest record. */
  see(view: ChannelView): void {
    this.#channels.set(view.arn, view);
  }

  /** A channel as it is after everything that this transaction has observed. */
  channel(arn: string): ChannelView {
    let view = this.#channels.get(arn);
    if (!view) this.#channels.set(arn, (view = channelView(this.tx, arn, this.nowMs)));
    return view;
  }

  /** The rule's memory; what a rule with another condition left behind counts only as "has acted". */
  memory(rule: Rule, subject: string): RuleMemory {
    const known = readMemory(this.tx, rule.name, subject);
    if (!known) return newMemory(rule, subject, this.nowMs);
    if (known.conditionHash === rule.conditionHash) return known;
    const { acted, once } = known;
    return { ...newMemory(rule, subject, this.nowMs), acted, ...(once ? { once } : {}) };
  }

  emit(decision: Decision): void {
    const { configHash } = this.options;
    this.decisions.push(configHash === undefined ? decision : { ...decision, configHash });
  }

  /** For a condition, only the newest cause can be due; each moment is separate. */
  addDue(due: DueCause): void {
    const moment = isMoment(due.rule) ? due.cause.id : '';
    this.due.set(`${due.rule.name}|${due.subject}|${moment}`, due);
  }

  /** Removes what became due for a condition that ended within the same transaction. */
  takeBackDue(rule: Rule, subject: string): DueCause | undefined {
    if (this.due.size === 0) return undefined;
    const key = `${rule.name}|${subject}|`;
    const due = this.due.get(key);
    this.due.delete(key);
    return due;
  }

  /** Whether there was a complete poll after the start of this process. */
  get isWarm(): boolean {
    const { startedAtMs } = this.options;
    return startedAtMs === undefined || (this.polledMs ?? Number.NEGATIVE_INFINITY) >= startedAtMs;
  }

  /** End of the last complete poll of all streams. */
  get polledMs(): number | undefined {
    return readPolled(this.tx)?.polledMs;
  }

  /** Firings of the rule in the last hour, including those of this transaction. */
  firings(rule: string): number[] {
    let firings = this.#firings.get(rule);
    if (!firings) this.#firings.set(rule, (firings = [...firingsInLastHour(this.tx, rule, this.nowMs)]));
    return firings;
  }

  noteFired(rule: Rule, group: string): void {
    noteFired(this.tx, rule.name, group);
    if (rule.guards.maxPerHour !== undefined) this.firings(rule.name).push(this.nowMs);
  }

  /** @param name of the action on its channel: the same at every evaluation */
  noteWithheld(source: string, name: string): void {
    const names = this.#withheldBy.get(source);
    if (names) names.add(name);
    else this.#withheldBy.set(source, new Set([name]));
  }

  get withheldBy(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#withheldBy;
  }

  /** Writes what was collected. */
  flush(): void {
    this.jobs.flush(this.tx);
    for (const [rule, firings] of this.#firings)
      if (firings.at(-1) === this.nowMs) writeFirings(this.tx, rule, firings);
  }
}
