// Lint of a ruleset: what is well formed but cannot work with Amazon IVS, or will surprise. No network; channels are optional.
import { actionNames, channelActions } from '#domain/action.ts';
import type { Channel } from '#domain/channel.ts';
import { durationMs, formatDuration } from '#domain/duration.ts';
import type { LabelMatcher } from '#domain/labels.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import type { Rule, Ruleset, Step } from '#domain/rule.ts';
import { channelDocument } from '../documents.ts';
import { problemOfMatcher } from '../label-values.ts';
import { channelFields, problemsOfFields } from '../pattern-fields.ts';
import { isTemplate, variablesOf } from '../template.ts';
import { lintAccess } from './access.ts';
import { lintAdBreaks } from './ad-breaks.ts';
import type { LintFinding } from './finding.ts';
import { lintDetailField, lintEventPattern, matchesAccountEvents, matchesOnlyAccountEvents } from './ivs-events.ts';
import { lintNeverActs } from './never-acts.ts';
import { lintOpposites } from './opposites.ts';
import { worstPayload } from './payload.ts';
import { isReachable } from './reach.ts';

export type { LintFinding } from './finding.ts';

export interface LintOptions {
  /** Most bytes of one PutMetadata. */
  readonly maxPayloadBytes: number;
  /** PutMetadata calls per second that the daemon may use. */
  readonly putMetadataPerSecond: number;
  /** How to judge a field of an event's `detail` that no documented event has. Default: `error`. */
  readonly unknownFields?: 'error' | 'warn';
  /** How long an item waits that sets no expiry. */
  readonly defaultExpiresMs: number;
  /** The channels that exist, if they are known. */
  readonly channels?: readonly Channel[] | undefined;
  /** How many channels there are, or will be, if the channels themselves are not known. */
  readonly channelCount?: number | undefined;
}

type Path = readonly (string | number)[];

/** All findings for a ruleset, in the order of the file. */
export function lint(ruleset: Ruleset, options: LintOptions): LintFinding[] {
  return [
    ...ruleset.inhibitRules.flatMap((_, index) => lintInhibitRule(ruleset, index)),
    ...ruleset.rules.flatMap((rule, index) => lintRule(rule, ['rules', index], options)),
    ...lintOpposites(ruleset.rules),
  ];
}

function lintRule(rule: Rule, path: Path, options: LintOptions): LintFinding[] {
  const steps = (['actions', 'on_resolve'] as const).flatMap((list) =>
    (list === 'actions' ? rule.actions : rule.onResolve).map((step) => ({ step, at: [...path, list, step.index] })),
  );
  return [
    ...lintTrigger(rule, path, options),
    ...lintTables(rule, path),
    ...lintMatch(rule, path, options.channels),
    ...lintNeverActs(rule, path),
    ...steps.flatMap(({ step, at }) => [
      ...lintPayload(rule, step, [...at, step.action], options.maxPayloadBytes),
      ...lintFanOut(step, [...at, step.action], options),
      ...lintAdBreaks(rule, step, [...at, step.action], options.channels),
      ...lintNoChannel(rule, step, [...at, step.action]),
      ...lintTexts(rule, step, [...at, step.action]),
      ...lintAccess(rule, step, [...at, step.action], options),
      ...lintVariables(rule, step, [...at, step.action], options),
      ...(step.onlyIf && !isReachable([step.onlyIf])
        ? [error([...at, 'only_if'], 'no stream can ever match this: the action never runs')]
        : []),
    ]),
  ];
}

function error(path: Path, message: string): LintFinding {
  return { path, message, severity: 'error' };
}

function warning(path: Path, message: string): LintFinding {
  return { path, message, severity: 'warning' };
}

