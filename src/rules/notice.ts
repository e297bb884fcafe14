// From changes to conditions that begin and end. Decides nothing about acting: what has become due is judged afterwards.

import { parseChannelArn } from '#domain/channel.ts';
import type { DecisionReason, TriggerEvidence, Values } from '#domain/decision.ts';
import type { StreamDocument } from '#domain/documents.ts';
import type { EventEnvelope } from '#domain/observation.ts';
import type { Rule } from '#domain/rule.ts';
import type { Cause } from '#domain/rule-memory.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { groupOf } from './act.ts';
import type { ChannelView } from './channel-view.ts';
import { clockedFields, noteTurn } from './clocked.ts';
import {
  changedFields,
  checkCondition,
  conditionSinceMs,
  type RuleClock,
  revisedSinceMs,
  streamValues,
} from './conditions.ts';
import { formatWholeSeconds, offline } from './documents.ts';
import type { Evaluation } from './evaluation.ts';
import { updateIncident } from './incidents.ts';
import { evaluateKeyAge } from './key-age.ts';
import { allSubject, heldCause, readMemory, watchingRules, withActed, writeMemory } from './memory.ts';
import { aggregateDocument, aggregateHolds } from './population.ts';
import { isHolding, type RuleOf, selectedRules } from './rule-index.ts';
import { isScheduleActive, scheduleCause } from './schedule.ts';
import { silentSources } from './timers.ts';
import { beganAt, begin, decisionOf, end } from './transitions.ts';

type ChangeOf<K extends StreamChange['kind']> = Extract<StreamChange, { kind: K }>;

/** A channel's record changed. */
export function noticeStream(evaluation: Evaluation, change: ChangeOf<'stream'>): void {
  const { channelArn, before, after } = change;
  const view = evaluation.viewOf(after);
  evaluation.see(view);
  const earlier = before ? evaluation.viewOf(before).stream : offline;
  const changed = changedFields(earlier, view.stream);
  // That a channel is no longer selected is noticed when the inventory changes.
  const selected = selectedRules(evaluation.index, view);
  for (const rule of selected.state) {
    const fields = evaluation.index.fields.get(rule.name);
    const touched = fields ? Array.from(fields).filter((field) => changed.has(field)) : Array.from(changed);
    if (before && !changed.has('streamId')) followBeginning(evaluation, rule, view, { before, touched });
    if (touched.length === 0 && !changed.has('streamId')) continue;
    const matches = rule.trigger.pattern.match(view.stream);
    const matched = rule.trigger.pattern.match(earlier);
    // A new session's condition is new, even if the last session had the same one.
    if (matched && matches && changed.has('streamId'))
      end(evaluation, rule, channelArn, { failed: 'trigger', values: () => streamValues(view.stream) });
    if (matches || matched) evaluateState(evaluation, rule, view, touched.length > 0 ? touched : ['state']);
  }
  for (const name of watchingRules(evaluation.tx, view.arn)) endIfBroken(evaluation, name, view);
  noteTurn(evaluation.tx, evaluation.ruleset, { before, after });
  if (changed.has('viewerCount'))
    for (const rule of selected.threshold) noticeThreshold(evaluation, rule, view, before, change.atMs);
}

/**
 * A late event may change since when a stream's state is known: it dates a health that a poll saw, or contradicts a
 * part of what seemed unbroken. A waiting condition began when its stream reached this state, in whatever order that was reported.
 */
