import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeItem, envelopeOf } from '#metadata/envelope.ts';
import { CueReader, unpackCue } from './cues.ts';

test('the player unpacks what the daemon packs', () => {
  const payload = fc.oneof(
    fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
    fc
      .dictionary(fc.string(), fc.jsonValue())
      .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>),
  );
  fc.assert(
    fc.property(fc.array(payload, { minLength: 1, maxLength: 8 }), (payloads) => {
      const text = envelopeOf(payloads.map((payload, index) => encodeItem({ id: `id${index}`, t: index, payload })));

      expect(unpackCue(text)).toEqual(payloads.map((data, t) => ({ id: `id${t}`, acceptedAtMs: t, data })));
    }),
    { numRuns: 50 },
  );
});

const plain = (data: unknown) => [{ id: undefined, acceptedAtMs: undefined, data }];

test('a cue without an envelope is one item, and malformed text never throws', () => {
  for (const text of ['hello', '', '{broken', '[1,', 'null', '5', 'true', '"quoted"', ' {']) {
    expect(unpackCue(text)).toEqual(plain(text));
  }
  expect(unpackCue('{"v":2,"items":[]}')).toEqual(plain({ v: 2, items: [] }));
  expect(unpackCue('{"v":1,"items":3}')).toEqual(plain({ v: 1, items: 3 }));
  expect(unpackCue('{"v":1,"items":[null,3,{},{"d":7},{"id":5,"t":"x","d":null}]}')).toEqual([
    { id: undefined, acceptedAtMs: undefined, data: 7 },
    { id: undefined, acceptedAtMs: undefined, data: null },
  ]);
});

test.each<[string | Record<string, unknown>, unknown]>([
  [{ my: 'metadata' }, { my: 'metadata' }],
  ['{"my": "metadata"}', { my: 'metadata' }],
  [' {"my":\n"metadata"} ', { my: 'metadata' }],
  ['[1, 2]', [1, 2]],
  ['{"v": 2}', { v: 2 }],
  ['goal', 'goal'],
  ['5', '5'],
  ['true', 'true'],
  ['null', 'null'],
  ['"quoted"', '"quoted"'],
  ['{not JSON}', '{not JSON}'],
  ['', ''],
])('a payload has the same type, packed, unpacked or from another sender: %j', (payload, data) => {
  const alone = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const packed = envelopeOf([encodeItem({ id: 'a', t: 1, payload })]);

  expect(new CueReader().read(alone)).toEqual(plain(data));
  expect(new CueReader().read(packed)).toEqual([{ id: 'a', acceptedAtMs: 1, data }]);
});

test('drops a repeat, in the same cue or later, and keeps memory bounded', () => {
  const reader = new CueReader({ remember: 3 });
  const read = (...ids: string[]) =>
    reader.read(envelopeOf(ids.map((id) => encodeItem({ id, t: 1, payload: id })))).map(({ data }) => data);

  expect(read('a', 'b', 'a')).toEqual(['a', 'b']);
  expect(read('b', 'c')).toEqual(['c']);
  expect(read('d')).toEqual(['d']);
  expect(read('b', 'c', 'd')).toEqual([]);
  expect(read('a')).toEqual(['a']);
  expect(reader.read('plain')).toEqual(reader.read('plain'));
  reader.reset();
  expect(read('d')).toEqual(['d']);
});

test('an item that goes to two channels is returned for each of them by a reader of its own', () => {
  const cue = JSON.stringify({ v: 1, items: [{ id: 'a', t: 1, d: 'goal' }] });
  const [one, other] = [new CueReader(), new CueReader()];

  expect([one.read(cue), other.read(cue), other.read(cue)].map(({ length }) => length)).toEqual([1, 1, 0]);
});
