// The API document is usable by a client generator: ids, security, servers, an example for every body, the shape of errors.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { apiDocument } from '../scripts/docs/api-document.ts';

interface Media {
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
type Contents = Readonly<Record<string, Media>>;
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly in: string }[];
  readonly requestBody?: { readonly content: Contents };
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Contents }>>;
}
interface Document {
  readonly servers: readonly { readonly url: string }[];
  readonly security: readonly object[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly responses: Readonly<Record<string, { readonly content: Contents }>>;
    readonly securitySchemes: object;
  };
}

const document = (await apiDocument()) as unknown as Document;
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, method, operation })),
);
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: 'document', ...document });

/** What is wrong with the examples of a body: there is none, or one that its own schema rejects. */
function faultsOf(contents: Contents): string[] {
  return Object.entries(contents).flatMap(([type, { schema, example, examples }]) => {
    const reference = (schema as { $ref?: string }).$ref;
    const validate = ajv.compile(reference === undefined ? schema : { $ref: `document${reference}` });
    const values = examples ? Object.values(examples).map(({ value }) => value) : [example];
    if (values.length === 0 || values[0] === undefined) return [`${type}: no example`];
    return values.flatMap((value) => (validate(value) ? [] : [`${type}: ${ajv.errorsText(validate.errors)}`]));
  });
}

it('every operation has a unique id, in one form', () => {
  const ids = operations.map(({ operation }) => operation.operationId);

  expect(ids.length).toBeGreaterThan(50);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^[a-z][A-Za-z0-9]+$/.test(id))).toEqual([]);
});

it('says where the daemon is, and that a token is needed', () => {
  expect(document.servers.length).toBeGreaterThan(0);
  expect(document.security).toEqual([{ token: [] }]);
  expect(document.components.securitySchemes).toMatchObject({ token: { type: 'http', scheme: 'bearer' } });
});

describe.each(operations)('$name', ({ method, operation }) => {
  it('has a valid example for each request and response body', () => {
    const bodies = [operation.requestBody, ...Object.values(operation.responses)];

    expect(bodies.flatMap((body) => (body?.content ? faultsOf(body.content) : []))).toEqual([]);
  });

  it('says how it is refused', () => {
    const { responses, parameters = [] } = operation;
    const wanted = ['401', '429', '503', 'default', ...(method === 'get' ? [] : ['403'])];
    if (parameters.some((parameter) => parameter.in === 'path')) wanted.push('400', '404');

    expect(Object.keys(responses)).toEqual(expect.arrayContaining(wanted));
    for (const status of wanted) expect(responses[status]!.$ref).toMatch(/^#\/components\/responses\//);
  });

  it('lets clients work with a later version: its answers may have more fields', () => {
    const answers = Object.values(operation.responses).map(({ content }) => content);

    expect(JSON.stringify(answers)).not.toContain('"additionalProperties":false');
  });
});

it('every refusal is a problem with an example', () => {
  for (const { content } of Object.values(document.components.responses)) {
    expect(Object.keys(content)).toEqual(['application/problem+json']);
    expect(faultsOf(content)).toEqual([]);
  }
});
