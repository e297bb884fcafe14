// What remedies tell people to set exists: every setting that they name is in the schema.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { configSchema } from '#config/schema.ts';
import { decisionReasons } from '#domain/decision.ts';
import { errorCatalog } from '#domain/error-catalog.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
}

const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Schema;

/** Paths of settings, such as `http.max_body_bytes`, and every name of a field or a value in them. */
const paths = new Set<string>();
const names = new Set<string>();
(function walk({ properties = {}, items, anyOf = [], enum: values = [] }: Schema, path: readonly string[]): void {
  for (const value of values) names.add(String(value));
  for (const [name, inner] of Object.entries(properties)) {
    names.add(name);
    paths.add([...path, name].join('.'));
    walk(inner, [...path, name]);
  }
  if (items) walk(items, path);
  for (const inner of anyOf) walk(inner, path);
})(schema, []);

/** Words of the API and of alerts that look like settings. */
const others = new Set(['channelArn', 'state_lost']);
const files = /\b(?:docs\/)?[\w-]+\.(?:md|yaml|ts|json)\b/g;

function unknownIn(text: string): string[] {
  const plain = text.replace(files, '').replaceAll(/https?:\S+|\b(?:iam|sqs|ivs|sts|events):\w+|\/v1\/\S+/g, '');
  const dotted = Array.from(plain.matchAll(/\b[a-z]\w*(?:\.[a-zA-Z]\w*)+\b/g), ([path]) => path);
  const words = Array.from(
    plain.matchAll(/(?<![\w.-])(?:[a-z]+(?:_[a-z]+)+|[a-z]+[A-Z]\w*)(?![\w.-]*\w\.)/g),
    ([word]) => word,
  );
  return [
    ...dotted.filter((path) => !paths.has(path)),
    ...words.filter((word) => !names.has(word) && !others.has(word) && !dotted.some((path) => path.includes(word))),
  ];
}

test('every setting that a remedy names exists', () => {
  const entries = Object.entries({ ...errorCatalog, ...decisionReasons });
  const strangers = entries.flatMap(([code, { remedy, meaning }]) =>
    [...unknownIn(remedy), ...unknownIn(meaning)].map((name) => `${code}: ${name}`),
  );

  expect(strangers).toEqual([]);
});

test('a setting with another name, or in another section, is found', () => {
  expect(unknownIn('Raise shutdownWindowMs; check events.queueUrl and `http.share`, or max_bodies.')).toEqual([
    'events.queueUrl',
    'http.share',
    'shutdownWindowMs',
    'max_bodies',
  ]);
  expect(unknownIn('Raise `shutdown_window`, `limits.share` or max_live_percent (if_live: fail).')).toEqual([]);
});
