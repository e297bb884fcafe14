import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { envelopeIn, eventShape } from './schema.ts';

const text = readFileSync(
  new URL('../../../test/fixtures/events/stream-state-change-stream-start.json', import.meta.url),
  'utf8',
);
const event = JSON.parse(text) as Readonly<Record<string, unknown>>;

test('a complete event is taken as it is, with fields that nobody knows, and nothing is copied', () => {
  for (const json of [event, { ...event, new: { a: [1] } }, { ...event, resources: [] }]) {
    const read = envelopeIn(json);
    if (!('envelope' in read)) throw new Error(read.problem);
    expect(read.envelope).toBe(json);
    expect(eventShape.parse(json)).toEqual(json);
  }
});

test.each([
  ['version', undefined],
  ['account', ''],
  ['region', ''],
  ['resources', []],
])('an event without %s is completed', (field, value) => {
  const { [field]: _left, ...rest } = event;

  expect(envelopeIn(rest)).toEqual({ envelope: value === undefined ? rest : { ...rest, [field]: value } });
});

test('a field that is named like the prototype is left out, in the event and in its detail', () => {
  const fields = '"__proto__":{"x":1}';
  const inEvent = JSON.parse(text.replace('{', `{${fields},`)) as unknown;
  const inDetail = JSON.parse(text.replace(/"detail":\s*\{/, `"detail":{${fields},`)) as unknown;

  for (const json of [inEvent, inDetail]) {
    const read = envelopeIn(json);
    expect(read).toEqual({ envelope: event });
    if (!('envelope' in read)) throw new Error('not an event');
    expect(Object.hasOwn(read.envelope, '__proto__')).toBe(false);
    expect(Object.hasOwn(read.envelope.detail, '__proto__')).toBe(false);
  }
});

test('whatever a value has, the verdict is the schema’s', () => {
  const times = [
    '2026-02-29T00:00:00Z',
    '2024-02-29T00:00:00Z',
    '2026-11-30T10:00:00+01:00',
    '2026-11-30T10:00:00',
    '',
  ];
  const lengths = fc.constantFrom(0, 1, 256, 257).map((length) => 'x'.repeat(length));
  const wrong = fc.oneof(lengths, fc.constantFrom(...times), fc.jsonValue(), fc.constant(undefined));
  const changed = fc.tuple(fc.constantFrom(...Object.keys(event)), wrong);

  fc.assert(
    fc.property(fc.array(changed, { maxLength: 3 }), (changes) => {
      const json = { ...event, ...Object.fromEntries(changes) };
      const expected = eventShape.safeParse(json);
      const read = envelopeIn(json);
      expect('envelope' in read).toBe(expected.success);
      if ('envelope' in read) expect(read.envelope).toEqual(expected.data);
    }),
  );
});
