// The events Amazon IVS sends, by name, and what in a pattern none of them can match.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html
import { ivsEvents } from '#domain/ivs-events.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import type { Matcher } from '#domain/rule.ts';
import { compilePattern } from '../pattern.ts';
import type { LintFinding } from './finding.ts';

/** Limits of the account: their breaches name no channel. */
const accountLimits = ['Concurrent Broadcasts', 'Concurrent Viewers'];

/** Fields whose values are closed sets; EventBridge's schema calls `limit_name` also `limit`. */
const closedSets: Readonly<Record<string, readonly string[]>> = {
  source: ['aws.ivs'],
  'detail-type': Object.keys(ivsEvents),
  'detail.event_name': namesOf('event_name'),
  'detail.limit_name': namesOf('limit_name'),
  'detail.limit': namesOf('limit_name'),
  'detail.recording_status': namesOf('recording_status'),
};

function namesOf(field: string): string[] {
  return Object.values(ivsEvents).flatMap((event) => (event.field === field ? [...event.names] : []));
}

interface SampleEvent {
  readonly document: object;
  readonly name: string;
  readonly ofAccount: boolean;
}

/** One event of each name, with the fields that tell them apart. */
const samples: readonly SampleEvent[] = Object.entries(ivsEvents).flatMap(([detailType, { field, names }]) =>
  names.map((name): SampleEvent => {
    const ofAccount = accountLimits.includes(name);
    const detail = field === 'limit_name' ? { limit_name: name, limit: name } : { [field]: name };
    return {
      name,
      ofAccount,
      document: {
        source: 'aws.ivs',
        'detail-type': detailType,
        resources: ofAccount ? [] : ['arn:aws:ivs:us-west-2:111122223333:channel/x'],
        detail,
      },
    };
  }),
);

/** What in an event pattern no event of IVS can match. */
export function lintEventPattern(pattern: Matcher, path: readonly (string | number)[]): LintFinding[] {
  const findings = lintValues(pattern.source, '', path);
  if (findings.length > 0 || eventsMatching(pattern).length > 0) return findings;
  const message = 'no event of Amazon IVS matches: the detail-type and the name of the event do not belong together';
  return [{ path, message, severity: 'error' }];
}

/** The names of the IVS events that the pattern can match, as far as detail-type and name tell. */
export function eventsMatching(pattern: Matcher): readonly string[] {
  return matchingSamples(pattern).map(({ name }) => name);
}

/** Whether the pattern can match an event that names no channel. */
export function matchesAccountEvents(pattern: Matcher): boolean {
  return matchingSamples(pattern).some(({ ofAccount }) => ofAccount);
}

function matchingSamples(pattern: Matcher): readonly SampleEvent[] {
  const narrowed = onlyNamingFields(pattern.source, '');
  const compiled = Object.keys(narrowed).length === 0 ? undefined : compilePattern(narrowed);
  return samples.filter(({ document }) => !compiled?.ok || compiled.match(document));
}

/** The pattern without the fields that the samples do not have. */
function onlyNamingFields(source: Readonly<Record<string, unknown>>, prefix: string): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(source)) {
    const full = prefix + name;
    if (name === '$or') {
      const parts = (value as Record<string, unknown>[]).map((part) => onlyNamingFields(part, prefix));
      // A side that asks for something else may match anything.
      if (parts.every((part) => Object.keys(part).length > 0)) kept[name] = parts;
    } else if (Array.isArray(value)) {
      if (Object.hasOwn(closedSets, full) || (full === 'resources' && onlyAbsent(value))) kept[name] = value;
    } else {
      const inner = onlyNamingFields(value as Record<string, unknown>, `${full}.`);
      if (Object.keys(inner).length > 0) kept[name] = inner;
    }
  }
  return kept;
}

function onlyAbsent(members: readonly unknown[]): boolean {
  return members.every((member) => JSON.stringify(member) === '{"exists":false}');
}

function lintValues(
  source: Readonly<Record<string, unknown>>,
  prefix: string,
  path: readonly (string | number)[],
): LintFinding[] {
  return Object.entries(source).flatMap(([name, value]): LintFinding[] => {
    const full = prefix + name;
    if (name === '$or') {
      return (value as Record<string, unknown>[]).flatMap((part, index) =>
        lintValues(part, prefix, [...path, name, index]),
      );
    }
    if (!Array.isArray(value)) return lintValues(value as Record<string, unknown>, `${full}.`, [...path, name]);
    const known = Object.hasOwn(closedSets, full) ? closedSets[full] : undefined;
    if (!known) return [];
    return value.flatMap((member: unknown, index): LintFinding[] => {
      const alone = compilePattern({ value: [member] });
      if (!alone.ok || isExists(member) || known.some((candidate) => alone.match({ value: candidate }))) return [];
      const text = typeof member === 'string' ? member : JSON.stringify(member);
      const hint = typeof member === 'string' ? didYouMean(member, known) : '';
      const message = `Amazon IVS never sends ${full} ${text}${hint}; there are ${known.join(', ')}`;
      return [{ path: [...path, name, index], message, severity: 'error' }];
    });
  });
}

function isExists(member: unknown): boolean {
  return typeof member === 'object' && member !== null && Object.hasOwn(member, 'exists');
}
