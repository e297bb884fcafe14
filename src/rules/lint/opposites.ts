// Two rules that undo each other on one channel: one sets what the other sets differently, on channels and in conditions that both can meet
// at once.
import type { Matcher, Rule, Step } from '#domain/rule.ts';
import type { LintFinding } from './finding.ts';
import { eventsMatching } from './ivs-events.ts';
import { isReachable } from './reach.ts';

/** One property of a channel that an action sets, and its value. */
interface Setting {
  readonly thing: string;
  readonly value: string;
  /** The tag, if it is one. */
  readonly tag?: string;
  readonly step: Step;
}

/** Pairs of rules that undo each other. */
export function lintOpposites(rules: readonly Rule[]): LintFinding[] {
  const settings = rules.map((rule) => (rule.mode === 'off' ? [] : rule.actions.flatMap(settingsOf)));
  const byThing = new Map<string, number[]>();
  for (const [index, ofRule] of settings.entries())
    for (const thing of new Set(ofRule.map((setting) => setting.thing)))
      byThing.set(thing, [...(byThing.get(thing) ?? []), index]);
  const findings: LintFinding[] = [];
  for (const [thing, indexes] of byThing) {
    for (const [place, second] of indexes.entries()) {
      for (const first of indexes.slice(0, place)) {
        const found = oppositeOf(
          { rule: rules[first]!, settings: settings[first]!.filter((setting) => setting.thing === thing) },
          { rule: rules[second]!, settings: settings[second]!.filter((setting) => setting.thing === thing) },
        );
        if (!found) continue;
        findings.push({
          path: ['rules', second, 'actions', found.step.index, found.step.action],
          message: `the rule ${rules[first]!.name} sets ${thing} differently (${found.other}, here ${found.value}) on channels that both select: they undo each other`,
          severity: found.atOnce ? 'error' : 'warning',
        });
      }
    }
  }
  return findings;
}

function settingsOf(step: Step): Setting[] {
  const { action, params } = step;
  if (action === 'set_recording' && 'configuration' in params)
    return [{ thing: 'the recording', value: params.configuration, step }];
  if (action === 'set_ad_configuration' && 'configuration' in params)
    return [{ thing: 'the ad configuration', value: params.configuration, step }];
  if (action === 'set_playback_restriction' && 'policy' in params)
    return [{ thing: 'the playback restriction', value: params.policy, step }];
  if (action === 'tag' && ('set' in params || 'remove' in params)) {
    const { set = {}, remove = [] } = params as { set?: Record<string, string>; remove?: readonly string[] };
    return [
      ...Object.entries(set).map(([tag, value]) => ({ thing: `the tag ${tag}`, value, tag, step })),
      ...remove.map((tag) => ({ thing: `the tag ${tag}`, value: 'removed', tag, step })),
    ];
  }
  return [];
}

interface Side {
  readonly rule: Rule;
  readonly settings: readonly Setting[];
}

function oppositeOf(
  left: Side,
  right: Side,
): { step: Step; value: string; other: string; atOnce: boolean } | undefined {
  if (!meetOneChannel(left, right) || !meetOneCondition(left.rule, right.rule)) return undefined;
  for (const { value, step } of right.settings) {
    const other = left.settings.find((setting) => setting.value !== value && !isTemplated(setting.value, value));
    if (!other) continue;
    const delay = (rule: Rule, own: Step) => rule.forMs + own.afterMs;
    return { step, value, other: other.value, atOnce: delay(left.rule, other.step) === delay(right.rule, step) };
  }
  return undefined;
}

function isTemplated(...values: readonly string[]): boolean {
  return values.some((value) => value.includes('{{') || value.includes('{%'));
}

/** Whether both can fire for the same cause, or in the same condition. */
function meetOneCondition(left: Rule, right: Rule): boolean {
  const [one, other] = [left.trigger, right.trigger];
  if (one.kind === 'state' && other.kind === 'state')
    return isReachable([one.pattern, left.while, other.pattern, right.while]);
  if (one.kind === 'event' && other.kind === 'event') {
    const names = eventsMatching(other.pattern);
    return eventsMatching(one.pattern).some((name) => names.includes(name)) && isReachable([left.while, right.while]);
  }
  if (one.kind === 'schedule' && other.kind === 'schedule')
    return one.intervals.some(({ name }) => other.intervals.some((interval) => interval.name === name));
  if (one.kind === 'times' && other.kind === 'times') return JSON.stringify(one) === JSON.stringify(other);
  if (one.kind === 'key_age' && other.kind === 'key_age') return one.days[0] === other.days[0];
  return one.kind === 'http' && other.kind === 'http' && one.name === other.name;
}

const mostSamples = 2000;

/** Whether both can select the same channel; the tag that they change may differ between the two. */
function meetOneChannel(left: Side, right: Side): boolean {
  const [one, other] = [left.rule.match, right.rule.match];
  if (!one || !other) return true;
  const changed = new Set([...left.settings, ...right.settings].flatMap(({ tag }) => tag ?? []));
  const values = new Map<string, Set<string | undefined>>();
  for (const matcher of [one, other]) gather(matcher.source, '', values);
  let samples: Readonly<Record<string, string | undefined>>[] = [{}];
  for (const [field, choices] of values) {
    if (changed.has(field.replace(/^tags\./, ''))) continue;
    samples = samples.flatMap((sample) => [...choices].map((value) => ({ ...sample, [field]: value })));
    if (samples.length > mostSamples) return true;
  }
  const ofChanged = Array.from(values).filter(([field]) => changed.has(field.replace(/^tags\./, '')));
  const meets = (matcher: Matcher, sample: Readonly<Record<string, string | undefined>>) =>
    ofChanged.length === 0
      ? matcher.match(documentOf(sample))
      : ofChanged.some(([field, choices]) =>
          [...choices].some((value) => matcher.match(documentOf({ ...sample, [field]: value }))),
        );
  return samples.some((sample) => meets(one, sample) && meets(other, sample));
}

/** The texts that a pattern names for each field, plus one that it does not name, and none at all. */
function gather(
  source: Readonly<Record<string, unknown>>,
  prefix: string,
  values: Map<string, Set<string | undefined>>,
): void {
  for (const [name, value] of Object.entries(source)) {
    if (name === '$or') for (const part of value as Record<string, unknown>[]) gather(part, prefix, values);
    else if (Array.isArray(value)) {
      const known = values.get(prefix + name) ?? new Set([undefined, 'another-value']);
      for (const text of textsIn(value)) known.add(text);
      values.set(prefix + name, known);
    } else gather(value as Record<string, unknown>, `${prefix}${name}.`, values);
  }
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value, value.replaceAll('*', 'x')];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function documentOf(sample: Readonly<Record<string, string | undefined>>): object {
  const tags: Record<string, string> = {};
  const document: Record<string, unknown> = { tags };
  for (const [field, value] of Object.entries(sample)) {
    if (value === undefined) continue;
    if (field.startsWith('tags.')) tags[field.slice(5)] = value;
    else document[field] = value;
  }
  return document;
}
