// The trigger `key_age`: a channel's stream key reaches an age, by the clock; a new key ends it. The next such moment of all keys is noted;
// when it comes, the keys are evaluated again. Only a lower bound of an age is known, so that only "older than" can be asked.
import type { Rule } from '#domain/rule.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import type { KnownKey } from '#domain/stream-memory.ts';
import type { ChannelView } from './channel-view.ts';
import type { Evaluation } from './evaluation.ts';
import { heldCause, readMemory } from './memory.ts';
import { type RuleIndex, type RuleOf, selects } from './rule-index.ts';
import { begin, end } from './transitions.ts';

const dayMs = 86_400_000;
/** Keys that one transaction evaluates. */
const looksPerEvaluation = 2_000;

function ageDays({ sinceMs }: KnownKey, nowMs: number): number {
  return Math.max(0, nowMs - sinceMs) / dayMs;
}

/** Whether the channel's key, if known, is as old as the rule asks. */
export function keyAgeHolds(view: StateView, rule: Rule, arn: string, nowMs: number): boolean {
  const key = view.get(kinds.streamKey.of(arn));
  return (
    key !== undefined && rule.trigger.kind === 'key_age' && rule.trigger.pattern.match({ key_age: ageDays(key, nowMs) })
  );
}

/** Evaluates one channel's key: the rule begins, or ends. */
export function evaluateKeyAge(evaluation: Evaluation, rule: RuleOf<'key_age'>, view: ChannelView): void {
  const { tx, nowMs } = evaluation;
  const key = tx.get(kinds.streamKey.of(view.arn));
  const memory = readMemory(tx, rule.name, view.arn);
  const known = memory?.conditionHash === rule.conditionHash ? heldCause(memory) : undefined;
  const isOld = keyAgeHolds(tx, rule, view.arn, nowMs);
  const isSelected = selects(rule, view);
  const id = key && `key@${key.keyArn}`;
  if (known && (!isOld || !isSelected || known.id !== id))
    end(evaluation, rule, view.arn, { failed: isSelected ? 'trigger' : 'match', values: () => valuesOf(key, nowMs) });
  if (!key || !isOld || !isSelected || known?.id === id) return;
  const reached = rule.trigger.days.findLast((days) => days <= ageDays(key, nowMs)) ?? 0;
  const values = valuesOf(key, nowMs);
  begin(evaluation, rule, view.arn, {
    id: id!,
    evidence: {
      kind: 'key_age',
      sinceMs: key.sinceMs + reached * dayMs,
      text: `the stream key is ${key.made ? '' : 'at least '}${Math.floor(ageDays(key, nowMs))} days old`,
      values,
    },
  });
}

function valuesOf(key: KnownKey | undefined, nowMs: number): Readonly<Record<string, string | number | boolean>> {
  if (!key) return { key: 'none is known' };
  return { keyAgeDays: Math.floor(ageDays(key, nowMs)), exact: key.made, keyArn: key.keyArn };
}

/** Keys were found, changed or are gone. */
export function noticeKeys(evaluation: Evaluation, channelArns: readonly string[]): void {
  const { tx, index } = evaluation;
  if (index.keyAge.length === 0) return;
  for (const arn of channelArns) {
    const view = evaluation.channel(arn);
    for (const rule of index.keyAge) evaluateKeyAge(evaluation, rule, view);
    const key = tx.get(kinds.streamKey.of(arn));
    const dueMs = key && nextMs(index, key, tx.nowMs);
    const known = tx.get(notes.keyAge);
    if (dueMs !== undefined && dueMs < (known?.dueMs ?? Number.POSITIVE_INFINITY))
      tx.set(notes.keyAge, { ...known, dueMs });
  }
}

/** Evaluates all keys when one reaches an age that a rule names. Returns whether some are left for the next transaction. */
export function takeKeyAges(evaluation: Evaluation): boolean {
  const { tx, index } = evaluation;
  const due = tx.get(notes.keyAge);
  if (!due || due.dueMs > tx.nowMs) return false;
  const arns = Array.from(tx.entries(kinds.streamKey), ([arn]) => arn).toSorted();
  const left = arns.filter((arn) => arn > (due.after ?? ''));
  const looked = left.slice(0, looksPerEvaluation);
  let dueMs = due.after === undefined ? undefined : due.nextMs;
  for (const arn of looked) {
    const view = evaluation.channel(arn);
    for (const rule of index.keyAge) evaluateKeyAge(evaluation, rule, view);
    const own = nextMs(index, tx.get(kinds.streamKey.of(arn))!, tx.nowMs);
    if (own !== undefined) dueMs = Math.min(own, dueMs ?? own);
  }
  const more = left.length > looked.length;
  if (more)
    tx.set(notes.keyAge, { dueMs: tx.nowMs, after: looked.at(-1)!, ...(dueMs === undefined ? {} : { nextMs: dueMs }) });
  else if (dueMs === undefined) tx.delete(notes.keyAge);
  else tx.set(notes.keyAge, { dueMs });
  return more;
}

/** When the next key reaches an age, epoch ms. */
export function nextKeyAgeMs(view: StateView): number | undefined {
  return view.get(notes.keyAge)?.dueMs;
}

/** The rules have changed: all keys are evaluated. */
export function forgetKeyAges(tx: Transaction, { keyAge }: RuleIndex): void {
  if (keyAge.length > 0) tx.set(notes.keyAge, { dueMs: tx.nowMs });
  else if (tx.get(notes.keyAge)) tx.delete(notes.keyAge);
}

/** The first moment from now on at which the key reaches an age that a rule names. */
function nextMs({ keyAge }: RuleIndex, { sinceMs }: KnownKey, nowMs: number): number | undefined {
  // `>` becomes true a moment after `>=`.
  const moments = keyAge.flatMap(({ trigger }) =>
    trigger.days.flatMap((days) => [0, 1].map((ms) => sinceMs + days * dayMs + ms)),
  );
  const ahead = moments.filter((ms) => ms > nowMs);
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}
