// `send_resolved` of a receiver: who was told that a rule fired is told that it is over, without a word in the rules file.
import type { ActionParams } from '#domain/action.ts';
import type { Rule, Ruleset, Step } from '#domain/rule.ts';

/** The rule's notifications to receivers with `send_resolved`, as steps of its resolve; none where `on_resolve` notifies itself. */
export function resolvedNotices(ruleset: Ruleset, rule: Rule): readonly Step[] {
  if (rule.onResolve.some(({ action }) => action === 'notify')) return [];
  return rule.actions
    .filter((step) => step.action === 'notify' && step.afterMs === 0 && wantsResolved(ruleset, step))
    .map((step) => ({
      ...step,
      // Apart from the places in `on_resolve`.
      index: 1000 + step.index,
      onlyIf: undefined,
      render: (context) => {
        const rendered = step.render(context);
        if (!rendered.ok) return rendered;
        const params = rendered.params as ActionParams<'notify'>;
        return { ok: true, params: { ...params, text: `Resolved: ${params.text}`.slice(0, 4000) } };
      },
    }));
}

function wantsResolved({ receivers }: Ruleset, { params }: Step): boolean {
  const name = (params as ActionParams<'notify'>).receiver;
  return receivers.some(
    (receiver) => receiver.name === name && receiver.webhooks.some(({ sendResolved }) => sendResolved),
  );
}