function followBeginning(
  evaluation: Evaluation,
  rule: RuleOf<'state'>,
  { arn, record, stream }: ChannelView,
  { before, touched }: { readonly before: StreamRecord; readonly touched: readonly string[] },
): void {
  const memory = readMemory(evaluation.tx, rule.name, arn);
  if (!record || !memory || !rule.trigger.pattern.match(stream)) return;
  const known = memory.conditionHash === rule.conditionHash ? (memory.pending ?? memory.firing)?.cause : undefined;
  const fields = datedFields(evaluation, rule).filter((field) => !touched.includes(field));
  const clock = clockOf(evaluation, rule);
  const knownMs = known?.evidence.sinceMs ?? conditionSinceMs(before, fields, clock);
  const sinceMs = revisedSinceMs(knownMs, { before, after: record, fields, clock });
  if (sinceMs === knownMs) return;
  const id = stateCauseId(stream, sinceMs);
  // A rule that was edited no longer knows of a firing, but of what was acted for.
  if (known) beganAt(evaluation, rule, arn, { ...known, id, evidence: { ...known.evidence, sinceMs } });
  else if (memory.acted.includes(stateCauseId(stream, knownMs)))
    writeMemory(evaluation.tx, { ...memory, acted: withActed(memory, id) });
}

/** Fields of the rule's condition whose start is known, whatever has changed. */
function datedFields(evaluation: Evaluation, rule: Rule): readonly string[] {
  const fields = evaluation.index.fields.get(rule.name);
  return Array.from(fields ?? ['state', 'health', 'recording', ...clockedFields]).filter(
    (field) => field !== 'viewerCount',
  );
}

function clockOf({ index, nowMs }: Evaluation, { name }: Rule): RuleClock {
  return { nowMs, ages: index.clocked.get(name)?.ages ?? [] };
}

/**
 * Time has passed for a channel's stream since `lookedMs`: it reached an age that rules name, its ad break is over, or a schedule
 * that counts from its start is due.
 */
export function noticeTurn(evaluation: Evaluation, arn: string, lookedMs: number): void {
  const view = evaluation.channel(arn);
  noticeRounds(evaluation, view, lookedMs);
  for (const rule of selectedRules(evaluation.index, view).state) {
    if (!evaluation.index.clocked.has(rule.name)) continue;
    const named = evaluation.index.fields.get(rule.name);
    evaluateState(evaluation, rule, view, named ? clockedFields.filter((field) => named.has(field)) : clockedFields);
  }
  for (const name of watchingRules(evaluation.tx, arn))
    if (evaluation.index.clocked.has(name)) endIfBroken(evaluation, name, view);
}

/**
 * Evaluates a state rule's condition for a channel. That `match` does not select a channel is not written
 * to the journal: with many rules it would be most of it, and `explain` shows it at any time.
 */
function evaluateState(
  evaluation: Evaluation,
  rule: RuleOf<'state'>,
  view: ChannelView,
  fields: Iterable<string>,
): void {
  const verdict = checkCondition(rule, view, undefined);
  // If several fields are involved, the last that took its value decides, even if it was reported before the others.
  const dated = evaluation.index.fields.get(rule.name) ? datedFields(evaluation, rule) : [];
  if (verdict.holds)
    begin(evaluation, rule, view.arn, stateCause(view, new Set([...fields, ...dated]), clockOf(evaluation, rule)));
  else end(evaluation, rule, view.arn, verdict);
}

function stateCause({ stream, record }: ChannelView, fields: Iterable<string>, clock: RuleClock): Cause {
  const sinceMs = conditionSinceMs(record, fields, clock);
  const evidence: TriggerEvidence = { kind: 'state', sinceMs, text: textOf(record), values: streamValues(stream) };
  return {
    id: stateCauseId(stream, sinceMs),
    evidence,
    ...(stream.streamId === undefined ? {} : { streamId: stream.streamId }),
  };
}

function stateCauseId({ streamId }: StreamDocument, sinceMs: number): string {
  return `${streamId ?? 'offline'}@${sinceMs}`;
}

function textOf(record: StreamRecord | undefined): string {
  if (!record) return 'no stream is known';
  const source = record.evidence['health'] ?? record.evidence['state'];
  const health = record.state === 'live' ? `, health ${record.health}` : '';
  return `stream ${record.state}${health}${source ? ` (${source.name})` : ''}`;
}

