// What rules have planned for channels, as of now: what runs at its time, and what is held back, by what, and what happens afterwards. Uses
// the same predicates as the decision itself, so that nothing counts down that will not happen.
import type { DecisionReason } from '#domain/decision.ts';
import type { Ruleset, Step } from '#domain/rule.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { Evaluation } from './evaluation.ts';
import { type Held, heldBack } from './held-back.ts';
import { channelOfSubject } from './memory.ts';
import { readOnly } from './read-only.ts';
import { dueTimes, timers } from './timers.ts';

/** Why a planned action does not run at its time, and what becomes of it. */
export interface WithheldAction extends Held {
  /** What happens to it when that is over. */
  readonly afterwards: string;
}

export interface PlannedAction {
  /** The timer's name, used to cancel it. */
  readonly timerId: string;
  readonly rule: string;
  readonly channelArn: string;
  /** Actions that run then; if it is held back, the held-back ones. */
  readonly actions: readonly string[];
  readonly destructive: boolean;
  /** Epoch ms; undefined while it is held back. */
  readonly dueMs?: number | undefined;
  readonly withheld?: WithheldAction | undefined;
}

/** Everything that rules in force have planned for single channels. */
export function* plannedActions(view: StateView, ruleset: Ruleset, nowMs: number): Iterable<PlannedAction> {
  if (view.count(kinds.timer) === 0) return;
  const evaluation = new Evaluation(readOnly(view, nowMs), ruleset, {});
  const dueMsOf = dueTimes(view, nowMs);
  for (const [timerId, timer] of timers(view)) {
    const channelArn = channelOfSubject(timer.subject);
    const rule = evaluation.index.byName.get(timer.rule);
    if (channelArn === undefined || !rule || timer.kind === 'end' || rule.mode !== 'enforce') continue;
    const dueMs = dueMsOf(timer);
    const { whole, steps } = heldBack(evaluation, rule, timer);
    const base = {
      timerId,
      rule: rule.name,
      channelArn,
      destructive: steps.some(({ step }) => step.destructive),
    };
    const free = whole ? [] : steps.filter(({ withheld }) => !withheld);
    const held = whole ?? steps.find(({ withheld }) => withheld)?.withheld;
    if (free.length > 0 || (steps.length === 0 && !whole)) yield { ...base, actions: namesOf(free), dueMs };
    if (!held) continue;
    const actions = namesOf(whole ? steps : steps.filter(({ withheld }) => withheld));
    yield {
      ...base,
      actions,
      withheld: { ...held, afterwards: afterwardsOf(held.reason, dueMs <= nowMs || timer.blocked !== undefined) },
    };
  }
}

function namesOf(steps: readonly { readonly step: Step }[]): string[] {
  return steps.map(({ step }) => step.action);
}

const over: Readonly<Partial<Record<DecisionReason, string>>> = {
  inhibited: 'When the inhibition ends',
  silenced: 'When the silence ends',
  paused: 'When automation is resumed',
  held: 'When the hold is released',
  rule_stopped: 'When the rule is started again',
  data_gap: 'When data is back',
};

function afterwardsOf(reason: DecisionReason, isDue: boolean): string {
  if (reason === 'recovering') return 'It acts if the condition returns; otherwise it is dropped.';
  const when = over[reason] ?? 'When that is over';
  if (reason === 'data_gap') return `${when}, its timer continues.`;
  return isDue
    ? `${when}, it is judged again: it acts at once if the condition still holds; otherwise it is dropped.`
    : `${when}, it continues: it acts when due if the condition still holds; otherwise it is dropped.`;
}
