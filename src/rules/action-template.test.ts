import { describe, expect, it } from 'vitest';
import type { TemplateContext } from '#domain/documents.ts';
import { compileParams } from './action-template.ts';
import { rootsOf } from './template-roots.ts';

const roots = rootsOf({ kind: 'event', perChannel: true });

function context(name: string, detail: Record<string, unknown> = {}): TemplateContext {
  return {
    rule: { name: 'r', mode: 'enforce' },
    firing: { since: '', duration: '35s', durationSeconds: 35, group: 'g', resolved: false },
    channel: { arn: 'a', id: 'i', region: 'r', account: '1', name, tags: {} },
    event: { detail },
  };
}

function load(...[action, params]: [Parameters<typeof compileParams>[0], object]) {
  const compiled = compileParams(action, params, roots);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled;
}

describe('the parameters of an action', () => {
  it('of a message keep their own line breaks, and make those and control characters in filled-in values visible', () => {
    const compiled = load('notify', {
      receiver: 'noc',
      text: 'a\nb {{ channel.name }} {{ event.detail.list }} {{ event.detail.n }}',
    });

    const rendered = compiled.render(context('x\n\u001b[2J\u202e', { list: ['\r', 'y'], n: 3 }));

    expect(rendered).toMatchObject({ params: { text: 'a\nb x\\u000a\\u001b[2J\\u202e \\u000dy 3' } });
  });

  it('are filled in leaf by leaf, so that data stays in its place', () => {
    const compiled = load('put_metadata', {
      payload: {
        type: 'notice',
        who: '{{ channel.name }}',
        n: '{{ event.detail.n }}',
        list: [{ x: '{{ channel.name }}' }],
        plain: [2, true, null],
      },
    });
    const hostile = '","type":"stop","x":"';

    const rendered = compiled.render(context(hostile, { n: 3 }));

    expect(rendered).toEqual({
      ok: true,
      params: { payload: { type: 'notice', who: hostile, n: 3, list: [{ x: hostile }], plain: [2, true, null] } },
    });
  });

  it('without templates are returned as written', () => {
    const params = { revoke_key: true };
    const compiled = load('stop_stream', params);

    expect(compiled.hasTemplates).toBe(false);
    expect(compiled.render(context('x'))).toEqual({ ok: true, params });
  });

  it('are checked again after they are filled in', () => {
    const rendered = load('notify', { receiver: 'noc', text: '{{ channel.name }}' }).render(context(''));

    expect(rendered).toMatchObject({ ok: false, problem: expect.stringMatching(/^notify\.text: /) });
  });

  it('keep a channel name from leaving the folder that a key is delivered to', () => {
    const compiled = load('rotate_stream_key', { deliver: { file: '/run/keys/{{ channel.name }}' } });

    expect(compiled.render(context('../../etc/passwd'))).toMatchObject({ ok: false });
    expect(compiled.render(context(''))).toMatchObject({ ok: false });
    expect(compiled.render(context('studio-a'))).toMatchObject({
      ok: true,
      params: { deliver: { file: '/run/keys/studio-a' } },
    });
  });

  it.each<[Parameters<typeof compileParams>[0], object, string]>([
    ['notify', { receiver: '{{ channel.name }}', text: 'x' }, 'receiver'],
    ['webhook', { url_file: '/run/{{ channel.name }}' }, 'url_file'],
    ['put_metadata', { payload: { '{{ channel.name }}': 1 } }, 'payload.{{ channel.name }}'],
    ['put_metadata', { payload: { a: [{ b: '{{ nope }}' }] } }, 'payload.a.0.b'],
  ])('%s %j is refused at its place', (action, params, place) => {
    const compiled = compileParams(action, params, roots);

    expect(compiled.ok ? [] : compiled.problems.map(({ path }) => path.join('.'))).toEqual([place]);
  });
});
