// Checks requests with zod and says what is wrong: field path, problem, and the known name nearest to an unknown one.
import type { FastifySchemaCompiler } from 'fastify';
import { z } from 'zod';
import { AppError } from '#domain/errors.ts';
import { nearestName } from '#domain/nearest-name.ts';

export interface Problem {
  /** `body.targets.live`, `query.limit`, `path.id`, `header.idempotency-key`. */
  readonly path: string;
  readonly message: string;
}

const partNames: Readonly<Record<string, string>> = {
  body: 'body',
  querystring: 'query',
  params: 'path',
  headers: 'header',
};
const mostProblems = 20;

/** The validator of every route: returns the parsed value, or an AppError REQUEST_INVALID with `details.problems`. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const part = partNames[httpPart ?? 'body'] ?? 'body';
  return (data: unknown) => {
    const result = schema.safeParse(data);
    if (result.success) return { value: result.data };
    // A missing body counts as an empty one, so it may be left out if all fields are optional.
    if (part === 'body' && (data === null || data === undefined)) {
      const empty = [undefined, {}].map((value) => schema.safeParse(value)).find(({ success }) => success);
      if (empty?.success) return { value: empty.data };
    }
    return { error: invalidRequest(describeIssues(result.error, { schema, part, data })) };
  };
};

/** The error for a request with these problems. */
export function invalidRequest(problems: readonly Problem[]): AppError {
  const [first] = problems;
  const text = first ? `${first.path}: ${first.message}` : 'the request is not valid';
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return new AppError('REQUEST_INVALID', `${text}${more}`, { details: { problems } });
}

interface Checked {
  readonly schema: z.ZodType;
  readonly part: string;
  readonly data: unknown;
}

/** The problems, at most 20. */
function describeIssues(error: z.ZodError, { schema, part, data }: Checked): Problem[] {
  return error.issues.flatMap((issue) => describeIssue(issue, schema, [part], data)).slice(0, mostProblems);
}

type Issue = z.core.$ZodIssue;

/** @param data the value that the issue's path refers to */
function describeIssue(
  issue: Issue,
  schema: z.core.$ZodType,
  before: readonly PropertyKey[],
  data: unknown,
): Problem[] {
  const path = [...before, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schemaAt(schema, issue.path));
    return issue.keys.map((key) => {
      const nearest = nearestName(key, known);
      const hint = nearest ? `did you mean ${nearest}?` : `known: ${known.join(', ') || 'none'}`;
      return { path: pathText([...path, key]), message: `unknown field; ${hint}` };
    });
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The alternative that got furthest is the one that was meant.
    const depth = (issues: readonly Issue[]) => Math.max(0, ...issues.map((inner) => inner.path.length));
    const meant = issue.errors.reduce((best, next) => (depth(next) > depth(best) ? next : best));
    if (depth(meant) > 0)
      return meant.flatMap((inner) =>
        describeIssue(inner, schemaAt(schema, issue.path) ?? schema, path, valueAt(data, issue.path)),
      );
    return [{ path: pathText(path), message: issue.errors.flatMap((issues) => issues.map(messageOf)).join('; or ') }];
  }
  return [{ path: pathText(path), message: `${messageOf(issue)}${nearestChoice(issue, data)}` }];
}

/** The allowed value nearest to a misspelt one. */
function nearestChoice(issue: Issue, data: unknown): string {
  if (issue.code !== 'invalid_value') return '';
  const given = valueAt(data, issue.path);
  const nearest = typeof given === 'string' ? nearestName(given, issue.values.map(String)) : undefined;
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, step) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, step)
        ? (at as Readonly<Record<PropertyKey, unknown>>)[step]
        : undefined,
    data,
  );
}

function messageOf(issue: Issue): string {
  return issue.message.replace(/^Invalid input: /, '');
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    const name = String(step).slice(0, 100);
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/** The schema at the path of an issue, seen through optional, default, pipe and union. */
function schemaAt(schema: z.core.$ZodType | undefined, path: readonly PropertyKey[]): z.core.$ZodType | undefined {
  let current = schema;
  for (const step of path) current = stepInto(current, step);
  return current;
}

function stepInto(schema: z.core.$ZodType | undefined, step: PropertyKey): z.core.$ZodType | undefined {
  const { def } = (schema as z.core.$ZodTypes | undefined)?._zod ?? {};
  if (!def) return undefined;
  if (def.type === 'object') return def.shape[String(step)];
  if (def.type === 'array') return def.element;
  if (def.type === 'record') return def.valueType;
  if (def.type === 'union') return def.options.map((option) => stepInto(option, step)).find((found) => found);
  const inner = unwrapped(def);
  return inner ? stepInto(inner, step) : undefined;
}

function unwrapped(def: object): z.core.$ZodType | undefined {
  if ('innerType' in def) return def.innerType as z.core.$ZodType;
  if ('in' in def) return def.in as z.core.$ZodType;
  return undefined;
}

function knownKeys(schema: z.core.$ZodType | undefined): string[] {
  const { def } = (schema as z.core.$ZodTypes | undefined)?._zod ?? {};
  if (!def) return [];
  if (def.type === 'object') return Object.keys(def.shape);
  if (def.type === 'union') return def.options.flatMap((option) => knownKeys(option));
  const inner = unwrapped(def);
  return inner ? knownKeys(inner) : [];
}
