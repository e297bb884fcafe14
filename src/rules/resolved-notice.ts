// `send_resolved` of a receiver: whoever was notified that a rule fired is notified that it is over, without anything in the rules file.
import type { ActionParams } from '#domain/action.ts';
import type { Rule, Ruleset, Step } from '#domain/rule.ts';

/** The first index of these steps, apart from those of `on_resolve`. */
const firstPlace = 1000;

/** Whether a step was made here. */
export function isAutomatic({ index }: Pick<Step, 'index'>): boolean {
  return index >= firstPlace;
}

/** The rule's notifications to receivers with `send_resolved`, as steps of its resolve; none if `on_resolve` notifies itself. */
export function resolvedNotices(ruleset: Ruleset, rule: Rule): readonly Step[] {
  if (rule.onResolve.some(({ action }) => action === 'notify')) return [];
  return rule.actions
    .filter((step) => step.action === 'notify' && step.afterMs === 0 && !step.approval && wantsResolved(ruleset, step))
    .map((step) => asResolved({ ...step, index: firstPlace + step.index, onlyIf: undefined }));
}

/** A notification of a beginning as that of its end. */
export function asResolved(step: Step): Step {
  return {
    ...step,
    render: (context) => {
      const rendered = step.render(context);
      if (!rendered.ok) return rendered;
      const params = rendered.params as ActionParams<'notify'>;
      return { ok: true, params: { ...params, text: `Resolved: ${params.text}`.slice(0, 4000) } };
    },
  };
}

/** Groups get every end: a message about alerts that still fire leaves it out. */
function wantsResolved({ receivers }: Ruleset, { params }: Step): boolean {
  const { receiver: name } = params as ActionParams<'notify'>;
  return (
    name === undefined ||
    receivers.some(
      (receiver) =>
        receiver.name === name &&
        (receiver.grouping !== undefined || receiver.integrations.some(({ sendResolved }) => sendResolved)),
    )
  );
}
