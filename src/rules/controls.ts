// What an operator can do to all automation: hold a channel, silence decisions, pause and resume, restart a stopped rule. Each is one
// transaction with an audit entry; what was held back is judged again at once.

import type { Activation, By, Control, Hold, Pause, Silence } from '#domain/control.ts';
import { holdsInForce, readPause } from '#domain/controls-in-force.ts';
import { AppError } from '#domain/errors.ts';
import type { Timer } from '#domain/rule-memory.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds, notes, pauseKeys, pauses } from '#domain/state-registry.ts';
import { audit } from '#journal/audit.ts';
import { hashOf } from './hash-of.ts';
import { resetRule } from './incidents.ts';
import { channelOfSubject, placeControl, readMemory, removeControl, withActed, writeMemory } from './memory.ts';
import { stepsOf } from './muting.ts';
import { endStateLossAlert } from './state-loss.ts';
import { judgeBlockedSoon } from './timers.ts';

/** How many controls there may be: `controls` in the configuration. */
export interface ControlLimits {
  readonly max_silences: number;
  readonly max_regex_steps: number;
  readonly max_holds: number;
  readonly max_bulk_actions: number;
}

/** Far more than operators can keep track of, and few enough to compare every action with. */
export const defaultControlLimits: ControlLimits = {
  max_silences: 500,
  max_regex_steps: 5_000,
  max_holds: 20_000,
  max_bulk_actions: 50,
};

/** Why one more hold is not possible, if so; a hold that replaces another does not add one. */
export function noRoomForHold(
  view: StateView,
  nowMs: number,
  channelArn: string,
  limits: ControlLimits,
): AppError | undefined {
  let count = 0;
  for (const [arn] of holdsInForce(view, nowMs)) if (arn !== channelArn) count += 1;
  if (count < limits.max_holds) return undefined;
  return new AppError('TOO_MANY_HOLDS', `${count} channels are on hold, the maximum of controls.max_holds`, {
    details: { setting: 'controls.max_holds' },
  });
}

/**
 * Why one more silence is not possible, if so: there are too many, or together they cost too much. The one that it `replaces`
 * does not count.
 */
export function noRoomForSilence(
  view: StateView,
  nowMs: number,
  made: Silence,
  limits: ControlLimits,
  replaces?: string,
): AppError | undefined {
  const known = Array.from(view.entries(kinds.silence)).flatMap(([id, each]) =>
    id !== replaces && each.endsMs > nowMs ? [each] : [],
  );
  if (known.length >= limits.max_silences)
    return new AppError(
      'TOO_MANY_SILENCES',
      `there are ${known.length} silences, the maximum of controls.max_silences`,
      { details: { setting: 'controls.max_silences' } },
    );
  const steps = stepsOf(made);
  const before = known.reduce((sum, each) => sum + stepsOf(each), 0);
  if (steps === 0 || before + steps <= limits.max_regex_steps) return undefined;
  return new AppError(
    'TOO_MANY_SILENCES',
    `the regular expressions of this silence take ${steps} steps, and those of all others ${before}; controls.max_regex_steps allows ${limits.max_regex_steps} in total`,
    { details: { setting: 'controls.max_regex_steps' } },
  );
}

/** Makes automation leave a channel alone until `untilMs` or the release. */
export function hold(
  tx: Transaction,
  { channelArn, who, reason, untilMs }: By & { channelArn: string; untilMs?: number | undefined },
): Hold {
  const placed: Hold = { who, reason, sinceMs: tx.nowMs, ...(untilMs === undefined ? {} : { untilMs }) };
  placeControl(tx, kinds.hold.of(channelArn), placed);
  audit(tx, { who, what: 'hold', outcome: 'done', why: reason, channelArn });
  return placed;
}

/** Releases a hold. Returns whether there was one. */
export function release(tx: Transaction, { channelArn, who, reason }: By & { channelArn: string }): boolean {
  if (!removeControl(tx, kinds.hold.of(channelArn))) return false;
  audit(tx, { who, what: 'release_hold', outcome: 'done', why: reason, channelArn });
  judgeBlockedSoon(tx);
  return true;
}

/** Holds back everything that every matcher matches. The matchers have been checked. */
export function silence(
  tx: Transaction,
  {
    matchers,
    who,
    reason,
    startsMs = tx.nowMs,
    endsMs,
  }: By & { matchers: readonly string[]; startsMs?: number; endsMs: number },
): { readonly id: string; readonly silence: Silence } {
  const id = silenceIdOf({ kind: 'silence', matchers, who, reason, startsMs, endsMs });
  const made: Silence = { matchers, author: who, reason, startsMs, endsMs };
  placeControl(tx, kinds.silence.of(id), made);
  audit(tx, { who, what: 'silence', outcome: 'done', why: reason, params: { id, matchers, endsMs } });
  return { id, silence: made };
}

/** Ends a silence now. Returns whether there was one. */
export function expireSilence(tx: Transaction, { id, who, reason }: By & { id: string }): boolean {
  if (!removeControl(tx, kinds.silence.of(id))) return false;
  audit(tx, { who, what: 'expire_silence', outcome: 'done', why: reason, params: { id } });
  judgeBlockedSoon(tx);
  return true;
}

