// Turns a checked configuration document into the engine's ruleset, and checks what takes more than one field: names that refer to each
// other, templates, what a trigger provides, caps of destructive actions.

import { durationMs } from '#domain/duration.ts';
import type { LabelMatcher } from '#domain/labels.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import type { InhibitRule, Rule, Ruleset, TimeInterval } from '#domain/rule.ts';
import { parseLabelMatcher } from '#rules/label-matcher.ts';
import { problemsOfAccounts } from './account-problems.ts';
import { compileReceiver, compileRoute } from './compile-receivers.ts';
import { compileRule } from './compile-rule.ts';
import { hashOf } from './hash.ts';
import { problemsOfHttp } from './http-problems.ts';
import type { Finding, PathPart } from './problem.ts';
import type { ConfigDocument } from './schema.ts';
import { compileTimeInterval } from './time-range.ts';

/**
 * Compiles; problems are in the findings, and the ruleset may only be used if none of them is an error. `lostNames`: names that the
 * file has and the document lacks, because their parts are broken.
 */
export function compileRuleset(
  document: ConfigDocument,
  lostNames: ReadonlySet<string> = new Set(),
): { ruleset: Ruleset; findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const error = (path: readonly PathPart[], message: string) => findings.push({ path, message, severity: 'error' });

  for (const list of ['rules', 'receivers', 'time_intervals', 'accounts'] as const) {
    const seen = new Set<string>();
    document[list]?.forEach(({ name }, index) => {
      if (seen.has(name)) error([list, index, 'name'], `the name ${name} is used twice`);
      seen.add(name);
    });
  }
  findings.push(...problemsOfAccounts(document), ...problemsOfHttp(document));

  const timeIntervals = document.time_intervals.map((interval, index) =>
    compileTimeInterval(interval, ['time_intervals', index], findings),
  );
  const intervalOf = (name: string, path: readonly PathPart[]): TimeInterval | undefined => {
    const found = timeIntervals.find((interval) => interval.name === name);
    if (!found && !lostNames.has(name)) error(path, unknownName('time interval', name, timeIntervals));
    return found;
  };
  const checkReceiver = (name: string, path: readonly PathPart[]) => {
    if (!lostNames.has(name) && !document.receivers.some((receiver) => receiver.name === name)) {
      error(path, unknownName('receiver', name, document.receivers));
    }
  };

  for (const part of ['escalate', 'endings', 'shift_summary'] as const) {
    const receiver = document.alerts[part]?.receiver;
    if (receiver !== undefined) checkReceiver(receiver, ['alerts', part, 'receiver']);
  }

  const rules = document.rules.map(
    (rule, index): Rule =>
      compileRule(rule, {
        path: ['rules', index],
        defaults: document.defaults,
        findings,
        intervalOf,
        checkReceiver,
        hasRoute: document.route !== undefined || lostNames.has('route'),
      }),
  );
  const inhibitRules = document.inhibit_rules.map(
    (inhibit): InhibitRule => ({
      source: inhibit.source_matchers.flatMap(matcherOf),
      target: inhibit.target_matchers.flatMap(matcherOf),
      equal: inhibit.equal,
    }),
  );
  const receivers = document.receivers.map((receiver, index) => compileReceiver(receiver, ['receivers', index], error));
  const route = document.route && compileRoute(document.route, checkReceiver);
  const { heartbeat: beat } = document;
  if (beat) checkReceiver(beat.receiver, ['heartbeat', 'receiver']);
  const heartbeat = beat && { receiver: beat.receiver, intervalMs: durationMs(beat.interval) };
  const { version, defaults, time_intervals, inhibit_rules, rules: ruleDocuments } = document;
  const messages = { receivers: document.receivers, route: document.route };
  const hash = hashOf({ version, defaults, ...messages, time_intervals, inhibit_rules, rules: ruleDocuments });
  return { ruleset: { rules, inhibitRules, timeIntervals, receivers, route, heartbeat, hash }, findings };
}

function unknownName(what: string, name: string, known: readonly { name: string }[]): string {
  const names = known.map((entry) => entry.name);
  const hint = names.length === 0 ? `; the file names no ${what}s` : didYouMean(name, names);
  return `unknown ${what} ${name}${hint}`;
}

/** The schema has checked the text. */
function matcherOf(text: string): LabelMatcher[] {
  const parsed = parseLabelMatcher(text);
  return parsed.ok ? [parsed.matcher] : [];
}