function lintTrigger(rule: Rule, path: Path, options: LintOptions): LintFinding[] {
  const { trigger, guards } = rule;
  const at = [...path, 'trigger'];
  if (trigger.kind === 'event') {
    const { maxEventAgeMs } = guards;
    const tooLong = maxEventAgeMs !== undefined && rule.forMs > 0 && rule.forMs >= maxEventAgeMs;
    return [
      ...lintEventPattern(trigger.pattern, [...at, 'event'], options),
      ...lintGroupBy(rule, [...path, 'guards', 'group_by'], options),
      ...((rule.match || rule.while) && matchesOnlyAccountEvents(trigger.pattern)
        ? [
            error(
              [...path, rule.match ? 'match' : 'while'],
              "a breach of an account's limit names no channel: the rule never fires",
            ),
          ]
        : []),
      ...(rule.while && !isReachable([rule.while]) ? [error([...path, 'while'], 'no stream can ever match this')] : []),
      ...(tooLong
        ? [
            error(
              [...path, 'for'],
              `after ${formatDuration(rule.forMs)} the event is older than max_event_age (${formatDuration(maxEventAgeMs)}) allows: the rule never fires`,
            ),
          ]
        : []),
    ];
  }
  if (trigger.kind === 'state' && !isReachable([trigger.pattern, rule.while])) {
    const place = rule.while && isReachable([trigger.pattern]) ? [...path, 'while'] : [...at, 'state'];
    return [error(place, 'no stream can ever match this: a stream that is not live has neither health nor viewers')];
  }
  if (trigger.kind === 'aggregate') {
    const reachable = possibleShares().some((share) => trigger.condition.match(share));
    const counted = isReachable([trigger.pattern]);
    return reachable && counted
      ? []
      : [error([...at, 'aggregate'], 'no share or number of channels can ever match this')];
  }
  return [];
}

/** Parts of `group_by` that name a field of the event. */
function lintGroupBy({ trigger, guards }: Rule, path: Path, options: LintOptions): LintFinding[] {
  return guards.groupBy.flatMap((part, index) => {
    if (trigger.kind !== 'event' || part.kind !== 'event' || part.path[0] !== 'detail') return [];
    return lintDetailField(trigger.pattern, part.path.slice(1), [...path, index], options);
  });
}

/** Templates that print a field of the event. */
function lintVariables({ trigger }: Rule, step: Step, path: Path, options: LintOptions): LintFinding[] {
  if (trigger.kind !== 'event') return [];
  return textsIn(step.params, path).flatMap(({ text, at }) =>
    variablesOf(text).flatMap(([root, field, ...rest]) =>
      root === 'event' && field === 'detail' ? lintDetailField(trigger.pattern, rest, at, options) : [],
    ),
  );
}

function textsIn(value: unknown, at: Path): { readonly text: string; readonly at: Path }[] {
  if (typeof value === 'string') return isTemplate(value) ? [{ text: value, at }] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    textsIn(inner, [...at, Array.isArray(value) ? Number(name) : name]),
  );
}

/** Values that our tables do not know, in patterns on channels and streams. Impossible values were refused when the rule was compiled. */
function lintTables(rule: Rule, path: Path): LintFinding[] {
  if (!rule.match) return [];
  return problemsOfFields(rule.match.source, channelFields)
    .filter(({ severity }) => severity === 'warning')
    .map((problem) => ({ ...problem, path: [...path, 'match', ...problem.path] }));
}

function* shares(): Generator<{ count: number; percent_of_live: number }> {
  for (let percent = 0; percent <= 100; percent += 0.5) {
    for (const count of [0, 1, 2, 3, 5, 10, 50, 100, 1000, 10_000]) yield { count, percent_of_live: percent };
  }
  for (let count = 0; count <= 10_000; count += 1) yield { count, percent_of_live: 50 };
}

function possibleShares(): { count: number; percent_of_live: number }[] {
  return [...shares()];
}

function lintMatch(rule: Rule, path: Path, channels: readonly Channel[] | undefined): LintFinding[] {
  const { match } = rule;
  if (!match || !channels) return [];
  const tags = match.source['tags'];
  const findings: LintFinding[] = [];
  if (typeof tags === 'object' && tags !== null && !Array.isArray(tags)) {
    for (const [key, members] of Object.entries(tags)) {
      const asksForAbsence = JSON.stringify(members).includes('"exists":false');
      if (key === '$or' || asksForAbsence || channels.some((channel) => Object.hasOwn(channel.tags, key))) continue;
      findings.push(warning([...path, 'match', 'tags', key], noSuchTag(key, channels)));
    }
  }
  if (findings.length === 0 && !channels.some((channel) => match.match(channelDocument(channel.arn, channel)))) {
    findings.push(warning([...path, 'match'], `none of the ${channels.length} channels matches`));
  }
  return findings;
}

