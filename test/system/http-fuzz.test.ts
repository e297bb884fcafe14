// Every route that the daemon's own API document names, asked with what the document allows and with what it does not.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { broadcast } from '#test/support/broadcast.ts';

const rules = `
receivers: [{name: noc, webhook_configs: [{url: "http://127.0.0.1:9/"}]}]
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{put_metadata: {payload: {type: slate}}}]
  - name: called
    mode: enforce
    trigger: {http: {name: go}}
    actions: [{notify: {receiver: noc, text: called}}]
`;
/** Each asks every operation once. */
const rounds = 30;
/** What these end or repeat is seldom there: bulk actions, timers, messages that failed, intents, stopped rules. */
const needMore = /bulk|timers|resend|intents|reset/;
/** No answer may take longer; the daemon itself gives up after 15 s. */
const longestMs = 10_000;

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly { readonly in: string; readonly name: string; readonly schema: Schema }[];
  readonly body: Schema | undefined;
  readonly statuses: readonly string[];
  readonly streams: boolean;
}

type Schema = any;

test('whatever is sent to any route of the API document, the answer is in it, never a failure of ours, never missing', async () => {
  await using platform = await broadcast();
  const arns = (await platform.simulator.control.createChannels(3)).map(({ arn }) => arn);
  for (const arn of arns.slice(1)) await platform.simulator.control.goLive(arn);
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-fuzz-'));
  await using daemon = await platform.daemon({ rules });
  const operations = operationsOf((await daemon.ask('GET', '/docs/json')).body);
  // What there is, so that requests find it; ids join as answers name them, by noun.
  const ids = new Map<string, string[]>();
  const known: Known = {
    channelArn: fc.constantFrom(...arns),
    channelArns: fc.uniqueArray(fc.constantFrom(...arns), { minLength: 1 }),
    rule: fc.constantFrom('slate', 'called'),
    name: fc.constant('go'),
    account: fc.constant('main'),
    receiver: fc.constant('noc'),
    since: fc.constantFrom('1h', '2026-01-01T00:00:00Z'),
    until: fc.constantFrom('1s', '2036-01-01T00:00:00Z'),
    matchers: fc.constant(['rule="slate"']),
    url: fc.constant('http://127.0.0.1:9/'),
    ...Object.fromEntries(['file', 'url_file', 'hmac_key_file'].map((name) => [name, fc.constant(join(folder, name))])),
  };
  const idFor = (noun: string) =>
    fc.nat().map((n) => {
      const given = ids.get(noun) ?? ['none'];
      return given[n % given.length]!;
    });
  const behindValidation = new Set<string>();
  const succeeded = new Set<string>();

  const ask = async (operation: Operation, { path, body, key }: Request): Promise<void> => {
    const answer = await fetch(daemon.url + path, {
      method: operation.method,
      headers: {
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(longestMs),
    });
    const { status } = answer;
    if (status < 300 && operation.streams) {
      const reader = answer.body!.getReader();
      expect((await reader.read()).done).toBe(false);
      await reader.cancel();
    }
    const text = status < 300 && operation.streams ? '' : await answer.text();
    const json: any = text.startsWith('{') ? JSON.parse(text.split('\n')[0]!) : undefined;
    expect(status, text).toBeLessThan(500);
    if (status >= 400) expect(json).toMatchObject({ code: expect.any(String), remedy: expect.any(String), status });
    else expect(operation.statuses).toContain(String(status));
    const name = `${operation.method} ${operation.path}`;
    if (json?.code !== 'REQUEST_INVALID') behindValidation.add(name);
    if (status < 300) succeeded.add(name);
    for (const [, field, id] of text.matchAll(/"(\w*[iI]d)":"([^"]{1,64})"/g)) {
      const noun = field === 'jobId' ? 'jobs' : nounOf(operation);
      ids.set(noun, [...(ids.get(noun) ?? []), id!].slice(-5));
    }
  };

  try {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(...operations.map((operation) => requestOf(operation, { ...known, id: idFor(nounOf(operation)) }))),
        async (requests) => {
          for (const [index, request] of requests.entries()) {
            const operation = operations[index]!;
            try {
              await ask(operation, request);
            } catch (error) {
              throw new Error(`${operation.method} ${JSON.stringify(request)}`, { cause: error });
            }
          }
        },
      ),
      { numRuns: rounds, endOnFailure: true },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const names = operations.map(({ method, path }) => `${method} ${path}`);
  expect(operations.filter(({ streams }) => streams).map(({ path }) => path)).toEqual([
    '/v1/metadata/batches/{id}/events',
    '/v1/live',
  ]);
  // None was only ever refused at the door, and whatever needs nothing but what is there was done.
  expect(names.filter((name) => !behindValidation.has(name))).toEqual([]);
  expect(names.filter((name) => !succeeded.has(name) && !needMore.test(name))).toEqual([]);
}, 60_000);

/** `metadata` of `/v1/metadata/batches`. */
function nounOf({ path }: Operation): string {
  return path.split('/')[2]!;
}

function operationsOf(document: any): Operation[] {
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

interface Request {
  readonly path: string;
  readonly body: unknown;
  readonly key: string | undefined;
}

/** Values for fields of these names, wherever they stand. */
type Known = Readonly<Record<string, fc.Arbitrary<unknown>>>;

const anyText = fc.string({ unit: 'binary', maxLength: 100 }).map((text) => text.toWellFormed());
const strange = fc.oneof(anyText, fc.constantFrom('..', '%00', '%', 'arn:aws:ivs:us-west-2:1:channel/x'));

/** Right in most places, so that it gets far; then wrong in one, or altogether. */
function requestOf({ method, path, parameters, body }: Operation, known: Known): fc.Arbitrary<Request> {
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

/** Of these objects exactly one field is wanted, which JSON Schema does not say. */
const oneOfItsFields = new Set(['targets', 'action', 'deliver']);

/** Values after a JSON Schema. */
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
