import { describe, expect, it } from 'vitest';
import { cpuMsOf } from '#test/support/effort.ts';
import { compilePattern, matcherOf } from './pattern.ts';

/** Field `a` holds this list; the document; whether it matches. */
type Row = readonly [members: readonly unknown[], document: object, matches: boolean];

/** Every operator with its corner cases: EventBridge's documentation, and the behaviour of its reference matcher. */
const table: Readonly<Record<string, readonly Row[]>> = {
  'an exact value is strict about its type': [
    [['x'], { a: 'x' }, true],
    [['x'], { a: 'X' }, false],
    [['x'], {}, false],
    [[''], { a: '' }, true],
    [[5], { a: 5 }, true],
    [[5], { a: '5' }, false],
    [['5'], { a: 5 }, false],
    [[true], { a: true }, true],
    [[true], { a: 'true' }, false],
    [[false], { a: false }, true],
    [[null], { a: null }, true],
    [[null], {}, false],
    [[null], { a: 'null' }, false],
    [['x', 'y'], { a: 'y' }, true],
    [[300], { a: 3.0e2 }, true],
  ],
  'a list in the document matches when any element does': [
    [['x'], { a: ['z', 'x'] }, true],
    [['x'], { a: [] }, false],
    [['x'], { a: [['x']] }, true],
  ],
  'prefix and suffix look at strings only': [
    [[{ prefix: 'us-' }], { a: 'us-1' }, true],
    [[{ prefix: 'us-' }], { a: 'US-1' }, false],
    [[{ prefix: '' }], { a: '' }, true],
    [[{ prefix: '' }], { a: 7 }, false],
    [[{ prefix: 'arn' }], { a: [] }, false],
    [[{ prefix: { 'equals-ignore-case': 'ab' } }], { a: 'ABc' }, true],
    [[{ suffix: '.png' }], { a: 'x.png' }, true],
    [[{ suffix: '.png' }], { a: 'x.PNG' }, false],
    [[{ suffix: '' }], { a: 'x' }, true],
    [[{ suffix: { 'equals-ignore-case': '.PNG' } }], { a: 'x.png' }, true],
    [[{ prefix: '5' }], { a: 55 }, false],
  ],
  'equals-ignore-case looks at strings only': [
    [[{ 'equals-ignore-case': 'aBc' }], { a: 'AbC' }, true],
    [[{ 'equals-ignore-case': 'abc' }], { a: 'abcd' }, false],
    [[{ 'equals-ignore-case': 'true' }], { a: true }, false],
  ],
  'a wildcard is anchored at both ends': [
    [[{ wildcard: 'dir/*.png' }], { a: 'dir/a/b.png' }, true],
    [[{ wildcard: 'dir/*.png' }], { a: 'dir/.png' }, true],
    [[{ wildcard: 'dir/*.png' }], { a: 'xdir/a.png' }, false],
    [[{ wildcard: '*' }], { a: '' }, true],
    [[{ wildcard: '*' }], { a: 5 }, false],
    [[{ wildcard: 'a*a' }], { a: 'a' }, false],
    [[{ wildcard: '*a*b*' }], { a: 'xxaxxbxx' }, true],
    [[{ wildcard: '*a*b*' }], { a: 'xxbxxaxx' }, false],
    [[{ wildcard: 'a\\*b' }], { a: 'a*b' }, true],
    [[{ wildcard: 'a\\*b' }], { a: 'axb' }, false],
    [[{ wildcard: 'a\\\\*' }], { a: 'a\\b' }, true],
    [[{ wildcard: 'plain' }], { a: 'plain' }, true],
  ],
  'anything-but matches whatever exists and differs, of any type': [
    [[{ 'anything-but': 'x' }], { a: 'y' }, true],
    [[{ 'anything-but': 'x' }], { a: 'x' }, false],
    [[{ 'anything-but': 'x' }], { a: 5 }, true],
    [[{ 'anything-but': 'x' }], { a: null }, true],
    [[{ 'anything-but': 'x' }], { a: true }, true],
    [[{ 'anything-but': 'x' }], {}, false],
    [[{ 'anything-but': 'x' }], { a: [] }, false],
    [[{ 'anything-but': 'x' }], { a: { b: 1 } }, false],
    [[{ 'anything-but': 'x' }], { a: ['x', 'y'] }, true],
    [[{ 'anything-but': 'x' }], { a: ['x'] }, false],
    [[{ 'anything-but': ['x', 'y'] }], { a: 'y' }, false],
    [[{ 'anything-but': [1, 2] }], { a: 2 }, false],
    [[{ 'anything-but': [1, 2] }], { a: '2' }, true],
    [[{ 'anything-but': { prefix: 'us-' } }], { a: ['us-1', 'eu-1'] }, true],
    [[{ 'anything-but': { prefix: 'us-' } }], { a: 5 }, true],
    [[{ 'anything-but': { prefix: ['us-', 'eu-'] } }], { a: 'eu-1' }, false],
    [[{ 'anything-but': { suffix: '.png' } }], { a: 'x.jpg' }, true],
    [[{ 'anything-but': { suffix: ['.png', '.jpg'] } }], { a: 'x.jpg' }, false],
    [[{ 'anything-but': { 'equals-ignore-case': 'X' } }], { a: 'x' }, false],
    [[{ 'anything-but': { 'equals-ignore-case': ['X', 'Y'] } }], { a: 'z' }, true],
    [[{ 'anything-but': { wildcard: '*/lib/*' } }], { a: 'a/lib/b' }, false],
    [[{ 'anything-but': { wildcard: ['*/lib/*', 'x*'] } }], { a: 'src' }, true],
  ],
  'numeric looks at JSON numbers only': [
    [[{ numeric: ['=', 5] }], { a: 5 }, true],
    [[{ numeric: ['>', 1] }], { a: '5' }, false],
    [[{ numeric: ['>', 1] }], { a: 1 }, false],
    [[{ numeric: ['>=', 1] }], { a: 1 }, true],
    [[{ numeric: ['<', 1] }], { a: 0.999999 }, true],
    [[{ numeric: ['<=', -1] }], { a: -1 }, true],
    [[{ numeric: ['>', 0, '<=', 5] }], { a: 5 }, true],
    [[{ numeric: ['>', 0, '<=', 5] }], { a: 0 }, false],
    [[{ numeric: ['>=', 0, '<', 5] }], { a: 5 }, false],
  ],
  'cidr looks at addresses': [
    [[{ cidr: '10.0.0.0/24' }], { a: '10.0.0.255' }, true],
    [[{ cidr: '10.0.0.0/24' }], { a: '10.0.1.0' }, false],
    [[{ cidr: '10.0.0.0/24' }], { a: 'ten' }, false],
    [[{ cidr: '10.0.0.0/24' }], { a: 10 }, false],
    [[{ cidr: '2001:db8::/32' }], { a: '2001:db8::1' }, true],
    [[{ cidr: '2001:db8::/32' }], { a: '10.0.0.1' }, false],
    [[{ cidr: '0.0.0.0/0' }], { a: '255.1.2.3' }, true],
  ],
  'exists looks at leaves only': [
    [[{ exists: true }], { a: 'x' }, true],
    [[{ exists: true }], { a: null }, true],
    [[{ exists: true }], { a: { b: 1 } }, false],
    [[{ exists: true }], { a: [] }, false],
    [[{ exists: true }], {}, false],
    [[{ exists: false }], {}, true],
    [[{ exists: false }], { a: { b: 1 } }, true],
    [[{ exists: false }], { a: [] }, true],
    [[{ exists: false }], { a: 'x' }, false],
    [[{ exists: false }], { a: null }, false],
    [[{ prefix: 'z' }, { exists: false }], { a: 'zz' }, true],
    [[{ prefix: 'z' }, { exists: false }], {}, true],
    [[{ prefix: 'z' }, { exists: false }], { a: 'a' }, false],
  ],
};

