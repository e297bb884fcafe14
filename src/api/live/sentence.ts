// A rule in one plain sentence, for an operator who is woken by it: what triggers it, what it does, and what limits it.
import type { Pattern } from '#domain/action.ts';
import { formatDuration } from '#domain/duration.ts';
import type { Rule, Step, Trigger } from '#domain/rule.ts';

/** `When health is STARVING for 30s and tags.tier is gold or silver: put metadata, then after 3m stop stream. …` */
export function ruleSentence(rule: Rule): string {
  const { trigger, match, while: during, forMs, actions, onResolve, guards, oncePer } = rule;
  const conditions = [
    triggerText(trigger) + (forMs > 0 && !during ? ` for ${formatDuration(forMs)}` : ''),
    ...(during
      ? [`${patternText(during.source)} ${forMs > 0 ? `for ${formatDuration(forMs)} from then on` : 'meanwhile'}`]
      : []),
    ...(trigger.kind === 'aggregate' && trigger.minLive > 1 ? [`at least ${trigger.minLive} channels are live`] : []),
    ...(match ? [patternText(match.source)] : []),
  ];
  const bounds = [
    ...(guards.cooldownMs > 0
      ? [`fires again no sooner than ${formatDuration(guards.cooldownMs)} later${sameText(rule)}`]
      : []),
    ...(guards.minGapMs === undefined
      ? []
      : [`no ad break within ${formatDuration(guards.minGapMs)} of the end of the channel’s last one`]),
    ...(guards.maxPerHour === undefined ? [] : [`at most ${guards.maxPerHour} an hour in all`]),
    ...(guards.maxLivePercent === undefined || guards.maxLivePercent >= 100
      ? []
      : [`never on more than ${guards.maxLivePercent} % of the live channels`]),
    ...(oncePer === undefined ? [] : ['once in a session']),
  ];
  return [
    `When ${conditions.join(', and ')}: ${stepsText(actions)}.`,
    ...(onResolve.length > 0 ? [`When it ${overText(rule)}: ${stepsText(onResolve)}.`] : []),
    ...(bounds.length > 0 ? [`${bounds[0]![0]!.toUpperCase()}${bounds.join(', ').slice(1)}.`] : []),
  ].join(' ');
}

/** What shares one cooldown: a channel, unless the rule says otherwise; a rule about all channels has one cooldown. */
function sameText({
  trigger,
  guards: { groupBy = [] },
  match,
}: Pick<Rule, 'trigger' | 'match'> & { readonly guards: Partial<Rule['guards']> }): string {
  if (trigger.kind === 'aggregate' || (trigger.kind === 'times' && 'daily' in trigger)) return '';
  if (trigger.kind === 'schedule' && match === undefined) return '';
  const named = groupBy.map((part) =>
    part.kind === 'channel' ? 'channel' : part.kind === 'tag' ? `tag ${part.tag}` : fieldText(part.path.at(-1) ?? ''),
  );
  if (named.length === 0) return '';
  return ` ${named[0] === 'channel' ? 'on' : 'for'} the same ${named.join(' and ')}`;
}

function overText({ keepFiringForMs }: Pick<Rule, 'keepFiringForMs'>): string {
  return keepFiringForMs > 0 ? `has been over for ${formatDuration(keepFiringForMs)}` : 'is over';
}

function triggerText(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'event':
      return eventText(trigger.pattern.source);
    case 'state':
      return patternText(trigger.pattern.source);
    case 'aggregate':
      return `the live channels whose ${patternText(trigger.pattern.source)} are ${shareText(trigger.condition.source)}`;
    case 'threshold':
      return `${fieldText(trigger.field)} ${trigger.direction === 'rises_to' ? 'rise to' : 'fall to'} ${trigger.values.map((value) => value.toLocaleString('en')).join(' or ')}`;
    case 'schedule':
      return `it is ${trigger.intervals.map(({ name }) => name).join(' or ')}`;
    case 'times':
      return 'everyMs' in trigger
        ? `a stream has been live for ${formatDuration(trigger.everyMs)}, and every ${formatDuration(trigger.everyMs)} from then on`
        : `it is ${trigger.daily.minutes.map(timeOfDay).join(' or ')} in ${trigger.daily.zone}`;
    case 'key_age':
      return `the stream key is older than ${trigger.days.join(' or ')} days`;
    case 'http':
      return `a request named ${trigger.name} comes`;
  }
}

