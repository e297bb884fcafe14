// The parts of a rule's condition that begin or end by the clock alone: the age of a stream, and the end of an ad break, which AWS does not
// report. The next such moment of all streams is noted; when it comes, the streams it concerns are evaluated again.
import type { Matcher, Rule, Ruleset } from '#domain/rule.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import { compilePattern } from './pattern.ts';

/** Fields of StreamDocument that change with time. */
export const clockedFields = ['ageSeconds', 'adBreak'] as const;

/** Moments at which a condition may come true or end. */
export interface Clocked {
  /** Ages of a stream, in seconds. */
  readonly ages: readonly number[];
  /** The end of an ad break. */
  readonly adBreak: boolean;
  /** Intervals from the start of a stream, ms. */
  readonly rounds?: readonly number[];
}

const nothing: Clocked = { ages: [], adBreak: false };

/** What part of a rule depends on the clock; undefined: nothing. */
export function clockedOf({ trigger, while: during }: Rule): Clocked | undefined {
  const clocked = joined([trigger.kind === 'state' ? ofMatcher(trigger.pattern) : nothing, ofMatcher(during)]);
  return clocked.adBreak || clocked.ages.length > 0 ? clocked : undefined;
}

/** All of them together. */
export function joined(parts: readonly Clocked[]): Clocked {
  const ages = [...new Set(parts.flatMap((part) => part.ages))].sort((a, b) => a - b);
  return { ages, adBreak: parts.some(({ adBreak }) => adBreak) };
}

function ofMatcher(matcher: Matcher | undefined): Clocked {
  return matcher ? joined(Object.entries(matcher.source).map(([name, value]) => ofField(name, value))) : nothing;
}

function ofField(name: string, value: unknown): Clocked {
  if (name === '$or')
    return joined(
      (value as Record<string, unknown>[]).flatMap((side) => Object.entries(side).map((e) => ofField(...e))),
    );
  if (name === 'adBreak') return { ages: [], adBreak: true };
  return name === 'ageSeconds' ? { ages: turningAges(value as readonly unknown[]), adBreak: false } : nothing;
}

/** The ages at which a stream begins or ceases to match these members. */
function turningAges(members: readonly unknown[]): number[] {
  const compiled = compilePattern({ age: members });
  if (!compiled.ok) return [];
  const named = Array.from(JSON.stringify(members).matchAll(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi), ([text]) =>
    Number(text),
  );
  const near = named.flatMap((age) => [Math.ceil(age), Math.floor(age) + 1]);
  return near.filter((age) => age > 0 && compiled.match({ age }) !== compiled.match({ age: age - 1 }));
}

/** The last of the rule's ages that the stream has reached, epoch ms; undefined: none yet. */
export function reachedAgeMs(record: StreamRecord, ages: readonly number[], nowMs: number): number | undefined {
  const { startedAtMs } = record;
  if (startedAtMs === undefined) return undefined;
  const age = ages.findLast((seconds) => startedAtMs + seconds * 1000 <= nowMs);
  return age === undefined ? undefined : startedAtMs + age * 1000;
}

/** The first moment after `afterMs` at which a live stream must be evaluated again. */
function nextTurnMs(
  { state, startedAtMs, adBreaks }: StreamRecord,
  { ages, adBreak, rounds = [] }: Clocked,
  afterMs: number,
): number {
  let nextMs = Number.POSITIVE_INFINITY;
  const consider = (ms: number) => {
    if (ms > afterMs && ms < nextMs) nextMs = ms;
  };
  if (state !== 'live') return nextMs;
  if (startedAtMs !== undefined) {
    for (const seconds of ages) consider(startedAtMs + seconds * 1000);
    for (const everyMs of rounds) consider(nextRoundMs(startedAtMs, everyMs, afterMs));
  }
  if (adBreak) for (const { endsAtMs } of adBreaks ?? []) consider(endsAtMs);
  return nextMs;
}

