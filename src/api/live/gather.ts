// Builds the page's status and the extra fields of its rows from the shared state and a few narrow sources.

import type { ChannelArn } from '#domain/channel.ts';
import { holdsInForce, isOnlyHere, readPause, silencesInForce } from '#domain/controls-in-force.ts';
import { isWithoutRedis } from '#domain/errors.ts';
import type { Replica } from '#domain/replica.ts';
import type { Rule } from '#domain/rule.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { hasActed, ruleMemories, withheldMoments } from '#rules/memory.ts';
import { plannedActions } from '#rules/planned.ts';
import { nameOf } from '#streams/queries.ts';
import { inAlertOrder, openAlerts } from '../alerts.ts';
import type { ChannelExtras } from './model.ts';
import type { NextAction } from './row.ts';
import { ruleSentence } from './sentence.ts';
import type { LiveSources } from './sources.ts';
import type { LiveStatus, ReplicaLine, RuleLine, SilenceLine } from './status.ts';
import { trustOf } from './trust.ts';

/** What rows show besides records: the next action, and pending changes of recording. */
export function gatherExtras({ state, ruleset }: LiveSources): ChannelExtras {
  const planned = new Map<string, NextAction[]>();
  const plan = (arn: string, action: NextAction) => {
    const known = planned.get(arn);
    if (known) known.push(action);
    else planned.set(arn, [action]);
  };
  const pendingRecording = new Map<string, string>();
  for (const [, intent] of state.view.entries(kinds.intent)) {
    // Once the stream has ended, its job is already running.
    const when = intent.releasedAtMs === undefined ? 'at Stream End' : 'now';
    plan(intent.channelArn, { id: `intent:${intent.kind}`, text: `${intent.summary} ${when}` });
    if (intent.kind === 'set_recording') pendingRecording.set(intent.channelArn, intent.summary);
  }
  const ofRules = Array.from(plannedActions(state.view, ruleset(), state.nowMs()));
  // Of the actions that are held back, the most severe comes first.
  ofRules.sort((a, b) => Number(b.destructive) - Number(a.destructive));
  for (const { timerId, rule, channelArn, actions, dueMs, withheld } of ofRules)
    plan(channelArn, { id: `timer:${timerId}`, text: actions.join(', ') || rule, rule, dueMs, withheld });
  for (const [arn, { state: stage, atMs, durationSeconds, cause }] of state.view.entries(kinds.adBreak)) {
    if (stage !== 'planned') continue;
    const rule = cause.kind === 'rule' ? cause.rule : undefined;
    plan(arn, { id: 'ad-break:', text: `insert_ad_break ${durationSeconds}s`, rule, dueMs: atMs });
  }
  const next = new Map(Array.from(planned, ([arn, actions]) => [arn, inOrder(actions)] as const));
  const keyCreatedAtMs = new Map<string, number>();
  for (const [arn, key] of state.view.entries(kinds.key))
    if (key.finishedAtMs !== undefined) keyCreatedAtMs.set(arn, key.startedAtMs);
  return { next, pendingRecording, keyCreatedAtMs };
}

