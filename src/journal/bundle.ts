// Many decisions of one commit in one entry of a log. Each keeps its own id, guards and jobs; equal parts are stored once.
import type { Decision, DecisionBundle, DecisionDifference } from '#domain/decision.ts';

/** If one transaction has more similar decisions than this, they share an entry. */
export const mostAlone = 10;

type Fields = Readonly<Record<string, unknown>>;

/** One entry for decisions of one moment. @param decisions at least one */
export function bundleOf([first, ...others]: readonly [Decision, ...Decision[]]): DecisionBundle {
  return { atMs: first.atMs, first, others: others.map((other) => differenceOf(first, other)) };
}

/** The decisions of an entry, in the order in which they were decided. */
export function decisionsOf({ first, others }: DecisionBundle): Decision[] {
  return [first, ...others.map((other) => restored(first, other))];
}

function differenceOf({ guards: known, ...first }: Decision, { guards, ...other }: Decision): DecisionDifference {
  const fields = patchOf(first, other);
  if (guards.length !== known.length) return { fields: { ...fields, guards } };
  const verdicts = guards.flatMap((verdict, place) => {
    const patch = patchOf(asFields(known[place]!), asFields(verdict));
    return Object.keys(patch).length === 0 ? [] : [[place, patch] as const];
  });
  return verdicts.length === 0 ? { fields } : { fields, verdicts };
}

function restored(first: Decision, { fields, verdicts = [] }: DecisionDifference): Decision {
  const decision = patched(asFields(first), fields);
  if (verdicts.length === 0) return decision as unknown as Decision;
  const guards: unknown[] = [...first.guards];
  for (const [place, patch] of verdicts) guards[place] = patched(asFields(guards[place]), patch);
  return { ...decision, guards } as unknown as Decision;
}

/** A merge patch from one to the other (https://www.rfc-editor.org/rfc/rfc7396). Names may come from events, and so be any text. */
function patchOf(from: Fields, to: Fields): Fields {
  const patch: [string, unknown][] = [];
  for (const name of Object.keys(from)) if (own(to, name) === undefined) patch.push([name, null]);
  for (const [name, value] of Object.entries(to)) {
    const known = own(from, name);
    if (value === known || value === undefined) continue;
    if (isObject(value) && isObject(known)) {
      const inner = patchOf(known, value);
      if (Object.keys(inner).length > 0) patch.push([name, inner]);
    } else if (JSON.stringify(value) !== JSON.stringify(known)) patch.push([name, value]);
  }
  return Object.fromEntries(patch);
}

function patched(from: Fields, patch: Fields): Fields {
  const to = new Map(Object.entries(from));
  for (const [name, value] of Object.entries(patch)) {
    const known = to.get(name);
    if (value === null) to.delete(name);
    else to.set(name, isObject(value) && isObject(known) ? patched(known, value) : value);
  }
  return Object.fromEntries(to);
}

function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asFields(value: unknown): Fields {
  return value as Fields;
}
