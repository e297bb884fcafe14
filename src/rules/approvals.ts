// Actions that wait for a person's yes: how they are requested, kept, ended and announced. Time and other events can only end a request;
// only answers.ts, on a person's answer, turns one into a job. A cause and a step have at most one request.
import type { ActionJob, ActionParams } from '#domain/action.ts';
import { maskAddresses } from '#domain/address.ts';
import type { Approval, ApprovalState } from '#domain/approval.ts';
import type { DecisionReason, Values } from '#domain/decision.ts';
import { formatDuration, iso } from '#domain/duration.ts';
import type { NeedsPerson } from '#domain/notification.ts';
import type { Rule, Ruleset, Step } from '#domain/rule.ts';
import type { Cause, Firing } from '#domain/rule-memory.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { withoutViewerIds } from '#domain/viewer-ids.ts';
import { visibleLine } from '#domain/visible-text.ts';
import { audit } from '#journal/audit.ts';
import { type ChannelView, channelView } from './channel-view.ts';
import type { Evaluation } from './evaluation.ts';
import { hashOf } from './hash-of.ts';
import { receiverOf } from './incidents.ts';
import { labelsOf } from './label-matcher.ts';
import { aggregateDocument } from './population.ts';
import type { RuleOf } from './rule-index.ts';

/** The most that wait at a time: nobody can judge more. */
export const mostWaiting = 500;
/** How long ended ones are shown, and how many. */
const endedKeptMs = 86_400_000;
const mostEnded = 500;
/** Characters of the parameters that are kept of an ended one; its audit entry has them too. */
const mostParamsKept = 2_000;

/** What a step asks a person to approve. */
export interface ToAsk {
  readonly rule: Rule;
  readonly subject: string;
  readonly cause: Cause;
  readonly list: Approval['list'];
  readonly step: Step;
  /** With templates filled in. */
  readonly params: ActionParams;
  readonly firing: Firing;
  readonly decisionId: string;
  readonly view: ChannelView | undefined;
}

/** Why a step did not become a job: it waits for an answer, or there is no room to wait. */
export interface Awaited {
  readonly reason: 'awaiting_approval' | 'too_many_approvals';
  readonly values: Values;
}

/** Requests approval. The same cause and step make one request, however often this is called. */
export function askApproval(evaluation: Evaluation, asked: ToAsk): Awaited {
  const { tx, nowMs } = evaluation;
  const { rule, subject, cause, list, step, params, firing, decisionId, view } = asked;
  const terms = step.approval!;
  const id = `ap-${hashOf('approval', rule.name, subject, cause.id, list, step.index)}`;
  const known = tx.get(kinds.approval.of(id));
  if (known) return { reason: 'awaiting_approval', values: { approval: id, until: iso(known.untilMs) } };
  const waiting = waitingApprovals(tx).length;
  if (waiting >= mostWaiting) return { reason: 'too_many_approvals', values: { waiting } };
  const streamId = cause.streamId ?? (view?.stream.live ? view.stream.streamId : undefined);
  const approval: Approval = {
    id,
    state: 'waiting',
    rule: rule.name,
    ruleHash: rule.hash,
    subject,
    list,
    step: step.index,
    action: step.action,
    params,
    firing: { ...firing, acted: true },
    ...(view ? { channelArn: view.arn, channelName: view.channel.name } : {}),
    ...(streamId === undefined ? {} : { streamId }),
    terms,
    ...(cause.author === undefined ? {} : { author: cause.author }),
    why: cause.evidence.text,
    decisionId,
    askedAtMs: nowMs,
    untilMs: nowMs + terms.timeoutMs,
    values: shownValues(tx, rule, view, terms.show),
    answers: [],
  };
  if (tx.count(kinds.approval) >= mostWaiting + mostEnded) pruneApprovals(tx);
  tx.set(kinds.approval.of(id), approval);
  evaluation.asked.push(approval);
  return { reason: 'awaiting_approval', values: { approval: id, until: iso(approval.untilMs) } };
}

/** Those that nobody has decided, the first to time out first. */
export function waitingApprovals(view: StateView): Approval[] {
  if (view.count(kinds.approval) === 0) return [];
  return Array.from(view.entries(kinds.approval), ([, approval]) => approval)
    .filter(({ state }) => state === 'waiting')
    .sort((a, b) => a.untilMs - b.untilMs || (a.id < b.id ? -1 : 1));
}

/** How many more people must say yes. */
export function missingOf({ terms, answers }: Approval): number {
  return Math.max(0, terms.count - answers.length);
}