describe.each(Object.entries(table))('%s', (_, rows) => {
  it.each(rows)('a: %j on %j returns %s', (members, document, matches) => {
    expect(matcherOf({ a: members }).match(document)).toBe(matches);
  });
});

describe('the structure of a pattern', () => {
  it.each<readonly [string, object, object, boolean]>([
    ['fields are ANDed', { a: ['x'], b: ['y'] }, { a: 'x', b: 'z' }, false],
    ['fields that are not named do not matter', { a: ['x'] }, { a: 'x', b: 1 }, true],
    ['names join with dots in the pattern', { 'a.b': [1] }, { a: { b: 1 } }, true],
    ['and in the document', { a: { b: [1] } }, { 'a.b': 1 }, true],
    ['a tag key with a dot is found', { tags: { 'my.tag': ['x'] } }, { tags: { 'my.tag': 'x' } }, true],
    ['a tag key with a dot is missed', { tags: { 'my.tag': [{ exists: false }] } }, { tags: { 'my.tag': 'x' } }, false],
    ['deep dotted keys are found', { a: { b: { c: [1] } } }, { 'a.b': { c: 1 } }, true],
    [
      'fields under one list must match within one element',
      { e: { f: ['A'], l: ['D'] } },
      {
        e: [
          { f: 'A', l: 'S' },
          { f: 'J', l: 'D' },
        ],
      },
      false,
    ],
    [
      'one element with both is enough',
      { e: { f: ['A'], l: ['D'] } },
      {
        e: [
          { f: 'J', l: 'D' },
          { f: 'A', l: 'D' },
        ],
      },
      true,
    ],
    [
      'exists: false needs the field missing in every element',
      { e: { g: [{ exists: false }] } },
      { e: [{ g: 1 }, {}] },
      false,
    ],
    [
      'exists: false next to a match checks the same element',
      { e: { f: ['A'], g: [{ exists: false }] } },
      { e: [{ f: 'A', g: 1 }, { f: 'A' }] },
      true,
    ],
    ['an empty list has no fields', { e: { f: [{ exists: false }] } }, { e: [] }, true],
    ['a breach of an account limit has no resources', { resources: [{ exists: false }] }, { resources: [] }, true],
    ['a scalar has no fields below it', { a: { b: [{ exists: true }] } }, { a: 'x' }, false],
    ['$or: the left side', { $or: [{ a: ['x'] }, { b: ['y'] }] }, { a: 'x' }, true],
    ['$or: the right side', { $or: [{ a: ['x'] }, { b: ['y'] }] }, { b: 'y' }, true],
    ['$or: neither', { $or: [{ a: ['x'] }, { b: ['y'] }] }, { a: 'y', b: 'x' }, false],
    ['$or inside a field', { d: { $or: [{ a: [1] }, { b: [2] }] } }, { d: { b: 2 } }, true],
    ['$or inside $or', { $or: [{ a: [1] }, { $or: [{ b: [2] }, { c: [3] }] }] }, { c: 3 }, true],
    ['$or and another field', { z: [0], $or: [{ a: [1] }, { b: [2] }] }, { a: 1 }, false],
    [
      'a field both outside and inside $or is merged, as in EventBridge',
      { a: ['x'], $or: [{ a: ['y'] }, { b: ['q'] }] },
      { a: 'y', b: 'z' },
      true,
    ],
  ])('%s', (_, pattern, document, matches) => {
    expect(matcherOf(pattern as never).match(document)).toBe(matches);
  });

  it('inherited properties are not fields', () => {
    expect(matcherOf({ constructor: { name: [{ exists: true }] } }).match({})).toBe(false);
    expect(matcherOf({ toString: [{ exists: false }] }).match({})).toBe(true);
    expect(matcherOf({ length: [{ exists: true }] }).match([1])).toBe(false);
  });

  it.each([undefined, null, 5, 'x', [], [{ a: 'x' }]])('a document %j has no fields', (document) => {
    expect(matcherOf({ a: ['x'] }).match(document)).toBe(false);
    expect(matcherOf({ a: [{ exists: false }] }).match(document)).toBe(true);
  });

  it('lists nested thousands deep do not exhaust the stack', () => {
    let deep: unknown = 'x';
    for (let level = 0; level < 50_000; level += 1) deep = [deep];

    expect(matcherOf({ a: ['x'] }).match({ a: deep })).toBe(false);
  });

  it('a wildcard of many stars against a long text takes no time', () => {
    const matcher = matcherOf({ a: [{ wildcard: `${'*a'.repeat(200)}*b` }] });

    expect(cpuMsOf(() => expect(matcher.match({ a: 'a'.repeat(100_000) })).toBe(false))).toBeLessThan(500);
  });
});

