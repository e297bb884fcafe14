// Collects what the guards of one decision compare. The phase determines which guards are asked: caps and cooldowns limit firings; what
// follows from a firing is only kept from acting where nothing may act.
import { lastAdBreakEndMs, openIncident } from '#domain/ad-breaks.ts';
import type { RuleAlert } from '#domain/alert.ts';
import { holdTag, readHold, readPause } from '#domain/controls-in-force.ts';
import type { Rule } from '#domain/rule.ts';
import type { Cause, RuleMemory } from '#domain/rule-memory.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import { unlistedSinceMs } from '#domain/stream-record.ts';
import { type Occasion, viewOfSubject } from './act.ts';
import type { Evaluation } from './evaluation.ts';
import type { GuardInputs } from './guards.ts';
import { channelOfSubject, lastFiredMs, memoriesOf, openMemories, readPolled, withheldMoments } from './memory.ts';
import { aggregateHolds, liveCount } from './population.ts';
import { isHolding, momentKinds, type RuleOf, selects } from './rule-index.ts';
import { countedMs, silentSources } from './timers.ts';

/** A rule with a destructive action counts the channels it has acted on for this long. */
const blastWindowMs = 300_000;

/** `capped`: whether a step is destructive, so that the cap is asked again. */
export function guardInputs(
  evaluation: Evaluation,
  rule: Rule,
  { subject, cause, group }: Occasion,
  phase: Occasion['phase'],
  capped = false,
): GuardInputs {
  const { tx, nowMs, options } = evaluation;
  const { cooldownMs, minGapMs, maxPerHour, maxEventAgeMs, maxLivePercent, onDataGap } = rule.guards;
  const fires = phase === 'fire';
  const pause = readPause(tx);
  const isMoment = !isHolding(rule) && rule.trigger.kind !== 'threshold' && rule.forMs === 0;
  const freezes =
    onDataGap === 'freeze' && rule.trigger.kind !== 'schedule' && !(fires && isMoment) && phase !== 'resolve';
  const memory = evaluation.memory(rule, subject);
  const stopped = stoppedBy(evaluation, rule);
  return {
    nowMs,
    warmUp:
      options.startedAtMs === undefined
        ? undefined
        : {
            startedMs: options.startedAtMs,
            polledMs: evaluation.polledMs,
            isUnlisted: phase !== 'resolve' && isUnlisted(evaluation, subject),
          },
    dataGap: freezes ? { silent: silentSources(tx), ...doubts(evaluation, rule, subject) } : undefined,
    stopped: { sinceMs: stopped?.sinceMs },
    pause: { by: pause?.who, reason: pause?.reason ?? '' },
    hold: holdOf(evaluation, subject),
    maxEventAge:
      fires && maxEventAgeMs !== undefined && momentKinds.has(rule.trigger.kind)
        ? { eventMs: cause.evidence.sinceMs + rule.forMs, limitMs: maxEventAgeMs }
        : undefined,
    oncePer:
      fires && rule.oncePer === 'session' && cause.streamId !== undefined
        ? { streamId: cause.streamId, done: isDone(rule, memory, cause) }
        : undefined,
    cooldown:
      fires && cooldownMs > 0 ? { lastFiredMs: lastFiredMs(tx, rule.name, group), limitMs: cooldownMs } : undefined,
    minGap:
      fires && minGapMs !== undefined && channelOfSubject(subject) !== undefined
        ? { lastEndsMs: lastAdBreakEndMs(tx, subject), limitMs: minGapMs }
        : undefined,
    incident: fires && minGapMs !== undefined ? { open: openIncident(tx)?.text } : undefined,
    maxPerHour:
      fires && maxPerHour !== undefined
        ? { fired: evaluation.firings(rule.name).length, limit: maxPerHour }
        : undefined,
    maxLivePercent:
      // Counting reads all that rules remember: not for a rule that is stopped anyway.
      !stopped && (fires || capped) && maxLivePercent !== undefined && channelOfSubject(subject) !== undefined
        ? { affected: affectedChannels(evaluation, rule), live: liveCount(tx), percent: maxLivePercent }
        : undefined,
  };
}

/**
 * Whether the tags of a channel are not known yet, so that `ops-hold` may be among them. A channel that is offline and in no listing
 * no longer exists: nothing waits for it.
 */
function isUnlisted({ tx, options }: Evaluation, subject: string): boolean {
  const arn = channelOfSubject(subject);
  if (!options.needsInventory || arn === undefined || tx.get(kinds.channel.of(arn)) !== undefined) return false;
  const state = tx.get(kinds.stream.of(arn))?.state;
  return state === 'live' || state === 'created' || tx.get(notes.inventoryListed) === undefined;
}

