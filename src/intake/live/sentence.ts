// A rule in one plain sentence, for whoever is woken by it: what sets it off, what it does, and what bounds it.
import type { Pattern } from '#domain/action.ts';
import { formatDuration } from '#domain/duration.ts';
import type { Rule, Step, Trigger } from '#domain/rule.ts';

/** `When health is STARVING for 30s and tags.tier is gold or silver: put metadata, then after 3m stop stream. …` */
export function ruleSentence(rule: Rule): string {
  const { trigger, match, while: during, forMs, actions, onResolve, guards, oncePer } = rule;
  const conditions = [
    triggerText(trigger) + (forMs > 0 ? ` for ${formatDuration(forMs)}` : ''),
    ...(during ? [`as long as ${patternText(during.source)}`] : []),
    ...(match ? [patternText(match.source)] : []),
  ];
  const bounds = [
    ...(guards.cooldownMs > 0 ? [`again after ${formatDuration(guards.cooldownMs)} at the earliest`] : []),
    ...(guards.maxPerHour === undefined ? [] : [`at most ${guards.maxPerHour} an hour`]),
    ...(guards.maxLivePercent === undefined ? [] : [`never on more than ${guards.maxLivePercent} % of what is live`]),
    ...(oncePer === undefined ? [] : ['once in a session']),
  ];
  return [
    `When ${conditions.join(', and ')}: ${stepsText(actions)}.`,
    ...(onResolve.length > 0 ? [`When it is over: ${stepsText(onResolve)}.`] : []),
    ...(bounds.length > 0 ? [`${bounds[0]![0]!.toUpperCase()}${bounds.join(', ').slice(1)}.`] : []),
  ].join(' ');
}

function triggerText(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'event':
      return `an event comes whose ${patternText(trigger.pattern.source)}`;
    case 'state':
      return patternText(trigger.pattern.source);
    case 'aggregate':
      return `among the live channels with ${patternText(trigger.pattern.source)}, ${patternText(trigger.condition.source)}`;
    case 'threshold':
      return `${trigger.field} ${trigger.direction === 'rises_to' ? 'rises to' : 'falls to'} ${trigger.values.join(' or ')}`;
    case 'schedule':
      return `it is ${trigger.intervals.map(({ name }) => name).join(' or ')}`;
    case 'http':
      return `a request named ${trigger.name} comes`;
  }
}

function stepsText(steps: readonly Step[]): string {
  return steps
    .map(({ action, afterMs, onlyIf }) => {
      const condition = onlyIf ? ` if ${patternText(onlyIf.source)}` : '';
      return `${afterMs > 0 ? `after ${formatDuration(afterMs)} ` : ''}${action.replaceAll('_', ' ')}${condition}`;
    })
    .join(', ');
}

/** `health is STARVING and viewerCount < 50`. */
function patternText(pattern: Pattern, prefix = ''): string {
  return Object.entries(pattern)
    .map(([field, value]) => {
      if (field === '$or' && Array.isArray(value))
        return `(${value.map((part) => patternText(part as Pattern, prefix)).join(', or ')})`;
      if (Array.isArray(value)) return `${prefix}${field} ${valuesText(value)}`;
      return patternText(value as Pattern, `${prefix}${field}.`);
    })
    .join(' and ');
}

function valuesText(values: readonly unknown[]): string {
  const plain = values.filter((value) => value === null || typeof value !== 'object').map(plainText);
  const matchers = values
    .filter((value) => value !== null && typeof value === 'object')
    .flatMap((value) => Object.entries(value))
    .map(([operator, value]) => matcherText(operator, value));
  return [...(plain.length > 0 ? [`is ${plain.join(' or ')}`] : []), ...matchers].join(' or ');
}

function matcherText(operator: string, value: unknown): string {
  if (operator === 'numeric' && Array.isArray(value)) return value.join(' ');
  if (operator === 'exists') return value === true ? 'is there' : 'is not there';
  if (operator === 'anything-but') return `is not ${plainText(value)}`;
  if (operator === 'prefix') return `begins with ${JSON.stringify(value)}`;
  if (operator === 'suffix') return `ends with ${JSON.stringify(value)}`;
  return `${operator} ${JSON.stringify(value)}`;
}

function plainText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
