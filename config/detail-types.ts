// Which events the rules of a file name, compared with our table of events.
import type { Ruleset } from '#domain/rule.ts';
import { newerDetailTypes } from '#rules/lint/ivs-events.ts';
import { compilePattern } from '#rules/pattern.ts';

/** What the rules of a file name beyond our table: detail types, or tests of them, as written in the patterns. */
export function detailTypesOf({ rules }: Pick<Ruleset, 'rules'>): readonly unknown[] {
  const asked = rules.flatMap(({ mode, trigger }) =>
    mode === 'off' || trigger.kind !== 'event' ? [] : newerDetailTypes(trigger.pattern),
  );
  return [...new Map(asked.map((member) => [JSON.stringify(member), member])).values()];
}

/** Whether an event pattern, as text, accepts events of this detail type: its condition on the type matches, or it has none. */
export function letsThrough(pattern: string | undefined, type: string): boolean {
  let asked: unknown;
  try {
    asked = (JSON.parse(pattern ?? '') as Readonly<Record<string, unknown>>)['detail-type'];
  } catch {
    return false;
  }
  if (asked === undefined) return true;
  const compiled = compilePattern({ type: asked });
  return compiled.ok && compiled.match({ type });
}