function noSuchTag(key: string, channels: readonly Channel[]): string {
  const keys = new Set(channels.flatMap(({ tags }) => Object.keys(tags)));
  return `none of the ${channels.length} channels has the tag ${key}${didYouMean(key, keys)}`;
}

function lintPayload(rule: Rule, step: Step, path: Path, maxBytes: number): LintFinding[] {
  if (step.action !== 'put_metadata') return [];
  const size = worstPayload(rule, step);
  if (!size || size.bytes <= maxBytes) return [];
  return size.varies
    ? [
        error(
          [...path, 'payload'],
          `can take up to ${size.bytes} bytes, but one PutMetadata carries ${maxBytes}: shorten it, for example with | truncate: 40`,
        ),
      ]
    : [error([...path, 'payload'], `takes ${size.bytes} bytes, but one PutMetadata carries ${maxBytes}: shorten it`)];
}

/** Whether the last channels are reached before the item expires; without an inventory, for the given number of channels. */
function lintFanOut(step: Step, path: Path, options: LintOptions): LintFinding[] {
  const { putMetadataPerSecond, channels, channelCount, defaultExpiresMs } = options;
  if (!('targets' in step.params) || step.params.targets === undefined) return [];
  const { targets, expires } = step.params;
  const { tags } = targets;
  // A template's value is not known: in the worst case every channel has it.
  const tagged = channels?.filter((channel) =>
    Object.entries(tags ?? {}).every(
      ([key, values]) =>
        Object.hasOwn(channel.tags, key) && values.some((value) => isTemplate(value) || value === channel.tags[key]),
    ),
  );
  const count = targets.channelArns?.length ?? (targets.live ? channels?.length : tagged?.length) ?? channelCount;
  if (count === undefined) return [];
  if (tags && channels && count === 0) {
    const missing = Object.keys(tags).find((key) => !channels.some((channel) => Object.hasOwn(channel.tags, key)));
    return missing === undefined
      ? [warning([...path, 'targets', 'tags'], 'no channel has these tags')]
      : [warning([...path, 'targets', 'tags', missing], noSuchTag(missing, channels))];
  }
  const seconds = Math.ceil(count / putMetadataPerSecond);
  const expiresMs = expires === undefined ? defaultExpiresMs : durationMs(expires);
  if (seconds * 1000 <= expiresMs) return [];
  const most = Math.floor((expiresMs / 1000) * putMetadataPerSecond);
  const after = `${formatDuration(expiresMs)}${expires === undefined ? ' (metadata.default_expires)' : ''}`;
  return [
    warning(
      [...path, ...(expires === undefined ? ['targets'] : ['expires'])],
      `${count} channels take ${seconds} s at ${putMetadataPerSecond} calls a second: items that still wait after ${after} are not sent; ${most} channels are reached by then`,
    ),
  ];
}

