import { describe, expect, it } from 'vitest';
import type { TemplateContext } from '#domain/documents.ts';
import { cpuMsOf } from '#test/support/effort.ts';
import { compileTemplate, type TemplateMode } from './template.ts';
import { problemOfVariable, rootsOf } from './template-roots.ts';

const roots = rootsOf({ kind: 'event', perChannel: true });
const problemOf = (segments: readonly unknown[]) => problemOfVariable(segments, roots);

function context(detail: Record<string, unknown> = {}): TemplateContext {
  return {
    rule: { name: 'r', mode: 'enforce' },
    firing: { since: '', duration: '35s', durationSeconds: 35, group: 'g', resolved: false },
    channel: { arn: 'a', id: 'i', region: 'r', account: '1', name: 'studio', tags: { 'x y': 'gold' } },
    event: { detail, resources: ['arn'] },
  };
}

function load(text: string, mode: TemplateMode = 'text') {
  const template = compileTemplate(text, { problemOf, mode });
  if (!template.ok) throw new Error(template.message);
  return template;
}

describe('what a template prints', () => {
  it.each<readonly [string, string, unknown]>([
    ['plain text', 'plain text', {}],
    ['{{ channel.name }} starves for {{ firing.duration }}', 'studio starves for 35s', {}],
    ['{{ channel.tags["x y"] | upcase }}', 'GOLD', {}],
    ['{{ event.detail.limit | default: "none" }}', 'none', {}],
    ['{% if event.detail.on %}on{% else %}off{% endif %}', 'off', {}],
    ['{% for n in event.detail.list %}[{{ n }}]{% endfor %}', '[1][2]', { list: [1, 2] }],
    ['{{ event.detail | json }}', '{"a":"\\"<b>"}', { a: '"<b>' }],
    ['{{ event.resources[0] }}', 'arn', {}],
  ])('%s prints %s', (text, expected, detail) => {
    expect(load(text).render(context(detail as Record<string, unknown>))).toBe(expected);
  });

  it('data with template syntax is not parsed again', () => {
    const hostile = '{{ channel.name }}{% for i in (1..9) %}x{% endfor %}';

    expect(load('{{ event.detail.text }}').render(context({ text: hostile }))).toBe(hostile);
  });

  it('a single output keeps its type where values are wanted', () => {
    const detail = { n: 7, list: [1], on: true };

    expect(load('{{ event.detail.n }}', 'value').render(context(detail))).toBe(7);
    expect(load('{{ event.detail.list }}', 'value').render(context(detail))).toEqual([1]);
    expect(load('{{ event.detail.on }}', 'value').render(context(detail))).toBe(true);
    expect(load('n={{ event.detail.n }}', 'value').render(context(detail))).toBe('n=7');
    expect(load('{{ event.detail.n }}', 'text').render(context(detail))).toBe('7');
  });

  it.each(['', '..', 'a/b', '/etc/x', 'a b', 'a\nb', '\u0000', 'ключ', 'x'.repeat(129)])(
    '%j never becomes part of a name or path',
    (value) => {
      expect(() => load('keys/{{ event.detail.v }}', 'identifier').render(context({ v: value }))).toThrow(
        /cannot be part/,
      );
    },
  );

  it('a plain word becomes part of a name', () => {
    expect(load('keys/{{ channel.name }}/key', 'identifier').render(context())).toBe('keys/studio/key');
  });
});

describe('what is refused when the file is loaded', () => {
  it.each([
    ['{{ chanel.name }}', 'unknown variable chanel (did you mean channel?)'],
    ['{{ channel.nam }}', 'channel has no field nam (did you mean name?)'],
    ['{{ aggregate.count }}', 'aggregate is not known for this trigger'],
    ['{{ channel.name.first_word }}', 'channel.name has no field first_word'],
    ['{{ channel.name | upcas }}', 'unknown filter upcas (did you mean upcase?)'],
    ['{{ event.time | date: "%s" }}', 'unknown filter date'],
    ['{{ channel.name | raw }}', 'unknown filter raw'],
    ['{% include "x" %}', 'unknown tag include'],
    ['{% render "/etc/passwd" %}', 'unknown tag render'],
    ['{% layout "x" %}', 'unknown tag layout'],
    ['{{ channel.name', 'not closed'],
    ['{% if channel.name %}', 'not closed'],
    ['{{ channel.name }}'.repeat(2000), 'longer than'],
  ])('%s', (text, message) => {
    const template = compileTemplate(text, { problemOf, mode: 'text' });

    expect(template).toMatchObject({ ok: false, message: expect.stringContaining(message) });
  });
});

describe('what fails when it is filled in', () => {
  it.each<readonly [string, string, RegExp]>([
    ['a field that is not there', '{{ event.detail.nope }}', /undefined variable: event.detail.nope/],
    ['inherited properties', '{{ event.detail.constructor }}', /undefined variable/],
    ['an endless list', '{% for i in (1..100000000) %}x{% endfor %}', /memory/],
    [
      'loops in loops',
      '{% for a in (1..999) %}{% for b in (1..999) %}{% for c in (1..999) %}{% endfor %}{% endfor %}{% endfor %}',
      /limit/,
    ],
    [
      'a doubling text',
      '{% assign x = "aa" %}{% for i in (1..40) %}{% assign x = x | append: x %}{% endfor %}{{ x }}',
      /memory/,
    ],
  ])('%s', (_, text, message) => {
    const template = load(text);

    const cpuMs = cpuMsOf(() => expect(() => template.render(context())).toThrow(message));

    expect(cpuMs).toBeLessThan(2_000);
  });

  it('an output that is not a number', () => {
    expect(() => load('{{ event.detail.n | divided_by: 0 }}', 'value').render(context({ n: 1 }))).toThrow(/finite/);
  });

  it.each<readonly [string, string, RegExp]>([
    [
      'loops over what the event brought',
      '{% for a in event.detail.list %}{% for b in event.detail.list %}{% if a == b %}x{% endif %}{% endfor %}{% endfor %}',
      /steps is exceeded/,
    ],
    [
      'empty loops',
      '{% for a in event.detail.list %}{% for b in event.detail.list %}{% endfor %}{% endfor %}',
      /steps/,
    ],
    [
      'a whole event again and again',
      '{% for a in event.detail.list %}{{ event | json | size }}{% endfor %}',
      /memory/,
    ],
    ['a text that grows', '{% for a in event.detail.list %}{{ event.detail.text }}{% endfor %}', /output is longer/],
  ])('%s: work is limited, so that no event can take all the time', (_, text, message) => {
    const list = Array.from({ length: 3_000 }, (_each, n) => n);
    const event = { list, text: 'x'.repeat(100_000) };

    expect(() => load(text).render(context(event))).toThrow(message);
  });

  it('a long digest is within the limits', () => {
    const list = Array.from({ length: 2_000 }, (_each, n) => ({ name: `channel ${n}` }));

    const text = load('{% for each in event.detail.list %}{% if each.name %}{{ each.name }}, {% endif %}{% endfor %}');

    expect(String(text.render(context({ list })))).toHaveLength(26_890);
  });
});