function nextRoundMs(startedAtMs: number, everyMs: number, afterMs: number): number {
  const round = Math.max(1, Math.floor((afterMs - startedAtMs) / everyMs) + 1);
  return startedAtMs + round * everyMs;
}

const clocks = new WeakMap<Ruleset, Clocked>();

/** Everything of a ruleset that depends on the clock. */
function clockOf(ruleset: Ruleset): Clocked {
  let clock = clocks.get(ruleset);
  if (!clock) {
    const inForce = ruleset.rules.filter(({ mode }) => mode !== 'off');
    const rounds = inForce.flatMap(({ trigger }) =>
      trigger.kind === 'times' && 'everyMs' in trigger ? trigger.everyMs : [],
    );
    const conditions = joined(inForce.flatMap((rule) => clockedOf(rule) ?? []));
    clocks.set(ruleset, (clock = { ...conditions, rounds: [...new Set(rounds)] }));
  }
  return clock;
}

/** A stream has changed: its next moment may come before all others. Moments before it was known are past. */
export function noteTurn(
  tx: Transaction,
  ruleset: Ruleset,
  { before, after }: { readonly before: StreamRecord | undefined; readonly after: StreamRecord },
): void {
  const clock = clockOf(ruleset);
  if (!isClocked(clock)) return;
  const dueMs = nextTurnMs(after, clock, tx.nowMs);
  if (dueMs === Number.POSITIVE_INFINITY) return;
  const known = tx.get(notes.turn);
  const isOverdue = known !== undefined && known.dueMs <= tx.nowMs;
  const isNew = before?.startedAtMs !== after.startedAtMs || before?.streamId !== after.streamId;
  if (known && dueMs >= known.dueMs && (isOverdue || !isNew)) return;
  tx.set(notes.turn, {
    dueMs: Math.min(dueMs, known?.dueMs ?? dueMs),
    lookedMs: isOverdue ? known.lookedMs : tx.nowMs,
  });
}

function isClocked({ ages, adBreak, rounds = [] }: Clocked): boolean {
  return adBreak || ages.length > 0 || rounds.length > 0;
}

/** The rules have changed: the moments that count now are computed at once. */
export function forgetTurns(tx: Transaction, ruleset: Ruleset): void {
  const known = tx.get(notes.turn);
  // A moment that was due already, and was not evaluated yet, is not lost.
  const lookedMs = known && known.dueMs <= tx.nowMs ? known.lookedMs : tx.nowMs;
  if (isClocked(clockOf(ruleset))) tx.set(notes.turn, { dueMs: tx.nowMs, lookedMs });
  else if (known) tx.delete(notes.turn);
}

/** The next moment of any stream, epoch ms. */
export function nextTurnDueMs(view: StateView): number | undefined {
  return view.get(notes.turn)?.dueMs;
}

/** The channels whose streams had a moment since the last evaluation, and when that was; notes when to evaluate again. */
export function takeTurns(
  tx: Transaction,
  ruleset: Ruleset,
): { readonly turned: readonly string[]; readonly lookedMs: number } {
  const known = tx.get(notes.turn);
  if (!known || known.dueMs > tx.nowMs) return { turned: [], lookedMs: tx.nowMs };
  const clock = clockOf(ruleset);
  const turned: string[] = [];
  let dueMs = Number.POSITIVE_INFINITY;
  for (const [arn, record] of tx.entries(kinds.stream)) {
    if (nextTurnMs(record, clock, known.lookedMs) <= tx.nowMs) turned.push(arn);
    dueMs = Math.min(dueMs, nextTurnMs(record, clock, tx.nowMs));
  }
  if (dueMs === Number.POSITIVE_INFINITY) tx.delete(notes.turn);
  else tx.set(notes.turn, { dueMs, lookedMs: tx.nowMs });
  return { turned, lookedMs: known.lookedMs };
}
