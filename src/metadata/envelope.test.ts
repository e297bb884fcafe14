import fc from 'fast-check';
import { expect, test } from 'vitest';
import { callSizes, encodeItem, encodePlain, envelopeBytes, envelopeOf, newItemId } from './envelope.ts';

test('computes the size of an envelope before it is built', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 8 }), (payloads) => {
      const items = payloads.map((payload) => encodeItem({ id: newItemId(), t: 1_764_000_000_000, payload }));

      const bytes = envelopeBytes(items.map((item) => Buffer.byteLength(item)));

      expect(Buffer.byteLength(envelopeOf(items))).toBe(bytes);
    }),
    { numRuns: 50 },
  );
});

test('replaces half a character with a whole one, so that the counted bytes are the sent bytes', () => {
  expect(encodePlain('a\ud800')).toBe('a\ufffd');
  expect(JSON.parse(encodeItem({ id: 'i', t: 1, payload: '\udc00b' }))).toMatchObject({ d: '\ufffdb' });
});

test('plans calls exactly as they will be packed, byte for byte', () => {
  expect(callSizes([], 100)).toEqual([]);
  expect(callSizes([40, 41], 100)).toEqual([envelopeBytes([40, 41])]);
  expect(callSizes([41, 41], 100)).toEqual([envelopeBytes([41]), envelopeBytes([41])]);
  expect(callSizes([60, 10, 10, 60], 100)).toEqual([envelopeBytes([60, 10, 10]), envelopeBytes([60])]);
  expect(new Set(Array.from({ length: 1000 }, newItemId)).size).toBe(1000);
});