describe('an invalid pattern is refused, with its place', () => {
  it.each<readonly [unknown, string]>([
    [{}, ''],
    ['x', ''],
    [[], ''],
    [null, ''],
    [{ a: [] }, 'a'],
    [{ a: 1 }, 'a'],
    [{ a: 'x' }, 'a'],
    [{ a: {} }, 'a'],
    [{ a: null }, 'a'],
    [{ '': ['x'] }, ''],
    [{ 'a..b': ['x'] }, 'a..b'],
    [{ a: [{ b: [1] }] }, 'a.0.b'],
    [{ a: [['x']] }, 'a.0'],
    [{ a: [{}] }, 'a.0'],
    [{ a: [{ prefix: 'x', suffix: 'y' }] }, 'a.0'],
    [{ a: ['x', { prefx: 'x' }] }, 'a.1.prefx'],
    [{ a: [{ prefix: 5 }] }, 'a.0.prefix'],
    [{ a: [{ prefix: { 'equals-ignore-case': 5 } }] }, 'a.0.prefix'],
    [{ a: [{ 'equals-ignore-case': ['x'] }] }, 'a.0.equals-ignore-case'],
    [{ a: [{ wildcard: '**' }] }, 'a.0.wildcard'],
    [{ a: [{ wildcard: '\\n' }] }, 'a.0.wildcard'],
    [{ a: [{ wildcard: 'x\\' }] }, 'a.0.wildcard'],
    [{ a: [{ 'anything-but': [] }] }, 'a.0.anything-but'],
    [{ a: [{ 'anything-but': ['x', 5] }] }, 'a.0.anything-but'],
    [{ a: [{ 'anything-but': true }] }, 'a.0.anything-but'],
    [{ a: [{ 'anything-but': null }] }, 'a.0.anything-but'],
    [{ a: [{ 'anything-but': { prefix: '' } }] }, 'a.0.anything-but.prefix'],
    [{ a: [{ 'anything-but': { suffix: [] } }] }, 'a.0.anything-but.suffix'],
    [{ a: [{ 'anything-but': { numeric: ['=', 5] } }] }, 'a.0.anything-but'],
    [{ a: [{ numeric: ['<', 10, '>', 0] }] }, 'a.0.numeric'],
    [{ a: [{ numeric: ['>', 5, '<', 5] }] }, 'a.0.numeric'],
    [{ a: [{ numeric: ['!=', 5] }] }, 'a.0.numeric'],
    [{ a: [{ numeric: ['=', '5'] }] }, 'a.0.numeric'],
    [{ a: [{ numeric: ['=', 6e9] }] }, 'a.0.numeric'],
    [{ a: [{ numeric: ['=', Number.NaN] }] }, 'a.0.numeric'],
    [{ a: [{ numeric: [] }] }, 'a.0.numeric'],
    [{ a: [{ cidr: '10.0.0.0' }] }, 'a.0.cidr'],
    [{ a: [{ cidr: '10.0.0.0/33' }] }, 'a.0.cidr'],
    [{ a: [{ cidr: 'x/8' }] }, 'a.0.cidr'],
    [{ a: [{ exists: 'yes' }] }, 'a.0.exists'],
    [{ a: [Number.POSITIVE_INFINITY] }, 'a.0'],
    [{ a: [undefined] }, 'a.0'],
    [{ $or: [{ a: ['x'] }] }, '$or'],
    [{ $or: { a: ['x'] } }, '$or'],
    [{ $or: [{ a: ['x'] }, {}] }, '$or.1'],
    [{ d: { e: { f: ['ok', { exists: 1 }] } } }, 'd.e.f.1.exists'],
  ])('%j', (pattern, place) => {
    const compiled = compilePattern(pattern);

    expect(compiled.ok).toBe(false);
    expect(compiled.ok ? [] : compiled.problems.map(({ path }) => path.join('.'))).toContain(place);
  });

  it('names the operator that was meant', () => {
    const compiled = compilePattern({ a: [{ sufix: 'x' }] });

    expect(compiled).toMatchObject({ problems: [{ message: 'unknown operator sufix (did you mean suffix?)' }] });
  });

  it('more than 1000 combinations of $or are refused', () => {
    const pair = (name: string) => [{ [name]: [1] }, { [name]: [2] }];
    const nested = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`f${index}`, { $or: pair('x') }]));

    expect(compilePattern(nested).ok).toBe(false);
    delete nested['f9'];
    expect(compilePattern(nested).ok).toBe(true);
  });
});

it('a wildcard reads a long text once, however long its pieces are and however often they nearly match', () => {
  const near = 'ab'.repeat(500);
  const text = 'ab'.repeat(100_000);
  const matches = (wildcard: string, value: string) => matcherOf({ x: [{ wildcard }] }).match({ x: value });
  const time = (length: number) =>
    cpuMsOf(() => {
      for (let run = 0; run < 5; run += 1) expect(matches(`*${near}b${near}*`, text.slice(0, length))).toBe(false);
    });

  expect(matches(`*${near}b${near}*`, `${text}b${text}`)).toBe(true);
  time(200_000);
  // A search that returned to each beginning would take about 500 times as long.
  expect(time(200_000)).toBeLessThan(2_000);
});

it('a pattern with many thousand fields is compiled in proportion to them, and alternatives do not multiply them', () => {
  const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, [n]]));
  expect(matcherOf(fields(20_000)).match({ k0: 0 })).toBe(false);
  const alternatives = Array.from({ length: 500 }, (_, n) => ({ x: [n] }));
  expect(compilePattern({ $or: alternatives, ...fields(20_000) })).toMatchObject({
    ok: false,
    problems: [{ message: expect.stringContaining('must not name more than') }],
  });
});
