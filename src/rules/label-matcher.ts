// Labels of decisions, and the matchers of inhibit rules and silences: `rule="x"`, `action=~"stop_.*"`.
// https://prometheus.io/docs/alerting/latest/configuration/#matcher
import type { ChannelDocument } from '#domain/documents.ts';
import type { LabelMatcher, Labels } from '#domain/labels.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import { compileLabelRegex } from './label-regex.ts';

export type ParsedMatcher =
  | { readonly ok: true; readonly matcher: LabelMatcher }
  | { readonly ok: false; readonly message: string };

/** The labels every decision has; a tag's label is `tag_<key>`, other characters than letters, digits and _ replaced by _. */
export const labelNames = ['rule', 'action', 'channel', 'channel_name', 'account', 'region', 'group'] as const;

/** Labels of an alert, for routes and groups: `alertname` is the rule, `severity` what its `notify` says. */
export const routeLabelNames = [
  'alertname',
  'severity',
  'rule',
  'channel',
  'channel_name',
  'account',
  'region',
  'group',
] as const;

const syntax = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"\s{},]*))\s*$/s;
const maxLength = 1000;

/** The most recently parsed matchers: an expression is compiled once for its check, its cost and its use. */
const parsedLately = new Map<string, ParsedMatcher>();
const mostParsed = 200;

/** Parses one matcher. @param names the known labels, besides those of tags */
export function parseLabelMatcher(text: string, names: readonly string[] = labelNames): ParsedMatcher {
  const key = `${names === labelNames ? '' : names.join()} ${text}`;
  const known = parsedLately.get(key);
  if (known) return known;
  const parsed = parse(text, names);
  if (parsedLately.size >= mostParsed) parsedLately.delete(parsedLately.keys().next().value!);
  parsedLately.set(key, parsed);
  return parsed;
}

function parse(text: string, names: readonly string[]): ParsedMatcher {
  const match = text.length <= maxLength ? syntax.exec(text) : null;
  if (!match) return { ok: false, message: 'expected a matcher such as rule="mass-starvation" or action=~"stop_.*"' };
  const [, label = '', operator, quoted, bare] = match;
  const unknown = problemOfLabelName(label, names);
  if (unknown !== undefined) return { ok: false, message: unknown };
  const op = operator as LabelMatcher['op'];
  const isRegex = op === '=~' || op === '!~';
  // Inside a regular expression a backslash belongs to the expression, except before a quotation mark.
  const value = (quoted ?? bare ?? '').replace(isRegex ? /\\(")/g : /\\(.)/gs, '$1');
  const holds = isRegex
    ? compileLabelRegex(value)
    : ({ ok: true, size: 0, test: (other: string) => other === value } as const);
  if (!holds.ok) return { ok: false, message: `regular expression: ${holds.message}` };
  const wanted = op === '=' || op === '=~';
  return {
    ok: true,
    matcher: {
      label,
      op,
      value,
      size: holds.size,
      test: (labels) => holds.test(Object.hasOwn(labels, label) ? labels[label]!.slice(0, 512) : '') === wanted,
    },
  };
}

/** What is wrong with the name of a label. @param names the known labels, besides those of tags */
export function problemOfLabelName(label: string, names: readonly string[] = labelNames): string | undefined {
  if (label.startsWith('tag_') || names.includes(label)) return undefined;
  return `unknown label ${label}${didYouMean(label, names)}; there are ${names.join(', ')} and tag_<key>`;
}

/** The labels of what a rule does, or would do, for a group. */
export function labelsOf(decision: {
  readonly rule: string;
  readonly action?: string | undefined;
  readonly group?: string | undefined;
  readonly channel?: ChannelDocument | undefined;
}): Labels {
  const { rule, action, group, channel } = decision;
  const labels: Record<string, string> = { rule };
  if (action !== undefined) labels['action'] = action;
  if (group !== undefined) labels['group'] = group;
  if (channel) {
    labels['channel'] = channel.arn;
    labels['channel_name'] = channel.name;
    labels['account'] = channel.account;
    labels['region'] = channel.region;
    for (const [key, value] of Object.entries(channel.tags)) labels[tagLabel(key)] = value;
  }
  return labels;
}

/** The label of a tag. */
export function tagLabel(key: string): string {
  return `tag_${key.replaceAll(/[^A-Za-z0-9_]/g, '_')}`;
}

/** Whether every matcher holds. */
export function matchesLabels(matchers: readonly LabelMatcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matcher.test(labels));
}
