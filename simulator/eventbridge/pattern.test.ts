import { describe, expect, it } from 'vitest';
import { compilePattern, PatternError } from './pattern.ts';

const matches = (pattern: unknown, event: unknown): boolean => compilePattern(pattern)(event);
/** A pattern and an event for the one field `a`. */
const onA = (pattern: unknown[], value: unknown): boolean => matches({ a: pattern }, { a: value });

describe('an event pattern', () => {
  it('combines the members of a field with OR and the fields with AND, and ignores what it does not name', () => {
    const pattern = { source: ['aws.ivs'], detail: { event_name: ['Stream Start', 'Stream End'] } };
    expect(matches(pattern, { source: 'aws.ivs', detail: { event_name: 'Stream End', channel_name: 'x' } })).toBe(true);
    expect(matches(pattern, { source: 'aws.ivs', detail: { event_name: 'Session Ended' } })).toBe(false);
    expect(matches(pattern, { source: 'aws.ivs', detail: {} })).toBe(false);
    expect(matches({ 'detail.event_name': ['x'] }, { detail: { event_name: 'x' } })).toBe(true);
  });

  it.each<[unknown[], unknown, boolean]>([
    [['x'], 'x', true],
    [['x'], 'X', false],
    [[5], 5, true],
    [[5], '5', false],
    [[true], 'true', false],
    [[null], null, true],
    [[''], '', true],
    [[300], 300.0, true],
    [[{ prefix: 'us-' }], 'us-west-2', true],
    [[{ prefix: '' }], 'anything', true],
    [[{ prefix: 'arn' }], [], false],
    [[{ prefix: { 'equals-ignore-case': 'ab' } }], 'ABc', true],
    [[{ suffix: '.png' }], 'a.png', true],
    [[{ suffix: { 'equals-ignore-case': '.PNG' } }], 'a.png', true],
    [[{ 'equals-ignore-case': 'abc' }], 'ABC', true],
    [[{ 'equals-ignore-case': 'abc' }], 5, false],
    [[{ wildcard: 'dir/*.png' }], 'dir/sub/a.png', true],
    [[{ wildcard: 'dir/*.png' }], 'xdir/a.png', false],
    [[{ wildcard: '*' }], '', true],
    [[{ wildcard: '*' }], 5, false],
    [[{ wildcard: 'a\\*b' }], 'a*b', true],
    [[{ wildcard: 'a\\*b' }], 'axb', false],
    [[{ wildcard: '*a*b*' }], 'xxaxxbxx', true],
    [[{ wildcard: 'a*b' }], 'abab', true],
    [[{ 'anything-but': 'x' }], 'y', true],
    [[{ 'anything-but': 'x' }], undefined, false],
    [[{ 'anything-but': 'x' }], [], false],
    [[{ 'anything-but': 'x' }], { b: 1 }, false],
    [[{ 'anything-but': 'x' }], ['x', 'y'], true],
    [[{ 'anything-but': 'x' }], ['x'], false],
    [[{ 'anything-but': ['x', 'y'] }], 'y', false],
    [[{ 'anything-but': [1, 2] }], 3, true],
    [[{ 'anything-but': 'x' }], null, true],
    [[{ 'anything-but': { prefix: 'us-' } }], ['us-1', 'eu-1'], true],
    [[{ 'anything-but': { prefix: 'us-' } }], 5, true],
    [[{ 'anything-but': { prefix: ['us-', 'eu-'] } }], 'eu-1', false],
    [[{ 'anything-but': { suffix: '.png' } }], 'a.png', false],
    [[{ 'anything-but': { 'equals-ignore-case': ['x'] } }], 'X', false],
    [[{ 'anything-but': { wildcard: '*/lib/*' } }], 'a/lib/b', false],
    [[{ numeric: ['=', 5] }], 5, true],
    [[{ numeric: ['>', 0, '<=', 5] }], 5, true],
    [[{ numeric: ['>', 0, '<=', 5] }], 0, false],
    [[{ numeric: ['>', 1] }], '5', false],
    [[{ cidr: '10.0.0.0/24' }], '10.0.0.77', true],
    [[{ cidr: '10.0.0.0/24' }], '10.0.1.77', false],
    [[{ cidr: '2001:db8::/32' }], '2001:db8::1', true],
    [[{ cidr: '10.0.0.0/24' }], 'no address', false],
    [[{ exists: true }], { b: 1 }, false],
    [[{ exists: true }], [], false],
    [[{ exists: true }], null, true],
    [[{ exists: false }], { b: 1 }, true],
    [[{ exists: false }], [], true],
    [[{ exists: false }], undefined, true],
    [[{ exists: false }], 'x', false],
    [[{ prefix: 'z' }, { exists: false }], 'zz', true],
    [[{ prefix: 'z' }, { exists: false }], undefined, true],
    [[{ prefix: 'z' }, { exists: false }], 'a', false],
  ])('%j against %j returns %s', (pattern, value, expected) => {
    expect(onA(pattern, value)).toBe(expected);
  });

  it('matches fields under an array only within one element', () => {
    const event = {
      e: [
        { f: 'A', l: 'S' },
        { f: 'J', l: 'D' },
      ],
    };
    expect(matches({ e: { f: ['A'], l: ['D'] } }, event)).toBe(false);
    expect(matches({ e: { f: ['J'], l: ['D'] } }, event)).toBe(true);
    expect(matches({ e: { x: [{ exists: false }] } }, { e: [] })).toBe(true);
  });

  it('accepts $or in place of a field, also nested, and merges a field named inside and outside', () => {
    const or = { $or: [{ a: ['x'] }, { b: [{ numeric: ['>', 5] }] }] };
    expect([matches(or, { a: 'x' }), matches(or, { b: 6 }), matches(or, { a: 'y', b: 1 })]).toEqual([
      true,
      true,
      false,
    ]);
    expect(matches({ d: { $or: [{ a: [1] }, { b: [2] }] } }, { d: { b: 2 } })).toBe(true);
    expect(matches({ a: ['x'], $or: [{ a: ['y'] }, { b: ['q'] }] }, { a: 'y', b: 'z' })).toBe(true);
  });

  it('finds account-level limit breaches by their empty resources', () => {
    expect(matches({ resources: [{ exists: false }] }, { resources: [] })).toBe(true);
    expect(matches({ resources: [{ prefix: 'arn:aws:ivs' }] }, { resources: ['arn:aws:ivs:x'] })).toBe(true);
  });

  it.each<[string, unknown]>([
    ['empty', {}],
    ['an empty leaf', { a: [] }],
    ['a bare value', { a: 1 }],
    ['an empty object', { a: {} }],
    ['an object in a leaf', { a: [{ b: [1] }] }],
    ['two operators in one object', { a: [{ prefix: 'a', suffix: 'b' }] }],
    ['an unknown operator', { a: [{ like: 'a' }] }],
    ['$or with one member', { $or: [{ a: [1] }] }],
    ['an empty anything-but', { a: [{ 'anything-but': [] }] }],
    ['a mixed anything-but', { a: [{ 'anything-but': ['x', 1] }] }],
    ['an empty anything-but prefix', { a: [{ 'anything-but': { prefix: '' } }] }],
    ['a range upside down', { a: [{ numeric: ['<', 10, '>', 0] }] }],
    ['an unknown comparison', { a: [{ numeric: ['!=', 10] }] }],
    ['a cidr without a mask', { a: [{ cidr: '10.0.0.0' }] }],
    ['two stars in a row', { a: [{ wildcard: 'a**b' }] }],
    ['an invalid escape', { a: [{ wildcard: 'a\\b' }] }],
    ['exists with a string', { a: [{ exists: 'yes' }] }],
    ['text that is not JSON', '{'],
  ])('refuses %s', (_, pattern) => {
    expect(() => compilePattern(pattern)).toThrow(PatternError);
  });

  it('is not trapped by a hostile wildcard, which would backtrack forever', () => {
    const test = compilePattern({ a: [{ wildcard: `${'*a'.repeat(40)}*b` }] });
    expect(test({ a: 'a'.repeat(20_000) })).toBe(false);
  });
});
