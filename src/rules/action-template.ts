// The parameters of an action with templates in them: checked at load, filled in leaf by leaf when a rule fires. Because objects are
// rendered leaf by leaf and turned into JSON afterwards, nothing a template prints can break out of its place.
import { type ActionName, type ActionParams, actionSchemas } from '#domain/action.ts';
import type { TemplateContext } from '#domain/documents.ts';
import { messageOf } from '#domain/errors.ts';
import type { Rendered } from '#domain/rule.ts';
import type { PatternProblem } from './pattern-operators.ts';
import { compileTemplate, isTemplate, type TemplateMode } from './template.ts';
import { problemOfVariable, type TemplateRoot } from './template-roots.ts';

export type CompiledParams =
  | { readonly ok: true; readonly hasTemplates: boolean; render(context: TemplateContext): Rendered }
  | { readonly ok: false; readonly problems: readonly PatternProblem[] };

type Path = readonly (string | number)[];
type Fill = (context: TemplateContext) => unknown;

/** Parameters that name files, addresses and receivers: their values must be known when the file is loaded. */
const fixedFields = new Set(['receiver', 'url', 'url_file', 'hmac_key_file', 'source', 'bus', 'notify']);
/** Free-form parameters: inside an object, a template keeps the type of its output. */
const freeFields = new Set(['payload', 'body', 'detail']);

/** Compiles parameters that the action's schema has accepted with their templates not filled in. */
export function compileParams(
  action: ActionName,
  params: ActionParams,
  roots: ReadonlySet<TemplateRoot>,
): CompiledParams {
  const problems: PatternProblem[] = [];
  let hasTemplates = false;

  const compile = (value: unknown, path: Path): Fill => {
    if (typeof value === 'string') {
      if (!isTemplate(value)) return () => value;
      hasTemplates = true;
      if (fixedFields.has(String(path.at(-1))) && !freeFields.has(String(path[0]))) {
        problems.push({ path, message: 'this must not be a template: it has to be known when the file is loaded' });
        return () => value;
      }
      const template = compileTemplate(value, {
        mode: modeOf(action, path),
        problemOf: (segments) => problemOfVariable(segments, roots),
      });
      if (template.ok) return template.render;
      problems.push({ path, message: `template: ${template.message}` });
      return () => value;
    }
    if (Array.isArray(value)) {
      const fills = value.map((element, index) => compile(element, [...path, index]));
      return (context) => fills.map((fill) => fill(context));
    }
    if (typeof value === 'object' && value !== null) {
      const fills = Object.entries(value).map(([key, inner]) => {
        const innerPath = [...path, key];
        if (isTemplate(key)) problems.push({ path: innerPath, message: 'a key must not be a template' });
        return [key, compile(inner, innerPath)] as const;
      });
      return (context) => Object.fromEntries(fills.map(([key, fill]) => [key, fill(context)]));
    }
    return () => value;
  };

  const fill = compile(params, []);
  if (problems.length > 0) return { ok: false, problems };
  const asWritten: Rendered = { ok: true, params };
  return {
    ok: true,
    hasTemplates,
    render: (context) => (hasTemplates ? renderWith(action, fill, context) : asWritten),
  };
}

function modeOf(action: ActionName, path: Path): TemplateMode {
  if (action === 'notify' && path[0] === 'text') return 'message';
  if (path[0] === 'deliver' || (action === 'report' && path[0] === 'file')) return 'identifier';
  return path.length > 1 && freeFields.has(String(path[0])) ? 'value' : 'text';
}

function renderWith(action: ActionName, fill: Fill, context: TemplateContext): Rendered {
  let filled: unknown;
  try {
    filled = fill(context);
  } catch (error) {
    return { ok: false, problem: messageOf(error) };
  }
  const checked = actionSchemas[action].safeParse(filled);
  if (checked.success) return { ok: true, params: checked.data };
  const issue = checked.error.issues[0]!;
  return { ok: false, problem: `${[action, ...issue.path].join('.')}: ${issue.message}` };
}
