// Small pieces of Markdown, and tables generated from JSON Schema.
import { durationPattern } from '#domain/action.ts';

/** The part of JSON Schema that we use. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
}

export interface Setting {
  /** `polling.full_interval`, `accounts[].name`. */
  readonly path: string;
  readonly type: string;
  /** As written in YAML; undefined: none. */
  readonly initial: string | undefined;
  readonly required: boolean;
  readonly description: string;
}

/** Every setting below an object, depth first. */
export function settingsOf(schema: JsonSchema, prefix = ''): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]): Setting[] => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const inner = property.items?.properties ? property.items : property;
    const below = inner.properties ? settingsOf(inner, inner === property ? path : `${path}[]`) : [];
    // An object with settings of its own needs a row only if there is something to say about it.
    if (below.length > 0 && property.description === undefined) return below;
    const own: Setting = {
      path,
      type: typeOf(property),
      initial: below.length > 0 || property.default === undefined ? undefined : JSON.stringify(property.default),
      required: (schema.required ?? []).includes(name),
      description: property.description ?? '',
    };
    return [own, ...below];
  });
}

/** The type in plain words. */
function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined)
    return code(typeof schema.const === 'string' ? schema.const : JSON.stringify(schema.const));
  if (schema.enum)
    return schema.enum.map((value) => code(typeof value === 'string' ? value : JSON.stringify(value))).join(', ');
  if (schema.pattern === durationPattern) return 'duration';
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  if (schema.type === 'array')
    return schema.items && Object.keys(schema.items).length > 0 ? `list of ${typeOf(schema.items)}` : 'list';
  if (schema.type === 'object') return 'object';
  if (schema.type === 'integer') return `whole number${range(schema)}`;
  if (schema.type === 'number') return `number${range(schema)}`;
  if (schema.type === 'boolean') return '`true`, `false`';
  if (schema.type === 'string') return 'text';
  return 'anything';
}

function range({ minimum, maximum }: JsonSchema): string {
  const upper = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const lower = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum;
  if (lower !== undefined && upper !== undefined) return `, ${lower} to ${upper}`;
  if (upper !== undefined) return `, at most ${upper}`;
  return lower === undefined ? '' : `, at least ${lower}`;
}

/** A table of settings. */
export function settingsTable(settings: readonly Setting[]): string {
  return table(
    ['Name', 'Type', 'Default', 'Meaning'],
    settings.map(({ path, type, initial, required, description }) => [
      code(path),
      type,
      initial === undefined ? (required ? '(required)' : '') : code(initial),
      description,
    ]),
  );
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}