function lintNoChannel(rule: Rule, step: Step, path: Path): LintFinding[] {
  const { trigger } = rule;
  // With `match` or `while` the rule fires for channels only.
  if (trigger.kind !== 'event' || rule.match || rule.while || !matchesAccountEvents(trigger.pattern)) return [];
  const { action, params } = step;
  if (channelActions.has(action) && action !== 'put_metadata') {
    return [
      error(path, `the event may be a breach of an account's limit, which names no channel: ${action} has no target`),
    ];
  }
  if (action === 'put_metadata' && 'payload' in params && !params.targets && params.if_no_channel === undefined) {
    return [
      error(
        path,
        "the event may be a breach of an account's limit, which names no channel: write if_no_channel: skip, or add targets",
      ),
    ];
  }
  const texts = JSON.stringify(params);
  if (/\{\{-?\s*(?:channel|stream|session)\b/.test(texts) && !/\|\s*default/.test(texts)) {
    return [
      warning(
        path,
        "the event may be a breach of an account's limit, which names no channel: use | default for missing values",
      ),
    ];
  }
  return [];
}

function lintTexts(rule: Rule, step: Step, path: Path): LintFinding[] {
  const params = step.params as Readonly<Record<string, unknown>>;
  const findings: LintFinding[] = [];
  for (const field of ['payload', 'body']) {
    const text = params[field];
    if (typeof text !== 'string' || !/^\s*[[{]/.test(text) || text.startsWith('{{') || text.startsWith('{%')) continue;
    const unescaped = [...text.matchAll(/\{\{(.*?)\}\}/gs)].some(([, inner]) => !/\|\s*json\b/.test(inner ?? ''));
    if (unescaped) {
      findings.push(
        warning(
          [...path, field],
          'JSON made of text breaks on a quotation mark in the data: write an object, or use | json',
        ),
      );
    }
  }
  if ('deliver' in params && JSON.stringify(params['deliver']).includes('channel.name')) {
    const message =
      'names of channels may be empty, and two channels may have the same: their keys would overwrite each other. Use channel.id';
    findings.push(warning([...path, 'deliver'], message));
  }
  if (
    step.destructive &&
    rule.match === undefined &&
    rule.trigger.kind !== 'http' &&
    step.action !== 'rotate_playback_key_pair'
  ) {
    findings.push(warning(path, `without \`match\` ${step.action} applies to every channel of the account`));
  }
  return findings;
}

function lintInhibitRule(ruleset: Ruleset, index: number): LintFinding[] {
  const inhibit = ruleset.inhibitRules[index]!;
  const path = ['inhibit_rules', index];
  const findings: LintFinding[] = [];
  const sides = [
    ['source_matchers', inhibit.source],
    ['target_matchers', inhibit.target],
  ] as const;
  for (const [side, matchers] of sides) {
    const isMet = ruleset.rules.some((rule) => canMatch(rule, matchers, side === 'source_matchers'));
    if (!isMet) {
      const hint = matchers.flatMap((matcher) => nameHint(ruleset, matcher)).join('');
      findings.push(
        error([...path, side], `no rule of this file ever matches: check the names of rules and actions${hint}`),
      );
    }
    for (const [at, matcher] of matchers.entries()) {
      const problem = isMet || matcher.label !== 'action' ? problemOfMatcher(matcher) : undefined;
      if (problem) findings.push({ ...problem, path: [...path, side, at] });
      if (matcher.label === 'rule' && matcher.op.startsWith('!') && leavesNothingOut(ruleset, matcher)) {
        const names = ruleset.rules.map(({ name }) => name);
        const message = `no rule in this file has this name${didYouMean(matcher.value, names)}: as written, it excludes nothing`;
        findings.push(error([...path, side, at], message));
      }
    }
  }
  return findings;
}

function leavesNothingOut({ rules }: Ruleset, matcher: LabelMatcher): boolean {
  return rules.every(({ name }) => matcher.test({ rule: name }));
}

/** The name that was probably meant by a matcher that names one and finds none. */
function nameHint(ruleset: Ruleset, { label, op, value }: LabelMatcher): string[] {
  const names = label === 'rule' ? ruleset.rules.map(({ name }) => name) : label === 'action' ? actionNames : [];
  return op !== '=' || (names as readonly string[]).includes(value) ? [] : [didYouMean(value, names)];
}

/** Whether the rule can have these labels, judged by what is known before it fires. A source is a rule, without an action. */
function canMatch(rule: Rule, matchers: readonly LabelMatcher[], isSource: boolean): boolean {
  if (rule.mode === 'off') return false;
  const actions = isSource ? [''] : [...rule.actions, ...rule.onResolve].map(({ action }) => action as string);
  return actions.some((action) =>
    matchers.every((matcher) => {
      if (matcher.label === 'rule') return matcher.test({ rule: rule.name });
      return matcher.label !== 'action' || matcher.test({ action });
    }),
  );
}
