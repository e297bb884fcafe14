// Reads a CloudFormation template as this project writes them, including the short forms of its functions, and evaluates it for some
// parameters.
import { type CollectionTag, parse, type ScalarTag, type YAMLSeq } from 'yaml';

export interface Template {
  readonly Parameters: Readonly<Record<string, { readonly Type: string; readonly Default?: unknown }>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: any }>>;
}

const scalars = ['Ref', 'GetAtt', 'Sub'] as const;
const lists = ['If', 'Not', 'Equals'] as const;

/** A function of the template that is not evaluated yet: `{ Ref: 'Image' }`, `{ If: [condition, yes, no] }`. */
type Call = Readonly<Record<string, unknown>>;

/**
 * Reads a template; each function is an object with its name.
 * @throws Error for a function that is not known here, and for a repeated key
 */
export function parseTemplate(text: string): Template {
  const tags: (ScalarTag | CollectionTag)[] = [
    ...scalars.map((name): ScalarTag => ({ tag: `!${name}`, resolve: (value) => ({ [name]: value }) })),
    ...lists.map(
      (name): CollectionTag => ({
        tag: `!${name}`,
        collection: 'seq',
        // Kept as a list whose first item is the function's name.
        resolve: (list) => {
          (list as YAMLSeq).items.unshift(`!${name}`);
          return list;
        },
      }),
    ),
  ];
  const raw = parse(text, { customTags: tags, schema: 'core' }) as Template;
  return named(raw) as Template;
}

/** Turns the marked lists into calls. */
function named(value: unknown): unknown {
  if (Array.isArray(value)) {
    const [first, ...rest] = value as unknown[];
    const name = lists.find((one) => first === `!${one}`);
    return name ? { [name]: rest.map(named) } : value.map(named);
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, named(one)]));
}

/** The names of parameters, resources and conditions that a template refers to. */
export function namesIn(value: unknown): { readonly values: string[]; readonly conditions: string[] } {
  const found = { values: [] as string[], conditions: [] as string[] };
  const look = (one: unknown): void => {
    if (typeof one !== 'object' || one === null) return;
    const { Ref, GetAtt, Sub, If } = one as Record<string, any>;
    if (typeof Ref === 'string') found.values.push(Ref);
    if (typeof GetAtt === 'string') found.values.push(GetAtt.split('.')[0]!);
    if (typeof Sub === 'string')
      found.values.push(...Array.from(Sub.matchAll(/\$\{([\w:]+)[.\w]*\}/g), ([, name]) => name!));
    if (Array.isArray(If)) found.conditions.push(If[0]);
    for (const inner of Object.values(one)) look(inner);
  };
  look(value);
  return found;
}

/** A part of a template with these values for its parameters; a value that only AWS knows becomes its own name. */
export function workedOut(template: Template, part: unknown, parameters: Readonly<Record<string, string>>): any {
  const nothing = Symbol('AWS::NoValue');
  const valueOf = (name: string) =>
    name === 'AWS::NoValue' ? nothing : (parameters[name] ?? template.Parameters[name]?.Default ?? name);
  const work = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(work).filter((one) => one !== nothing);
    if (typeof value !== 'object' || value === null) return value;
    const [[name, given] = [], ...more] = Object.entries(value as Call);
    if (more.length === 0) {
      if (name === 'Ref') return valueOf(given as string);
      if (name === 'GetAtt') return given;
      if (name === 'Sub')
        return (given as string).replaceAll(/\$\{([\w:]+)\}/g, (_, one: string) => valueOf(one) as string);
      if (name === 'Not') return !work((given as unknown[])[0]);
      if (name === 'Equals') return work((given as unknown[])[0]) === work((given as unknown[])[1]);
      if (name === 'If') {
        const [condition, yes, no] = given as [string, unknown, unknown];
        return work(work(template.Conditions?.[condition]) ? yes : no);
      }
    }
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, work(one)]));
  };
  return work(part);
}
