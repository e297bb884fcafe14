// A ruleset arranged for deciding: rules by the kind of their trigger, and in the order of judging.
import type { Channel } from '#domain/channel.ts';
import type { LabelMatcher } from '#domain/labels.ts';
import type { InhibitRule, Rule, Ruleset, TriggerKind } from '#domain/rule.ts';
import type { ChannelView } from './channel-view.ts';
import { type Clocked, clockedOf } from './clocked.ts';

export type RuleOf<K extends TriggerKind> = Rule & { readonly trigger: Extract<Rule['trigger'], { kind: K }> };

export interface RuleIndex {
  /** Rules that are not off. */
  readonly byName: ReadonlyMap<string, Rule>;
  /** Position in the order of judging: what inhibits comes before what it inhibits. */
  readonly rank: ReadonlyMap<string, number>;
  readonly event: readonly RuleOf<'event'>[];
  readonly state: readonly RuleOf<'state'>[];
  readonly aggregate: readonly RuleOf<'aggregate'>[];
  readonly threshold: readonly RuleOf<'threshold'>[];
  readonly schedule: readonly RuleOf<'schedule'>[];
  readonly http: readonly RuleOf<'http'>[];
  readonly keyAge: readonly RuleOf<'key_age'>[];
  readonly times: readonly RuleOf<'times'>[];
  /** Fields of StreamDocument that a rule reads; undefined: any. */
  readonly fields: ReadonlyMap<string, ReadonlySet<string> | undefined>;
  /** Rules whose condition depends on the clock, and how. */
  readonly clocked: ReadonlyMap<string, Clocked>;
}

const indexes = new WeakMap<Ruleset, RuleIndex>();

/** The index of a ruleset, built once for each. */
export function indexOf(ruleset: Ruleset): RuleIndex {
  let index = indexes.get(ruleset);
  if (!index) indexes.set(ruleset, (index = buildIndex(ruleset)));
  return index;
}

/** A moment: it is over when it was judged, unless `while` gives it an end. */
export const momentKinds: ReadonlySet<TriggerKind> = new Set(['event', 'http', 'times']);

/** Whether the rule has a beginning and an end, rather than a moment. */
export function isHolding(rule: Rule): boolean {
  const { kind } = rule.trigger;
  return (
    kind === 'state' ||
    kind === 'aggregate' ||
    kind === 'schedule' ||
    kind === 'key_age' ||
    (kind !== 'threshold' && !!rule.while)
  );
}

/** Whether each cause of the rule is a moment that is judged on its own: an event, a request or a time, without `for`. */
export function isMoment({ trigger: { kind }, forMs }: Rule): boolean {
  return momentKinds.has(kind) && forMs === 0;
}

function buildIndex(ruleset: Ruleset): RuleIndex {
  const rules = ruleset.rules.filter(({ mode }) => mode !== 'off');
  const of = <K extends TriggerKind>(kind: K) => rules.filter((rule): rule is RuleOf<K> => rule.trigger.kind === kind);
  return {
    byName: new Map(rules.map((rule) => [rule.name, rule])),
    rank: new Map(inhibitorsFirst(rules, ruleset.inhibitRules).map((rule, place) => [rule.name, place])),
    event: of('event'),
    state: of('state'),
    aggregate: of('aggregate'),
    threshold: of('threshold'),
    schedule: of('schedule'),
    http: of('http'),
    keyAge: of('key_age'),
    times: of('times'),
    fields: new Map(rules.map((rule) => [rule.name, fieldsOf(rule)])),
    clocked: new Map(rules.flatMap((rule) => asEntry(rule.name, clockedOf(rule)))),
  };
}

function asEntry<T>(name: string, value: T | undefined): (readonly [string, T])[] {
  return value === undefined ? [] : [[name, value]];
}

/** Top-level fields of the rule's patterns on StreamDocument. */
function fieldsOf(rule: Rule): ReadonlySet<string> | undefined {
  if (rule.trigger.kind !== 'state') return undefined;
  const fields = new Set(
    [rule.trigger.pattern, rule.while].flatMap((matcher) => (matcher ? Object.keys(matcher.source) : [])),
  );
  return fields.has('$or') ? undefined : fields;
}

/** Depth first over "is inhibited by"; in a circle the file's order decides. */
function inhibitorsFirst(rules: readonly Rule[], inhibitRules: readonly InhibitRule[]): readonly Rule[] {
  const sourcesOf = (target: Rule) =>
    inhibitRules
      .filter((inhibit) => mayMatch(inhibit.target, target))
      .flatMap((inhibit) => rules.filter((rule) => rule !== target && mayMatch(inhibit.source, rule)));
  const ordered = new Set<Rule>();
  const visited = new Set<Rule>();
  const visit = (rule: Rule) => {
    if (visited.has(rule)) return;
    visited.add(rule);
    for (const source of sourcesOf(rule)) visit(source);
    ordered.add(rule);
  };
  for (const rule of rules) visit(rule);
  return [...ordered];
}

/** Whether some decision of the rule can have labels that match; only `rule` and `action` are known beforehand. */
export function mayMatch(matchers: readonly LabelMatcher[], rule: Rule): boolean {
  return matchers.every((matcher) => {
    if (matcher.label === 'rule') return matcher.test({ rule: rule.name });
    if (matcher.label === 'action') return rule.actions.some(({ action }) => matcher.test({ action }));
    return true;
  });
}

/** The rules about streams whose `match` selects a channel. */
export interface SelectedRules {
  readonly index: RuleIndex;
  readonly state: readonly RuleOf<'state'>[];
  readonly threshold: readonly RuleOf<'threshold'>[];
}

const selections = new WeakMap<Channel, SelectedRules>();

/** Evaluated once for each entry of the inventory, which is immutable: a change of a stream then costs only the rules it concerns. */
export function selectedRules(index: RuleIndex, view: ChannelView): SelectedRules {
  const known = view.entry && selections.get(view.entry);
  if (known?.index === index) return known;
  const selected: SelectedRules = {
    index,
    state: index.state.filter((rule) => selects(rule, view)),
    threshold: index.threshold.filter((rule) => selects(rule, view)),
  };
  if (view.entry) selections.set(view.entry, selected);
  return selected;
}

/** Whether the rule's `match` selects a channel. */
export function selects({ match }: Rule, { channel }: ChannelView): boolean {
  return !match || match.match(channel);
}
