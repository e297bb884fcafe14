// Requests for every operation of the daemon's own API document: mostly valid, so that they get far, sometimes wrong.
import fc from 'fast-check';

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly { readonly in: string; readonly name: string; readonly schema: Schema }[];
  readonly body: Schema | undefined;
  readonly statuses: readonly string[];
  readonly streams: boolean;
}

export type Schema = any;

/** `metadata` of `/v1/metadata/batches`. */
export function nounOf({ path }: Operation): string {
  return path.split('/')[2]!;
}

export function operationsOf(document: any): Operation[] {
  return Object.entries<any>(document.paths).flatMap(([path, item]) =>
    Object.entries<any>(item).map(([method, { parameters = [], requestBody, responses }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      body: requestBody?.content['application/json'].schema,
      statuses: Object.keys(responses),
      streams: 'text/event-stream' in (responses['200']?.content ?? {}),
    })),
  );
}

export interface Request {
  readonly path: string;
  readonly body: unknown;
  readonly key: string | undefined;
}

/** Values for fields with these names, anywhere. */
export type Known = Readonly<Record<string, fc.Arbitrary<unknown>>>;

const anyText = fc.string({ unit: 'binary', maxLength: 100 }).map((text) => text.toWellFormed());
const strange = fc.oneof(anyText, fc.constantFrom('..', '%00', '%', 'arn:aws:ivs:us-west-2:1:channel/x'));

/** Valid in most places, so that it gets far; then wrong in one, or altogether. */
export function requestOf({ method, path, parameters, body }: Operation, known: Known): fc.Arbitrary<Request> {
  const inPath = fc.record(
    Object.fromEntries(
      parameters
        .filter((parameter) => parameter.in === 'path')
        .map(({ name, schema }) => [name, mostly(valueOf(schema, name, known), strange)]),
    ),
  );
  const query = fc.record(
    Object.fromEntries(
      parameters
        .filter((parameter) => parameter.in === 'query')
        .map(({ name, schema }) => [name, mostly(valueOf(schema, name, known), strange)]),
    ),
    { requiredKeys: [] },
  );
  const takesKey = parameters.some((parameter) => parameter.in === 'header');
  return fc.record({
    path: fc.tuple(inPath, query, mostly(fc.constant(''), fc.webQueryParameters())).map(([values, asked, odd]) => {
      const filled = path.replaceAll(
        /\{(\w+)\}/g,
        (_, name: string) => encodeURIComponent(String(values[name])) || '_',
      );
      const pairs = Object.entries(asked).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
      return `${filled}?${[...pairs, odd].join('&')}`;
    }),
    body:
      method === 'GET' ? fc.constant(undefined) : body ? bodyOf(body, known) : fc.option(fc.json(), { nil: undefined }),
    key: takesKey ? fc.option(fc.oneof(fc.uuid(), fc.constant('again')), { nil: undefined }) : fc.constant(undefined),
  });
}

function bodyOf(schema: Schema, known: Known): fc.Arbitrary<unknown> {
  const right = valueOf(schema, '', known);
  const added = fc
    .tuple(right, fc.string(), fc.jsonValue())
    .map(([value, name, odd]) => ({ ...(value as object), [name]: odd }));
  const emptied = right.map((value) => Object.fromEntries(Object.entries(value ?? {}).slice(1)));
  return fc.oneof({ weight: 8, arbitrary: right }, added, emptied, fc.jsonValue());
}

function mostly<T, U>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<U>): fc.Arbitrary<T | U> {
  return fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: rare });
}

/** These objects need exactly one field, which JSON Schema does not say. */
const oneOfItsFields = new Set(['targets', 'action', 'deliver']);

/** Values that match a JSON Schema. */
function valueOf(schema: Schema, name: string, known: Known): fc.Arbitrary<unknown> {
  const inner = (child: Schema, childName: string) => valueOf(child, childName, known);
  if (known[name]) return known[name];
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((child: Schema) => inner(child, '')));
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object': {
      const fields = Object.entries<Schema>(schema.properties ?? {}).map(
        ([key, child]) => [key, inner(child, key)] as const,
      );
      if (oneOfItsFields.has(name)) return fc.oneof(...fields.map(([key, value]) => fc.record({ [key]: value })));
      // A channel or targets, which JSON Schema does not say either.
      const rivals = [['targets'], ['channelArn', 'streamId']].filter(([first]) => schema.properties?.[first!]);
      if (rivals.length === 2) {
        const without = (left: readonly string[]) =>
          inner(
            {
              ...schema,
              properties: Object.fromEntries(Object.entries(schema.properties).filter(([key]) => !left.includes(key))),
            },
            '',
          );
        return fc.oneof(...rivals.map(without));
      }
      if (schema.additionalProperties === false && fields.length === 0) return fc.constant({});
      if (fields.length > 0) return fc.record(Object.fromEntries(fields), { requiredKeys: schema.required ?? [] });
      const value = schema.additionalProperties?.type ? inner(schema.additionalProperties, '') : fc.jsonValue();
      return fc.dictionary(fc.string({ minLength: 1, maxLength: 100, unit: 'binary' }), value, { maxKeys: 4 });
    }
    case 'array':
      return fc.array(inner(schema.items, ''), { minLength: schema.minItems ?? 0, maxLength: 3 });
    case 'string':
      if (schema.pattern?.includes('ms)?')) return fc.constantFrom('1s', '5m');
      if (schema.pattern) return fc.stringMatching(new RegExp(schema.pattern));
      return fc.string({
        unit: 'binary',
        minLength: schema.minLength ?? 0,
        maxLength: Math.min(schema.maxLength ?? 1200, 1200),
      });
    case 'integer':
    case 'number':
      return fc.integer({ min: Math.max(schema.minimum ?? -5, -5), max: Math.min(schema.maximum ?? 1000, 1000) });
    case 'boolean':
      return fc.boolean();
    default:
      return fc.jsonValue();
  }
}