/** `while` and thresholds: what waits or fires for a moment ends when the stream no longer agrees. */
function endIfBroken(evaluation: Evaluation, name: string, view: ChannelView): void {
  const rule = evaluation.index.byName.get(name);
  const memory = rule && readMemory(evaluation.tx, name, view.arn);
  if (!memory) return;
  const cause = memory.pending?.cause ?? (isHolding(rule) ? memory.firing?.cause : undefined);
  if (!cause || memory.conditionHash !== rule.conditionHash) return;
  const verdict = checkCondition(rule, view, cause);
  if (!verdict.holds) end(evaluation, rule, view.arn, verdict);
}

/** Sessions that were first seen this long after their start fire no thresholds that they crossed before. */
const baselineAfterMs = 600_000;

function noticeThreshold(
  evaluation: Evaluation,
  rule: RuleOf<'threshold'>,
  view: ChannelView,
  before: StreamRecord | undefined,
  atMs: number,
): void {
  const { direction, values, field } = rule.trigger;
  const observed = view.stream.viewerCount;
  const streamId = view.stream.streamId;
  if (observed === undefined || streamId === undefined) return;
  const earlier = before?.streamId === streamId ? before.viewerCount : undefined;
  const isYoung = atMs - (view.record?.startedAtMs ?? atMs) <= baselineAfterMs;
  const from = earlier ?? (isYoung && direction === 'rises_to' ? 0 : observed);
  const crossed =
    direction === 'rises_to'
      ? values.findLast((value) => from < value && value <= observed)
      : values.find((value) => from > value && value >= observed);
  if (crossed === undefined) return;
  const atMsOf = view.record?.viewerCountAtMs ?? evaluation.nowMs;
  const cause: Cause = {
    id: rule.oncePer ? `${streamId}@${crossed}` : `${streamId}@${crossed}@${atMsOf}`,
    streamId,
    threshold: { field, value: crossed, observed },
    evidence: {
      kind: 'threshold',
      sinceMs: Math.min(atMsOf, evaluation.nowMs),
      text: `${field} ${direction === 'rises_to' ? 'rose' : 'fell'} from ${from} to ${observed}, past ${crossed}`,
      values: { from, observed, value: crossed },
    },
  };
  const verdict = checkCondition(rule, view, cause);
  if (verdict.holds) begin(evaluation, rule, view.arn, cause);
  else
    note(evaluation, rule, view.arn, cause, {
      reason: verdict.failed === 'match' ? 'match_failed' : 'while_broken',
      values: verdict.values(),
    });
}

/** An event came. */
export function noticeEvent(evaluation: Evaluation, { observation, record }: ChangeOf<'event'>): void {
  const { envelope, channelArn, eventTimeMs } = observation;
  const event = asRulesSeeIt(envelope, channelArn);
  for (const rule of evaluation.index.event) {
    if (!rule.trigger.pattern.match(event)) continue;
    const detail = event.detail as Record<string, unknown>;
    const names = [detail['event_name'], detail['limit_name'], detail['recording_status'], event['detail-type']];
    const name = names.find((candidate) => typeof candidate === 'string') ?? '';
    const streamId = typeof detail['stream_id'] === 'string' ? detail['stream_id'] : record?.streamId;
    noticeMoment(evaluation, rule, channelArn, {
      id: envelope.id,
      event,
      ...(streamId === undefined ? {} : { streamId }),
      evidence: {
        kind: 'event',
        sinceMs: Math.min(eventTimeMs, evaluation.nowMs),
        text: `${event['detail-type']}: ${name}`,
        values: { id: envelope.id, time: envelope.time, name: name },
      },
    });
  }
}

/**
 * The envelope, corrected: the Region is that of the channel's ARN, since AWS's own samples name another one in
 * `region`; a breach's limit has both of its names.
 */
