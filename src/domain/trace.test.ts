import { describe, expect, test } from 'vitest';
import { mostFollowed, placeBelow, placeOf, placesIn, traceparentOf } from './trace.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const valid = `00-${traceId}-${spanId}-01`;

describe('a traceparent', () => {
  test('is read and written as W3C Trace Context specifies', () => {
    expect(placeOf(valid)).toEqual({ traceId, spanId, isSampled: true });
    expect(traceparentOf(placeOf(valid)!)).toBe(valid);
    expect(placeOf(`00-${traceId}-${spanId}-00`)?.isSampled).toBe(false);
    expect(placeOf(`00-${traceId}-${spanId}-ff`)?.isSampled).toBe(true);
  });

  test('of a later version is read up to its known parts', () => {
    expect(placeOf(`01-${traceId}-${spanId}-01-more-of-it`)).toEqual({ traceId, spanId, isSampled: true });
  });

  test.each([
    '',
    'x',
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId}-${spanId}`,
    ` ${valid}`,
    `${valid}\n`,
    `01-${traceId}-${spanId}-01-${'x'.repeat(600)}`,
    [valid],
    undefined,
    null,
    1,
  ])('is not %j', (text) => {
    expect(placeOf(text)).toBeUndefined();
  });
});

test('derives a child from its key, in the same trace with the same flags', () => {
  const below = placeBelow(valid, 'd-1');

  expect(placeBelow(valid, 'd-1')).toBe(below);
  expect(placeBelow(valid, 'd-2')).not.toBe(below);
  expect(placeOf(below)).toMatchObject({ traceId, isSampled: true });
  expect(placeOf(below)?.spanId).not.toBe(spanId);
});

test('of stored places only valid ones count, each once, up to a limit', () => {
  const many = Array.from({ length: 100 }, (_, index) => placeBelow(valid, String(index)));

  expect(placesIn([valid, 'nonsense', valid, { valid }, null])).toEqual([valid]);
  expect(placesIn(many)).toEqual(many.slice(0, mostFollowed));
  for (const odd of [undefined, null, valid, { 0: valid, length: 1 }, 7]) expect(placesIn(odd)).toEqual([]);
});
