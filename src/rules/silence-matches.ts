// What a silence matches before it is in force: rules by their names and actions, channels by theirs. A silence that matches nothing holds
// nothing back, and is usually a typo.

import type { LabelMatcher, Labels } from '#domain/labels.ts';
import { nearestName } from '#domain/nearest-name.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { channelView } from './channel-view.ts';
import { channelDocument } from './documents.ts';
import { labelsOf, matchesLabels, parseLabelMatcher, tagLabel } from './label-matcher.ts';
import { plannedActions } from './planned.ts';

export interface SilenceMatches {
  /** Names of rules with an action that it holds back. */
  readonly rules: readonly string[];
  readonly channelArns: readonly string[];
  /** It would hold nothing back, by what is known now. */
  readonly isNothing: boolean;
  /** For values that nothing has: the matcher with the nearest existing value. */
  readonly didYouMean: readonly string[];
}

/** An action that a rule has planned, and that would be held back. */
export interface PlannedMatch {
  readonly rule: string;
  readonly action: string;
  readonly channelArn: string;
  readonly channelName: string;
  readonly dueMs: number | undefined;
}

/** What the matchers, each as written and checked, would hold back of what is planned now; not counting what is held back already. */
export function plannedMatches(
  ruleset: Ruleset,
  view: StateView,
  nowMs: number,
  texts: readonly string[],
): readonly PlannedMatch[] {
  const matchers = parsed(texts);
  const found: PlannedMatch[] = [];
  for (const { rule, channelArn, actions, dueMs, withheld } of plannedActions(view, ruleset, nowMs)) {
    if (withheld) continue;
    const { channel } = channelView(view, channelArn, nowMs);
    const labels = labelsOf({ rule, group: channelArn, channel });
    for (const action of actions)
      if (matchesLabels(matchers, { ...labels, action }))
        found.push({ rule, action, channelArn, channelName: nameOf(view, channelArn), dueMs });
  }
  return found;
}

function nameOf(view: StateView, channelArn: string): string {
  return view.get(kinds.channel.of(channelArn))?.name || view.get(kinds.stream.of(channelArn))?.channelName || '';
}

function parsed(texts: readonly string[]): readonly LabelMatcher[] {
  return texts.flatMap((text) => {
    const read = parseLabelMatcher(text);
    return read.ok ? [read.matcher] : [];
  });
}

const ofRules: ReadonlySet<string> = new Set(['rule', 'action']);

/** What the matchers, each as written and checked, match among the rules in force and the known channels. */
export function silenceMatches(
  ruleset: Ruleset,
  views: readonly StateView[],
  texts: readonly string[],
): SilenceMatches {
  const matchers = parsed(texts);
  const aboutRules = matchers.filter(({ label }) => ofRules.has(label));
  // Groups are known only once something happens.
  const aboutChannels = matchers.filter(({ label }) => !ofRules.has(label) && label !== 'group');
  const ruleLabels = ruleset.rules.flatMap((rule) =>
    [...rule.actions, ...rule.onResolve].map(({ action }) => labelsOf({ rule: rule.name, action })),
  );
  const channelLabels = views.flatMap((view) =>
    Array.from(view.entries(kinds.channel), ([arn, channel]) =>
      labelsOf({ rule: '', channel: channelDocument(arn, channel, undefined) }),
    ),
  );
  const rules = namesOf(
    ruleLabels.filter((labels) => matchesLabels(aboutRules, labels)),
    'rule',
  );
  const channelArns = namesOf(
    channelLabels.filter((labels) => matchesLabels(aboutChannels, labels)),
    'channel',
  );
  const isNothing = rules.length === 0 || (aboutChannels.length > 0 && channelArns.length === 0);
  const didYouMean = isNothing
    ? matchers.flatMap((matcher) => nearestOf(matcher, ofRules.has(matcher.label) ? ruleLabels : channelLabels) ?? [])
    : [];
  return { rules, channelArns, isNothing, didYouMean };
}

function namesOf(all: readonly Labels[], label: string): string[] {
  return [...new Set(all.flatMap((labels) => labels[label] ?? []))];
}

/** The matcher as it was probably meant, if no value matches it. */
function nearestOf(matcher: LabelMatcher, all: readonly Labels[]): string | undefined {
  const { label, op, value } = matcher;
  if (op !== '=' || all.some((labels) => matcher.test(labels))) return undefined;
  const values = namesOf(all, label);
  const nearest = nearestName(value, values);
  if (nearest !== undefined) return `${label}="${nearest}"`;
  if (values.length > 0 || !label.startsWith(tagLabel(''))) return undefined;
  const keys = new Set(all.flatMap((labels) => Object.keys(labels).filter((key) => key.startsWith(tagLabel('')))));
  const key = nearestName(label, keys);
  return key === undefined ? undefined : `${key}="${value}"`;
}