/** When the next one times out, epoch ms. */
export function nextApprovalMs(view: StateView): number | undefined {
  return waitingApprovals(view)[0]?.untilMs;
}

/** Ends one without its action. If an answer ended it, that is audited where the answer is taken. */
export function endApproval(
  tx: Transaction,
  approval: Approval,
  { state, note, ...more }: { state: Exclude<ApprovalState, 'waiting'>; note: string } & Partial<Approval>,
): Approval {
  const { params } = approval;
  const isShort = JSON.stringify(params).length <= mostParamsKept;
  const ended: Approval = {
    ...approval,
    ...more,
    ...(isShort ? {} : { params: {} }),
    state,
    note,
    endedAtMs: tx.nowMs,
  };
  tx.set(kinds.approval.of(approval.id), ended);
  if (state === 'timed_out' || state === 'cancelled')
    audit(tx, {
      who: `rule ${approval.rule}`,
      what: 'approval',
      outcome: state,
      why: approval.decisionId,
      reason: note,
      decisionId: approval.decisionId,
      params: auditedParams(approval),
      ...(approval.channelArn === undefined ? {} : { channelArn: approval.channelArn }),
    });
  return ended;
}

/** What the audit keeps of one. */
export function auditedParams({ id, rule, action, params }: Approval): Readonly<Record<string, unknown>> {
  return { approval: id, rule, action, params };
}

/** Ends what waits for a firing that is over. Returns those. */
export function cancelApprovals(tx: Transaction, rule: Rule, subject: string, { decisionId }: Firing): Approval[] {
  return waitingApprovals(tx)
    .filter(
      (one) =>
        one.rule === rule.name &&
        one.subject === subject &&
        one.list === 'actions' &&
        one.firing.decisionId === decisionId,
    )
    .map((one) => endApproval(tx, one, { state: 'cancelled', note: 'the condition that caused it is over' }));
}

/** Deletes those that ended long ago, and the oldest if there are too many. */
export function pruneApprovals(tx: Transaction): void {
  const ended = Array.from(tx.entries(kinds.approval), ([, approval]) => approval)
    .filter(({ state }) => state !== 'waiting')
    .sort((a, b) => (b.endedAtMs ?? 0) - (a.endedAtMs ?? 0));
  for (const [place, { id, endedAtMs = 0 }] of ended.entries())
    if (place >= mostEnded / 2 || tx.nowMs - endedAtMs > endedKeptMs) tx.delete(kinds.approval.of(id));
}

/** What the person who decides is shown, as of now. */
export function shownValues(
  state: StateView,
  rule: Rule,
  view: ChannelView | undefined,
  show: readonly string[],
): Values {
  if (!view) {
    if (rule.trigger.kind !== 'aggregate') return {};
    const { count, live, percent } = aggregateDocument(state, rule as RuleOf<'aggregate'>);
    return { count, live, percent };
  }
  return Object.fromEntries(show.map((name) => [name, valueOf(view, name)]));
}

/** The same for somebody who reads a waiting one; undefined if its rule has changed. */
export function shownNow(
  view: StateView,
  ruleset: Ruleset,
  { rule: name, ruleHash, channelArn, terms }: Approval,
  nowMs: number,
): Values | undefined {
  const rule = ruleset.rules.find((one) => one.name === name);
  if (rule?.hash !== ruleHash) return undefined;
  return shownValues(
    view,
    rule,
    channelArn === undefined ? undefined : channelView(view, channelArn, nowMs),
    terms.show,
  );
}

function valueOf({ stream, channel }: ChannelView, name: string): Values[string] {
  const found = name.startsWith('tags.')
    ? channel.tags[name.slice('tags.'.length)]
    : { ...channel, ...(stream as object as Readonly<Record<string, unknown>>) }[name];
  if (found === undefined) return 'unknown';
  return typeof found === 'object' || typeof found === 'function' ? JSON.stringify(found) : found;
}

/** `stop_stream {"revoke_key":false} on studio-a`: what will happen, and to which channel. Without addresses and ids of viewers. */
export function deedOf({ action, params, channelArn, channelName }: Approval, mostCharacters = 300): string {
  const text = JSON.stringify(withoutViewerIds(maskAddresses(params)));
  const shown = text === '{}' ? '' : ` ${text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text}`;
  return `${action}${shown}${channelArn === undefined ? '' : ` on ${channelName || channelArn}`}`;
}

const mostNamed = 10;