function timeOfDay(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');
}

/** `the event Stream End comes`: fields that every IVS event has are left out. */
function eventText({ source, 'detail-type': detailType, detail, ...rest }: Pattern): string {
  const { event_name: name, ...more } = (detail ?? {}) as Pattern;
  const ofIvs = Array.isArray(source) && source.length === 1 && source[0] === 'aws.ivs';
  const named = Array.isArray(name) ? name : Array.isArray(detailType) ? detailType : [];
  const plain = named.length > 0 && named.every((part) => typeof part === 'string');
  const others: Pattern = {
    ...rest,
    ...(ofIvs || source === undefined ? {} : { source }),
    ...(plain || detailType === undefined ? {} : { 'detail-type': detailType }),
    ...more,
    ...(plain || name === undefined ? {} : { event_name: name }),
  };
  const whose = Object.keys(others).length > 0 ? ` whose ${patternText(others)}` : '';
  return `${plain ? `the event ${named.join(' or ')}` : 'an event'}${whose} comes`;
}

/** `at least 30 % of what is live and count above 4`. */
function shareText({ percent_of_live: percent, ...rest }: Pattern): string {
  const share = Array.isArray(percent) ? [`${valuesText(percent)} % of the live channels`] : [];
  return [...share, ...(Object.keys(rest).length > 0 ? [patternText(rest)] : [])].join(', and ');
}

/** Fields in everyday words. */
const fieldNames: Readonly<Record<string, string>> = {
  viewerCount: 'viewers',
  min_live: 'live channels',
};

function fieldText(field: string): string {
  return fieldNames[field] ?? field.replace(/^tags\./, 'tag ').replaceAll('_', ' ');
}

function stepsText(steps: readonly Step[]): string {
  return steps
    .map(({ action, afterMs, onlyIf, approval }) => {
      const condition = onlyIf ? ` if ${patternText(onlyIf.source)}` : '';
      const approved = approval === undefined ? '' : ` once ${approversText(approval.count)} it`;
      return `${afterMs > 0 ? `after ${formatDuration(afterMs)} ` : ''}${action.replaceAll('_', ' ')}${condition}${approved}`;
    })
    .join(', ');
}

function approversText(people: number): string {
  return people === 1 ? 'somebody approves' : `${people} people approve`;
}

/** `health is STARVING and viewerCount < 50`. */
function patternText(pattern: Pattern, prefix = ''): string {
  return Object.entries(pattern)
    .map(([field, value]) => {
      if (field === '$or' && Array.isArray(value))
        return `(${value.map((part) => patternText(part as Pattern, prefix)).join(', or ')})`;
      if (Array.isArray(value)) return `${fieldText(prefix + field)} ${valuesText(value)}`;
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
  if (operator === 'numeric' && Array.isArray(value)) return numericText(value);
  if (operator === 'exists') return value === true ? 'is there' : 'is not there';
  if (operator === 'anything-but') return exceptText(value);
  if (operator === 'prefix') return `begins with ${JSON.stringify(value)}`;
  if (operator === 'suffix') return `ends with ${JSON.stringify(value)}`;
  if (operator === 'equals-ignore-case') return `is ${JSON.stringify(value)} ignoring case`;
  if (operator === 'wildcard') return `is like ${JSON.stringify(value)}`;
  return `${operator} ${JSON.stringify(value)}`;
}

/** `is not a or b`, `is not what begins with "test-"`. */
function exceptText(value: unknown): string {
  if (Array.isArray(value)) return `is not ${value.map(plainText).join(' or ')}`;
  if (typeof value !== 'object' || value === null) return `is not ${plainText(value)}`;
  return `is not what ${Object.entries(value)
    .flatMap(([operator, operand]) => [operand].flat().map((each) => matcherText(operator, each)))
    .join(' or ')}`;
}

const comparisons: Readonly<Record<string, string>> = {
  '>=': 'at least',
  '>': 'above',
  '<=': 'at most',
  '<': 'below',
  '=': 'exactly',
};

/** `at least 30`, `above 0 and at most 5`. */
function numericText(parts: readonly unknown[]): string {
  const texts: string[] = [];
  for (let index = 0; index < parts.length; index += 2)
    texts.push(`${comparisons[String(parts[index])] ?? String(parts[index])} ${String(parts[index + 1])}`);
  return texts.join(' and ');
}

function plainText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