function asRulesSeeIt(envelope: EventEnvelope, channelArn: string | undefined): EventEnvelope {
  const region = channelArn === undefined ? undefined : parseChannelArn(channelArn)?.region;
  const event = region === undefined || region === envelope.region ? envelope : { ...envelope, region };
  return withBothLimitNames(event);
}

/** Published schemas call the field `limit`, the user guide `limit_name`: patterns, templates and groups may rely on either. */
function withBothLimitNames(envelope: EventEnvelope): EventEnvelope {
  if (envelope['detail-type'] !== 'IVS Limit Breach') return envelope;
  const { limit, limit_name: name } = envelope.detail;
  const known = name ?? limit;
  if (known === undefined) return envelope;
  return { ...envelope, detail: { ...envelope.detail, limit_name: known, limit: limit ?? known } };
}

/** A request for an `http` trigger arrived. */
export function noticeHttp(evaluation: Evaluation, { observation }: ChangeOf<'http'>): void {
  const { name, requestId, author, channelArn, body, atMs } = observation;
  for (const rule of evaluation.index.http) {
    if (rule.trigger.name !== name || (rule.trigger.body && !rule.trigger.body.match(body))) continue;
    const record = channelArn === undefined ? undefined : evaluation.tx.get(kinds.stream.of(channelArn));
    noticeMoment(evaluation, rule, channelArn, {
      id: requestId,
      http: { name, requestId, body },
      ...(author === undefined ? {} : { author }),
      ...(record ? { streamId: record.streamId } : {}),
      evidence: {
        kind: 'http',
        sinceMs: Math.min(atMs, evaluation.nowMs),
        text: `request ${requestId} to ${name}`,
        values: { requestId },
      },
    });
  }
}

/** If several rounds came at once, after a downtime, the last one counts. */
function noticeRounds(evaluation: Evaluation, { arn, channel, record }: ChannelView, lookedMs: number): void {
  const { startedAtMs, streamId, state } = record ?? {};
  if (startedAtMs === undefined || streamId === undefined || state !== 'live') return;
  for (const rule of evaluation.index.times) {
    if (!('everyMs' in rule.trigger) || (rule.match && !rule.match.match(channel))) continue;
    const { everyMs } = rule.trigger;
    const round = Math.floor((evaluation.nowMs - startedAtMs) / everyMs);
    const sinceMs = startedAtMs + round * everyMs;
    if (round < 1 || sinceMs <= lookedMs) continue;
    noticeMoment(evaluation, rule, arn, {
      id: `${streamId}@every${round}`,
      streamId,
      evidence: {
        kind: 'times',
        sinceMs,
        text: `${formatWholeSeconds(sinceMs - startedAtMs)} since the start of the stream`,
        values: { round },
      },
    });
  }
}

/** A time of the day has come, for a channel that `match` selects or for the fleet. */
export function noticeDaily(evaluation: Evaluation, rule: RuleOf<'times'>, atMs: number, view?: ChannelView): void {
  if (view && rule.match && !rule.match.match(view.channel)) return;
  const at = new Date(atMs).toISOString();
  const cause: Cause = {
    id: `at@${atMs}`,
    ...(view?.record ? { streamId: view.record.streamId } : {}),
    evidence: { kind: 'times', sinceMs: atMs, text: `it is ${at}`, values: { at } },
  };
  noticeMoment(evaluation, rule, view?.arn, cause);
}