/** What is unreliable although no source counts as silent: the last poll is too old, or it did not list the stream. */
function doubts(
  { tx, nowMs }: Evaluation,
  rule: Rule,
  subject: string,
): { readonly staleAtMs?: number; readonly unlistedAtMs?: number } {
  const { staleAtMs, polledMs } = readPolled(tx) ?? {};
  const record = tx.get(kinds.stream.of(subject));
  const countsDoubtful =
    rule.trigger.kind === 'aggregate' && aggregateHolds(tx, rule as RuleOf<'aggregate'>) === undefined;
  const unlistedAtMs = countsDoubtful ? polledMs : record && unlistedSinceMs(record);
  return {
    ...(staleAtMs === undefined || nowMs <= staleAtMs ? {} : { staleAtMs }),
    ...(unlistedAtMs === undefined ? {} : { unlistedAtMs }),
  };
}

/** The alert of a cap that stopped the rule, as long as the rule is the same. */
export function stoppedBy(evaluation: Evaluation, rule: Rule): RuleAlert | undefined {
  const alert = evaluation.tx.get(kinds.alert.of('cap', rule.name));
  return alert?.ruleHash === rule.hash ? alert : undefined;
}

/**
 * A threshold is passed once one at or beyond it has fired: after 10,000 viewers, 1,000 is no longer a milestone of the session.
 */
function isDone({ trigger }: Rule, { once }: RuleMemory, { streamId, threshold }: Cause): boolean {
  if (!once || once.streamId !== streamId) return false;
  if (!threshold || trigger.kind !== 'threshold') return true;
  return once.values.some((value) =>
    trigger.direction === 'rises_to' ? value >= threshold.value : value <= threshold.value,
  );
}

function holdOf(evaluation: Evaluation, subject: string): GuardInputs['hold'] {
  const view = viewOfSubject(evaluation, subject);
  if (!view) return undefined;
  const tag = view.channel.tags[holdTag];
  if (tag !== undefined) return { by: `the tag ${holdTag}`, reason: tag };
  const hold = readHold(evaluation.tx, view.arn, evaluation.nowMs);
  return { by: hold?.who, reason: hold?.reason ?? '' };
}

/**
 * Live channels that the rule is about to act on: those that are due or held back, and those more than half-way through `for`;
 * for a rule with a destructive action also those it has acted on in the last five minutes.
 */
function affectedChannels(evaluation: Evaluation, rule: Rule): number {
  evaluation.affected ??= countAffected(evaluation);
  return evaluation.affected.get(rule.name)?.size ?? 0;
}

function countAffected(evaluation: Evaluation): Map<string, Set<string>> {
  const { tx, nowMs } = evaluation;
  const affected = new Map<string, Set<string>>();
  const capped = new Map(
    Array.from(evaluation.index.byName.values())
      .filter(({ guards }) => guards.maxLivePercent !== undefined)
      .map((rule) => [rule.name, { rule, destructive: rule.actions.some((step) => step.destructive) }] as const),
  );
  const add = (rule: string, subject: string) => {
    if (tx.get(kinds.stream.of(subject))?.state !== 'live') return;
    const channels = affected.get(rule);
    if (channels) channels.add(subject);
    else affected.set(rule, new Set([subject]));
  };
  const destructive = [...capped.values()].filter((each) => each.destructive).map(({ rule }) => rule.name);
  const candidates = [openMemories(tx), ...destructive.map((rule) => memoriesOf(tx, 'acted', rule))];
  for (const [, memory] of candidates.flatMap((found) => [...found])) {
    const known = capped.get(memory.rule);
    if (!known || memory.conditionHash !== known.rule.conditionHash) continue;
    const { firing, pending } = memory;
    const counts =
      (firing && !firing.acted) ||
      (pending && countedMs(tx, known.rule, pending.cause.evidence.sinceMs) >= known.rule.forMs / 2) ||
      (known.destructive && memory.acted.length > 0 && nowMs - memory.touchedMs < blastWindowMs);
    if (counts) add(memory.rule, memory.subject);
  }
  for (const { rule, subject } of withheldMoments(tx)) if (capped.has(rule)) add(rule, subject);
  for (const { rule, subject } of evaluation.due.values()) if (capped.has(rule.name)) add(rule.name, subject);
  // A schedule handles its channels in steps, but concerns all of them from the start.
  const telling = new Set(
    Array.from(evaluation.due.values(), ({ rule }) => rule).filter(
      ({ trigger }) => trigger.kind === 'schedule' || (trigger.kind === 'times' && 'daily' in trigger),
    ),
  );
  for (const rule of telling) {
    if (!capped.has(rule.name)) continue;
    for (const [arn] of tx.entries(kinds.channel)) if (selects(rule, evaluation.channel(arn))) add(rule.name, arn);
  }
  return affected;
}