/** Actions with a time come before those that wait for an event, the soonest first; actions that are held back come last. */
function inOrder(actions: readonly NextAction[]): NextAction {
  const rank = ({ dueMs, withheld }: NextAction) => dueMs ?? (withheld ? Infinity : Number.MAX_SAFE_INTEGER);
  const [first, ...more] = actions.toSorted((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
  return more.length === 0 ? first! : { ...first!, more };
}

/** The current status. */
export async function gatherStatus(sources: LiveSources): Promise<LiveStatus> {
  const { state } = sources;
  const { view } = state;
  const [redisLatencyMs, quota, quotaHour, queues, batches, activity] = await Promise.all([
    sources.redisLatencyMs?.(),
    unlessAway(sources.quota),
    unlessAway(sources.quotaHour),
    unlessAway(sources.queues),
    unlessAway(sources.batches),
    unlessAway(sources.activity),
  ]);
  const nowMs = state.nowMs();
  const picture = sources.picture?.();
  const trusted = trustOf(sources, { nowMs, redisLatencyMs, picture });
  const pause = readPause(view);
  const replicas = sources.replicas?.();
  const silences: SilenceLine[] = silencesInForce(view, nowMs).map(([id, silence]) => ({
    id,
    who: silence.author,
    reason: silence.reason,
    matchers: silence.matchers,
    untilMs: silence.endsMs,
  }));
  const needs = inAlertOrder([
    ...openAlerts(sources.alerts ?? { shards: [{ name: '', state }], config: sources.config }),
    ...((await sources.alertsElsewhere?.()) ?? []),
  ]);
  return {
    nowMs,
    counts: countsOf(view, nowMs),
    ...(pause ? { pause: { ...pause, ...(isOnlyHere(state) ? { onlyHere: true } : {}) } } : {}),
    ...(picture ? { picture } : {}),
    standby: sources.standsBy?.() === true,
    ...(replicas ? { replicas: replicas.map(replicaLine) } : {}),
    ...(sources.accounts ? { accounts: sources.accounts() } : {}),
    rules: ruleLines(sources, nowMs),
    config: sources.config(),
    stale:
      picture !== undefined ||
      trusted.trust.some(({ state, name }) => state === 'stale' && (name === 'Poll' || name === 'Redis')),
    ...trusted,
    needs,
    silences,
    activity: activity ?? [],
    names: namesOf(view, [
      ...needs.flatMap(({ channelArn }) => channelArn ?? []),
      ...(activity ?? []).flatMap(({ arn }) => arn ?? []),
      ...(quota?.hottest ?? []).flatMap(({ arn }) => arn ?? []),
    ]),
    ...(quota ? { quota } : {}),
    ...(quotaHour ? { quotaHour } : {}),
    ...(queues ? { queues } : {}),
    ...(batches ? { batches } : {}),
  };
}

/** A part that only Redis knows is missing while Redis cannot be used; the other parts are shown all the same. */
async function unlessAway<T>(read: (() => T | Promise<T>) | undefined): Promise<T | undefined> {
  try {
    return await read?.();
  } catch (error) {
    if (isWithoutRedis(error)) return undefined;
    throw error;
  }
}

/** Only what seldom changes, because the feed sends changes only. */
function replicaLine({ id, version, configHash, role, startedAtMs, clockOffsetMs }: Replica): ReplicaLine {
  const offset = clockOffsetMs === undefined ? {} : { clockOffsetSeconds: Math.round(clockOffsetMs / 1000) };
  return { id, version, configHash, role, startedAtMs, ...offset };
}

function namesOf(view: StateView, arns: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    arns.flatMap((arn) => {
      const name = nameOf(view, arn as ChannelArn);
      return name === '' ? [] : [[arn, name]];
    }),
  );
}

function countsOf(view: StateView, nowMs: number): LiveStatus['counts'] {
  const counts = {
    live: 0,
    starving: 0,
    unknown: 0,
    held: holdsInForce(view, nowMs).length,
    channels: view.count(kinds.channel),
  };
  for (const [, { state, health }] of view.entries(kinds.stream)) {
    if (state !== 'live') continue;
    counts.live += 1;
    if (health === 'STARVING') counts.starving += 1;
    if (health === 'UNKNOWN') counts.unknown += 1;
  }
  return counts;
}

const sentences = new WeakMap<Rule, string>();

/** Rules are immutable, so each sentence is made once. */
function sentenceOf(rule: Rule): string {
  const known = sentences.get(rule) ?? ruleSentence(rule);
  sentences.set(rule, known);
  return known;
}

/** What each rule is doing now. */
function ruleLines({ state: { view }, ruleset }: LiveSources, nowMs: number): RuleLine[] {
  const lines = new Map(
    ruleset().rules.map((rule) => {
      const { name, mode, description, forMs, guards } = rule;
      const line: Mutable<RuleLine> = {
        name,
        mode,
        description,
        sentence: sentenceOf(rule),
        forMs,
        pending: 0,
        firing: 0,
        heldBack: 0,
        cooling: 0,
        capped: false,
      };
      return [name, { line, cooldownMs: guards.cooldownMs }];
    }),
  );
  for (const [, memory] of ruleMemories(view)) {
    const { rule, pending, firing } = memory;
    const line = lines.get(rule)?.line;
    if (!line) continue;
    if (firing && hasActed(memory)) line.firing += 1;
    else if (firing) line.heldBack += 1;
    else if (pending) {
      line.pending += 1;
      line.pendingSinceMs = Math.min(line.pendingSinceMs ?? Infinity, pending.cause.evidence.sinceMs);
    }
  }
  for (const { rule, cause } of withheldMoments(view)) {
    const line = lines.get(rule)?.line;
    if (!line) continue;
    line.pending += 1;
    line.pendingSinceMs = Math.min(line.pendingSinceMs ?? Infinity, cause.evidence.sinceMs);
  }
  for (const [id, firedMs] of view.entries(kinds.cooldown)) {
    const found = lines.get(id.slice(0, id.indexOf('|')));
    if (!found || firedMs + found.cooldownMs <= nowMs) continue;
    found.line.cooling += 1;
    found.line.coolingUntilMs = Math.max(found.line.coolingUntilMs ?? 0, firedMs + found.cooldownMs);
  }
  for (const [, alert] of view.entries(kinds.alert)) {
    const line = alert.kind === 'cap' ? lines.get(alert.rule)?.line : undefined;
    if (line) line.capped = true;
  }
  return Array.from(lines.values(), ({ line }) => line);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
