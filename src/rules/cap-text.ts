// What a person reads when a cap stops a rule: which channels it counted, and which it did not.
import type { GuardVerdict } from '#domain/decision.ts';
import type { Rule } from '#domain/rule.ts';
import { kinds } from '#domain/state-registry.ts';
import type { Evaluation } from './evaluation.ts';
import { hasActed, memoriesOf, readMemory } from './memory.ts';

/** At most this many channels of a list are named. */
const mostNamed = 10;

/**
 * Says why `max_live_percent` stops the rule. Must be called in the evaluation that counted its channels.
 * @param values of the guard's verdict
 */
export function capText(evaluation: Evaluation, rule: Rule, { values }: Pick<GuardVerdict, 'values'>): string {
  const { tx, affected, due } = evaluation;
  const counted = affected?.get(rule.name) ?? new Set<string>();
  const dueNow = new Set(Array.from(due.values()).flatMap((each) => (each.rule === rule ? [each.subject] : [])));
  // Counted only for a rule with an action that cannot be undone, for five minutes.
  const isOfEarlier = (subject: string) => {
    const memory = readMemory(tx, rule.name, subject);
    if (!memory || memory.pending || dueNow.has(subject)) return false;
    return memory.firing ? hasActed(memory) : memory.acted.length > 0;
  };
  const { next = [], earlier = [] } = Object.groupBy(counted, (subject) => (isOfEarlier(subject) ? 'earlier' : 'next'));
  const uncounted = Array.from(memoriesOf(tx, 'firing', rule.name)).flatMap(([, memory]) =>
    hasActed(memory) && !counted.has(memory.subject) && tx.get(kinds.stream.of(memory.subject))?.state === 'live'
      ? [memory.subject]
      : [],
  );
  const enforces = rule.mode === 'enforce';
  const listed = (subjects: readonly string[]) => listText(evaluation, subjects);
  const sentences = [
    enforces
      ? `Rule ${rule.name} is stopped: it was about to act on ${next.length} of ${values['live']} live channels${listed(next)}.`
      : `Rule ${rule.name} is in dry run and would be stopped: it would have acted on ${next.length} of ${values['live']} live channels${listed(next)}.`,
    ...(earlier.length === 0
      ? []
      : [
          `${enforces ? 'It has acted' : 'It would have acted'} on ${earlier.length} more in the last 5 minutes${listed(earlier)}: ${values['affected']} together.`,
        ]),
    `max_live_percent ${values['percent']} allows ${values['allowed']} at once.`,
    ...(uncounted.length === 0
      ? []
      : [
          `${enforces ? 'It had acted' : 'It would have acted'} on ${uncounted.length} before${listed(uncounted)}; ${uncounted.length === 1 ? 'that one does' : 'those do'} not count.`,
        ]),
    `It stays stopped until it is changed or somebody runs \`ivs-autopilot rule reset ${rule.name}\`.`,
  ];
  return sentences.join(' ');
}

/** ` (studio-a, studio-b and 4 more)`; empty for no channels. */
function listText(evaluation: Evaluation, subjects: readonly string[]): string {
  if (subjects.length === 0) return '';
  const names = subjects.slice(0, mostNamed).map((subject) => {
    const { channel } = evaluation.channel(subject);
    return channel.name || channel.id;
  });
  const more = subjects.length - names.length;
  return ` (${names.join(', ')}${more > 0 ? ` and ${more} more` : ''})`;
}
