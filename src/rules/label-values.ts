// Values of matchers that no label ever has: such a silence or inhibition would hold back nothing or, with `!=`, everything.
import { actionNames } from '#domain/action.ts';
import type { LabelMatcher } from '#domain/labels.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import { ivsRegions, problemOfRegion, regionsKnownAsOf, regionsWithoutIvs } from '#domain/regions.ts';
import { type ParsedMatcher, parseLabelMatcher } from './label-matcher.ts';
import { formatWords, grammars, type TextFormat } from './text-grammar.ts';

/** An error if no label has such a value, a warning if only our tables say so. */
export interface LabelProblem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

const formats: Readonly<Partial<Record<string, TextFormat>>> = {
  channel: 'channel_arn',
  channel_name: 'channel_name',
  account: 'account',
};

/** Parses a matcher that somebody wrote, and refuses one that no label can ever satisfy. */
export function checkLabelMatcher(text: string): ParsedMatcher {
  const parsed = parseLabelMatcher(text);
  const problem = parsed.ok ? problemOfMatcher(parsed.matcher) : undefined;
  return problem?.severity === 'error' ? { ok: false, message: problem.message } : parsed;
}

/** What is wrong with a parsed matcher; undefined if a label can have its value. Names of rules and values of tags are free. */
export function problemOfMatcher(matcher: LabelMatcher): LabelProblem | undefined {
  const problem = matcher.label === 'action' ? problemOfAction(matcher) : problemOfValues(matcher);
  if (!problem || !matcher.op.startsWith('!')) return problem;
  const so = problem.severity === 'error' ? 'as written, it excludes nothing' : 'if not, it excludes nothing';
  return { ...problem, message: `${problem.message}: ${so}` };
}

/** Whether this text satisfies the matcher's value, or its expression, regardless of the operator. */
function meets(matcher: LabelMatcher, text: string): boolean {
  return matcher.test({ [matcher.label]: text }) !== matcher.op.startsWith('!');
}

function problemOfAction(matcher: LabelMatcher): LabelProblem | undefined {
  // Empty: the rule itself, before it acts.
  if (['', ...actionNames].some((action) => meets(matcher, action))) return undefined;
  const message = `no action matches ${matcher.value}${didYouMean(matcher.value, actionNames)}; there are ${actionNames.join(', ')}`;
  return { severity: 'error', message };
}

function problemOfValues(matcher: LabelMatcher): LabelProblem | undefined {
  if (matcher.label === 'region') return problemOfRegions(matcher);
  const format = formats[matcher.label];
  const values = exactValues(matcher);
  // An empty value asks for the absence of the label.
  if (format === undefined || !values || values.includes('')) return undefined;
  if (values.some((value) => grammars[format]([value], { ignoresCase: false }))) return undefined;
  return { severity: 'error', message: `${values.join(', ')} is not possible; expected ${formatWords[format]}` };
}

function problemOfRegions(matcher: LabelMatcher): LabelProblem | undefined {
  const values = exactValues(matcher);
  if (values?.length === 1) return values[0] === '' ? undefined : problemOfRegion(values[0]!);
  const passes = (code: string) => meets(matcher, code);
  if (passes('') || Object.keys(ivsRegions).some(passes)) return undefined;
  const without = Object.keys(regionsWithoutIvs).filter(passes);
  if (without.length > 0)
    return {
      severity: 'error',
      message: `${matcher.value} matches ${without.join(', ')}, where Amazon IVS is not available`,
    };
  return { severity: 'warning', message: `no Region known as of ${regionsKnownAsOf} matches ${matcher.value}` };
}

/** The texts that are asked for; undefined if an expression says more than a list of them. */
function exactValues({ op, value }: LabelMatcher): readonly string[] | undefined {
  if (op === '=' || op === '!=') return [value];
  return /^[\w:/|-]*$/.test(value) ? value.split('|') : undefined;
}