/** Nothing acts until the resume. A second pause keeps the start of the first. */
export function pause(tx: Transaction, { who, reason }: By): Pause {
  const known = tx.get(pauses.asked);
  if (known) return known;
  const paused: Pause = { who, reason, sinceMs: tx.nowMs };
  placeControl(tx, pauses.asked, paused);
  audit(tx, { who, what: 'pause', outcome: 'done', why: reason });
  return paused;
}

/** Ends the pause, whoever began it. Returns whether there was one. */
export function resume(tx: Transaction, { who, reason }: By): boolean {
  const ended = pauseKeys.filter((key) => removeControl(tx, key));
  if (ended.length === 0) return false;
  endStateLossAlert(tx, { resumed: true });
  audit(tx, { who, what: 'resume', outcome: 'done', why: reason });
  judgeBlockedSoon(tx);
  return true;
}

/** Activates a standby. A second activation keeps the time of the first. */
export function activate(tx: Transaction, { who, reason }: By): Activation {
  const known = tx.get(notes.activation);
  if (known) return known;
  const activation: Activation = { who, reason, sinceMs: tx.nowMs };
  placeControl(tx, notes.activation, activation);
  audit(tx, { who, what: 'activate', outcome: 'done', why: reason });
  return activation;
}

/** Restarts a rule that `max_live_percent` has stopped. Returns whether it was stopped. */
export function restartRule(tx: Transaction, { rule, who, reason }: By & { rule: string }): boolean {
  const stopped = resetRule(tx, rule);
  if (!stopped) return false;
  audit(tx, { who, what: 'reset_rule', outcome: 'done', why: reason, params: { rule } });
  judgeBlockedSoon(tx);
  return true;
}

/** Cancels what a rule has planned: it no longer acts for this cause. Returns the timer, if there was one. */
export function cancelTimer(tx: Transaction, { id, who, reason }: By & { id: string }): Timer | undefined {
  const key = kinds.timer.of(id);
  const timer = tx.get(key);
  // The end of a firing is not a planned action.
  if (!timer || timer.kind === 'end') return undefined;
  tx.delete(key);
  const { rule, subject } = timer;
  const memory = readMemory(tx, rule, subject);
  const cause = memory?.pending?.cause ?? memory?.firing?.cause;
  if (timer.kind === 'for' && memory && cause) {
    const { pending: _cancelled, ...rest } = memory;
    writeMemory(tx, { ...rest, acted: withActed(memory, cause.id) });
  }
  const channelArn = channelOfSubject(subject);
  const params = { rule, subject, kind: timer.kind };
  audit(tx, { who, what: 'cancel_timer', outcome: 'done', why: reason, params, ...(channelArn ? { channelArn } : {}) });
  return timer;
}

/** Applies a recorded operator action. */
export function applyControl(tx: Transaction, control: Control): void {
  switch (control.kind) {
    case 'hold':
      hold(tx, control);
      return;
    case 'release':
      release(tx, control);
      return;
    case 'silence':
      silence(tx, control);
      return;
    case 'expire_silence':
      expireSilence(tx, control);
      return;
    case 'pause':
      pause(tx, control);
      return;
    case 'resume':
      resume(tx, control);
      return;
    case 'restart_rule':
      restartRule(tx, control);
      return;
    case 'cancel_timer':
      cancelTimer(tx, control);
      return;
    case 'approve':
    case 'reject':
      throw new RangeError('an answer to an approval is judged by the rules: decideAnswer');
  }
}

/** The holds, silences and pause in force, in the form of requests. */
export function controlsInForce(view: StateView, nowMs: number): Control[] {
  const controls: Control[] = [];
  for (const [channelArn, { who, reason, untilMs }] of holdsInForce(view, nowMs))
    controls.push({ kind: 'hold', channelArn, who, reason, ...(untilMs === undefined ? {} : { untilMs }) });
  for (const [, { author: who, ...rest }] of view.entries(kinds.silence))
    if (rest.endsMs > nowMs) controls.push({ kind: 'silence', who, ...rest });
  const paused = readPause(view);
  if (paused) controls.push({ kind: 'pause', who: paused.who, reason: paused.reason });
  return controls;
}

/** Puts exactly these in force: everything else ends. */
export function takeOverControls(tx: Transaction, controls: readonly Control[]): void {
  const wanted = new Set(controls.map(keyOf));
  const by = { who: 'recording', reason: 'not in force any more' };
  for (const known of controlsInForce(tx, tx.nowMs)) {
    if (wanted.has(keyOf(known))) continue;
    if (known.kind === 'hold') release(tx, { ...by, channelArn: known.channelArn });
    else if (known.kind === 'silence') expireSilence(tx, { ...by, id: silenceIdOf(known) });
    else resume(tx, by);
  }
  for (const control of controls) applyControl(tx, control);
}

function keyOf(control: Control): string {
  if (control.kind === 'silence') return silenceIdOf(control);
  return control.kind === 'hold' ? `hold ${control.channelArn}` : control.kind;
}

/** The id of a silence follows from what it says. */
export function silenceIdOf({ matchers, who, startsMs, endsMs }: Control & { kind: 'silence' }): string {
  return `s-${hashOf('silence', ...matchers, who, startsMs, endsMs)}`;
}
