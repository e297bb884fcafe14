import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpuMsOf } from '#test/support/effort.ts';
import { labelsOf, parseLabelMatcher } from './label-matcher.ts';
import { compileLabelRegex } from './label-regex.ts';

function matches(text: string, labels: Record<string, string>): boolean {
  const parsed = parseLabelMatcher(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.matcher.test(labels);
}

describe('a matcher', () => {
  it.each<[string, Record<string, string>, boolean]>([
    ['rule="x"', { rule: 'x' }, true],
    ['rule = "x"', { rule: 'y' }, false],
    ['rule=x', { rule: 'x' }, true],
    ['rule!="x"', { rule: 'y' }, true],
    ['action=""', {}, true],
    ['action!=""', {}, false],
    ['action=~"stop_.*"', { action: 'stop_stream' }, true],
    ['action=~"stop"', { action: 'stop_stream' }, false],
    ['action!~"stop_.*|rotate_.*"', { action: 'notify' }, true],
    ['tag_tier=~"gold|silver"', { tag_tier: 'silver' }, true],
    ['channel_name="a\\"b"', { channel_name: 'a"b' }, true],
    ['channel_name=~"a\\.b"', { channel_name: 'axb' }, false],
    ['rule=~"[a-c]+[^x]?"', { rule: 'abcabcy' }, true],
    ['rule="__proto__"', { rule: '__proto__' }, true],
  ])('%s on %j is %s', (text, labels, expected) => {
    expect(matches(text, labels)).toBe(expected);
  });

  it.each([
    '',
    'rule',
    '="x"',
    'rule=="x"',
    'rool="x"',
    'rule="x',
    'rule=~"("',
    'rule=~"*"',
    'rule=~"a**"',
    'rule=~"\\1"',
    'rule=~"(?=a)"',
    'rule=~"[z-a]"',
    'rule=~"(a{100}){11}"',
    `rule=~"${'(x{9}){9}'.repeat(10)}"`,
    'toString="x"',
  ])('%j is refused', (text) => {
    expect(parseLabelMatcher(text)).toMatchObject({ ok: false, message: expect.stringMatching(/./) });
  });
});

describe('expressions over labels', () => {
  it('agree with the platform where both know the syntax', () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      '.',
      '[ab]',
      '[^a]',
      '(a|bb)',
      '(ab)',
      'a*',
      'b+',
      '(a|b)*',
      '.?',
      '(ab)+',
      'a|b',
    );
    const expression = fc.array(atom, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 10 });

    fc.assert(
      fc.property(expression, text, (source, input) => {
        const ours = compileLabelRegex(source);
        expect(ours.ok && ours.test(input)).toBe(new RegExp(`^(?:${source})$`).test(input));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    '(a*)*b',
    '(a|aa)+b',
    '((a|a)(a|a)(a|a)(a|a))*b',
    `(${'.*|'.repeat(120)}a)*b`,
    `(${'a*'.repeat(200)})*b`,
    '[ab]*a[ab]{6}c',
  ])('%s costs no more than in proportion for a long text', (source) => {
    const regex = compileLabelRegex(source);
    if (!regex.ok) throw new Error(regex.message);
    const text = Array.from({ length: 200_000 }, (_, index) => ((index * index) % 7 > 3 ? 'a' : 'b')).join('');

    expect(cpuMsOf(() => expect(regex.test(`${text}!`)).toBe(false))).toBeLessThan(5_000);
  });

  // Small programs whose automaton would be huge: the engine would simulate them, a hundred times slower than a look-up of a state.
  it.each([
    '[ab]*a[ab]{30}c',
    '[ab]*a[ab][ab][ab][ab][ab][ab][ab][ab][ab][ab][ab][ab][ab][ab][ab]',
    '.*a.{100}',
    '(?:.?){300}~',
    '.*\\pL.{60}',
    '(.*a|.*b|.*c)(.|d)(.|d)(.|d)(.|d)(.|d)(.|d)(.|d)(.|d)(.|d)(.|d)(.|d)(.|d)',
  ])('%s is refused before a match can become expensive', (source) => {
    expect(compileLabelRegex(source)).toMatchObject({ ok: false, message: expect.stringContaining('automaton') });
  });

  it.each(['\\pL'.repeat(150), `(?i)${'[^\\pL]'.repeat(30)}`, `(?s:(?i)${'[a-\\x{ffff}]'.repeat(30)})`])(
    '%s is refused before compiling can become expensive',
    (source) => {
      expect(compileLabelRegex(source)).toMatchObject({ ok: false, message: expect.stringContaining('classes') });
    },
  );

  it.each([
    'studio-[0-9]+',
    '(final|sport|news).*(eu|us)-.*',
    '(?i).*final.*',
    '\\d{4}-\\d{2}-\\d{2}T.*',
    '\\pL+ \\pL+',
    Array.from({ length: 30 }, (_, n) => `studio-${n * 7919}`).join('|'),
    'abcdefghijklmnopqrstuvwxyzäöüß'.repeat(16),
  ])('%s is accepted', (source) => {
    expect(compileLabelRegex(source)).toMatchObject({ ok: true });
  });

  it('any text is either an expression or a problem, and quickly', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.string({ maxLength: 60 }), (source, input) => {
        const regex = compileLabelRegex(source);
        if (regex.ok) regex.test(input);
      }),
      { numRuns: 500 },
    );
  });
});

it('the labels of a decision are its rule, action, group, and what is known of the channel', () => {
  const channel = { arn: 'arn', id: 'i', region: 'r', account: '1', name: 'n', tags: { 'ops hold': 'x' } };

  expect(labelsOf({ rule: 'r', action: 'notify', group: 'g', channel })).toEqual({
    rule: 'r',
    action: 'notify',
    group: 'g',
    channel: 'arn',
    channel_name: 'n',
    account: '1',
    region: 'r',
    tag_ops_hold: 'x',
  });
});