/** Notifies about what was requested in this transaction, and about what nobody answered: one message for each rule and action. */
export function tellOfApprovals(evaluation: Evaluation): void {
  for (const alike of alikes(evaluation.asked)) {
    const [one, ...others] = alike as [Approval, ...Approval[]];
    const { accountPrefix = '' } = evaluation.options;
    const needs: NeedsPerson =
      others.length === 0
        ? { kind: 'approval', id: `${accountPrefix}${one.id}` }
        : { kind: 'alert', id: `${accountPrefix}${approvalAlertId(one)}`, sinceMs: one.askedAtMs };
    tell(evaluation, alike, { text: askedText(evaluation, alike), needs });
  }
  for (const alike of alikes(evaluation.timedOut)) tell(evaluation, alike, { text: timedOutText(alike) });
}

function alikes(approvals: readonly Approval[]): Approval[][] {
  return [...Map.groupBy(approvals, ({ rule, list, step }) => `${rule}|${list}|${step}`).values()];
}

/** The id of the alert that groups the waiting requests of one step. */
export function approvalAlertId({ rule, list, step }: Pick<Approval, 'rule' | 'list' | 'step'>): string {
  return `approval:${rule}|${list}|${step}`;
}

function tell(
  evaluation: Evaluation,
  alike: readonly Approval[],
  { text, needs }: { readonly text: string; readonly needs?: NeedsPerson },
): void {
  const [{ rule: name, action, terms, decisionId }] = alike as [Approval];
  const rule = evaluation.index.byName.get(name);
  const receiver = terms.receiver ?? (rule && receiverOf(evaluation, rule));
  if (receiver === undefined && evaluation.ruleset.route === undefined) return;
  const id = hashOf('approval', evaluation.nowMs, ...alike.map((one) => `${one.id} ${one.state}`));
  const payload: ActionJob = {
    action: 'notify',
    params: { ...(receiver === undefined ? {} : { receiver }), text: text.slice(0, 4_000) },
    alert: {
      fingerprint: id,
      labels: { ...labelsOf({ rule: name }), alertname: `Approval of ${action}` },
      startsAtMs: evaluation.nowMs,
      ...(needs ? { needs } : {}),
    },
    cause: { kind: 'rule', rule: name, decisionId },
    decidedAtMs: evaluation.nowMs,
    isNotice: true,
  };
  evaluation.tx.enqueue({ jobId: `notify-${id}`, name: 'notify', payload: { ...payload } });
}

/** The line breaks are ours: a filled-in value cannot pass for a line of the message. */
function askedText({ options: { externalUrl, accountPrefix = '' } }: Evaluation, alike: readonly Approval[]): string {
  const [one] = alike as [Approval];
  const { terms, rule, why, values, untilMs } = one;
  const id = `${accountPrefix}${one.id}`;
  const place = alike.length === 1 ? `#/approval/${id}` : `#/approvals?rule=${encodeURIComponent(rule)}`;
  const where =
    externalUrl === undefined
      ? `ivs-autopilot approval ${alike.length === 1 ? `approve ${id}` : 'list'}`
      : `${externalUrl}/${place}`;
  const who = terms.count === 1 ? terms.by : `${terms.count} × ${terms.by}`;
  const shown = Object.entries(values).map(([name, value]) => `${name} ${value}`);
  return [
    `Approval needed: ${deedsOf(alike)}`,
    `Why: ${why} (rule ${rule})`,
    ...(alike.length === 1 && shown.length > 0 ? [`Now: ${shown.join(', ')}`] : []),
    `Who may approve: ${who}, until ${iso(untilMs)} (${formatDuration(terms.timeoutMs)}). Without approval nothing is done.`,
    where,
  ]
    .map(visibleLine)
    .join('\n');
}

function timedOutText(alike: readonly Approval[]): string {
  const [{ rule }] = alike as [Approval];
  return visibleLine(`Not approved in time and not done: ${deedsOf(alike)} (rule ${rule})`);
}

function deedsOf(alike: readonly Approval[]): string {
  const [one] = alike as [Approval];
  if (alike.length === 1) return deedOf(one);
  const names = alike.slice(0, mostNamed).map(({ channelName, channelArn }) => channelName || channelArn || '-');
  const more = alike.length > mostNamed ? ` and ${alike.length - mostNamed} more` : '';
  return `${one.action} on ${alike.length} channels: ${names.join(', ')}${more}`;
}

/** Why one can no longer be answered. */
export interface Over {
  readonly state: 'timed_out' | 'cancelled';
  readonly reason: DecisionReason;
  readonly note: string;
}