function noticeMoment(evaluation: Evaluation, rule: Rule, channelArn: string | undefined, cause: Cause): void {
  const view = channelArn === undefined ? undefined : evaluation.channel(channelArn);
  const subject =
    channelArn ?? (rule.trigger.kind === 'times' ? allSubject : `group:${groupOf(rule, undefined, cause)}`);
  const { maxEventAgeMs } = rule.guards;
  const ageMs = evaluation.nowMs - cause.evidence.sinceMs;
  if (maxEventAgeMs !== undefined && ageMs > maxEventAgeMs) {
    note(evaluation, rule, subject, cause, { reason: 'event_too_old', values: { ageMs, limitMs: maxEventAgeMs } });
    return;
  }
  if (!view && (rule.match || rule.while)) {
    note(evaluation, rule, subject, cause, { reason: 'no_channel', values: {} });
    return;
  }
  const verdict = view && checkCondition(rule, view, cause);
  if (verdict && !verdict.holds) {
    const reason = verdict.failed === 'match' ? 'match_failed' : 'while_broken';
    note(evaluation, rule, subject, cause, { reason, values: verdict.values() });
    return;
  }
  begin(evaluation, rule, subject, cause);
}

/** Tags may have changed: what depends on `match` is evaluated again, and schedules reach new channels. */
export function noticeInventory(evaluation: Evaluation, { channelArns }: ChangeOf<'inventory'>): void {
  for (const arn of channelArns) {
    const view = evaluation.channel(arn);
    for (const rule of evaluation.index.state) reevaluateState(evaluation, rule, view);
    for (const name of watchingRules(evaluation.tx, view.arn)) endIfBroken(evaluation, name, view);
    for (const rule of evaluation.index.schedule) evaluateSchedule(evaluation, rule, view);
    for (const rule of evaluation.index.keyAge) evaluateKeyAge(evaluation, rule, view);
  }
}

/** Evaluates a state rule without a change of the stream: a new rule, or a new tag. */
export function reevaluateState(evaluation: Evaluation, rule: RuleOf<'state'>, view: ChannelView): void {
  const known = readMemory(evaluation.tx, rule.name, view.arn);
  const isKnown = known?.conditionHash === rule.conditionHash && heldCause(known) !== undefined;
  const { holds } = checkCondition(rule, view, undefined);
  if (holds === isKnown) return;
  evaluateState(evaluation, rule, view, evaluation.index.fields.get(rule.name) ?? ['state']);
}

/** A schedule that is active begins for a channel that `match` selects now, and ends for one that it no longer selects. */
export function evaluateSchedule(evaluation: Evaluation, rule: RuleOf<'schedule'>, view: ChannelView): void {
  if (!rule.match || !isScheduleActive(evaluation.tx, rule)) return;
  if (rule.match.match(view.channel)) begin(evaluation, rule, view.arn, scheduleCause(evaluation.tx, rule));
  else end(evaluation, rule, view.arn, { failed: 'match', values: () => ({}) });
}

/** After the counts were updated: aggregates begin and end. */
export function noticeAggregates(evaluation: Evaluation): void {
  for (const rule of evaluation.index.aggregate) {
    // A count while data is missing is no reason to act, and no recovery.
    if (rule.guards.onDataGap === 'freeze' && silentSources(evaluation.tx).length > 0) continue;
    const counted = aggregateDocument(evaluation.tx, rule);
    const { count, live, percent } = counted;
    updateIncident(evaluation.tx, rule.name, counted);
    const holds = aggregateHolds(evaluation.tx, rule);
    if (holds === undefined) continue;
    if (!holds) {
      end(evaluation, rule, allSubject, { failed: 'trigger', values: () => ({ count, live, percent }) });
      continue;
    }
    const text = `${count} of ${live} live channels (${percent} %)`;
    const evidence: TriggerEvidence = {
      kind: 'aggregate',
      sinceMs: evaluation.nowMs,
      text,
      values: { count, live, percent },
    };
    begin(evaluation, rule, allSubject, { id: `all@${evaluation.nowMs}`, evidence });
  }
}

/** Records that the trigger matched and the rule does not fire. */
function note(
  evaluation: Evaluation,
  rule: Rule,
  subject: string,
  cause: Cause,
  { reason, values }: { reason: DecisionReason; values: Values },
): void {
  evaluation.emit(decisionOf(evaluation, rule, subject, cause, { outcome: 'not_fired', reason, values }));
}
