import { describe, expect, test } from 'vitest';
import { pageOf, startMessages } from './messages.ts';

const routing_key = 'not-a-key-made-for-this-test-000';
const markup = '<img src=x onerror="alert(1)"> & <b>bold</b>';

async function stand() {
  const lines: string[] = [];
  const messages = await startMessages({ onMessage: (where, line) => void lines.push(`${where}: ${line}`) });
  const post = async (path: string, body: unknown) => {
    const answer = await fetch(new URL(path, messages.url), { method: 'POST', body: JSON.stringify(body) });
    return [answer.status, await answer.text()];
  };
  const page = async () => (await fetch(messages.url)).text();
  return { messages, lines, post, page, [Symbol.asyncDispose]: () => messages[Symbol.asyncDispose]() };
}

describe('the chat room', () => {
  test('shows a message as Slack would: title with its link, text, newest first', async () => {
    await using room = await stand();
    const slack = (title: string, color: string) => ({
      attachments: [
        {
          fallback: title,
          title,
          title_link: 'http://127.0.0.1:8080/#/stream/x',
          text: 'a &lt; b\nhttps://example.com/x',
          color,
        },
      ],
    });

    expect(await room.post('/slack', slack('[FIRING] starving-slate', 'danger'))).toEqual([200, 'ok']);
    expect(await room.post('/slack', slack('[RESOLVED] starving-slate', 'good'))).toEqual([200, 'ok']);
    const page = await room.page();

    expect(room.messages.chat.map(({ title }) => title)).toEqual([
      '[RESOLVED] starving-slate',
      '[FIRING] starving-slate',
    ]);
    expect(page.indexOf('[RESOLVED]')).toBeLessThan(page.indexOf('[FIRING]'));
    expect(page).toContain('<a href="http://127.0.0.1:8080/#/stream/x" rel="noreferrer">[FIRING] starving-slate</a>');
    expect(page).toContain('a &lt; b\n<a href="https://example.com/x" rel="noreferrer">https://example.com/x</a>');
    expect(room.lines[0]).toBe('chat: [FIRING] starving-slate · a < b · https://example.com/x');
  });

  test('refuses what Slack would refuse', async () => {
    await using room = await stand();

    for (const body of [{}, [], 'text', { attachments: 'x' }, { attachments: [{ title: 'no text' }] }])
      expect(await room.post('/slack', body)).toEqual([400, 'invalid_payload']);
    expect(room.messages.chat).toEqual([]);
  });
});

describe('the pager', () => {
  const event = (summary: string, more: object = {}) => ({
    routing_key,
    event_action: 'trigger',
    dedup_key: 'k',
    links: [{ href: 'http://127.0.0.1:8080/', text: 'ivs-autopilot' }],
    payload: { summary, severity: 'critical', source: 's', custom_details: { text: 'two lines\nof it' } },
    ...more,
  });

  test('keeps one incident per dedup key, until it is resolved', async () => {
    await using room = await stand();
    expect((await room.post('/pagerduty', event('one starving')))[0]).toBe(202);
    expect((await room.post('/pagerduty', event('two starving')))[0]).toBe(202);
    expect(room.messages.incidents).toMatchObject([{ summary: 'two starving', events: 2, resolvedAtMs: undefined }]);
    expect(await room.page()).toContain('On call: 1 open');
    expect((await room.post('/pagerduty', { routing_key, event_action: 'resolve', dedup_key: 'k' }))[0]).toBe(202);
    expect((await room.post('/pagerduty', event('again')))[0]).toBe(202);

    expect(room.messages.incidents).toMatchObject([
      { summary: 'again', events: 1, resolvedAtMs: undefined },
      { summary: 'two starving', events: 3, resolvedAtMs: expect.any(Number) },
    ]);
  });

  test('refuses what PagerDuty would refuse', async () => {
    await using room = await stand();
    for (const body of [
      event('x', { routing_key: 'short' }),
      event('x', { event_action: 'open' }),
      event('x', { dedup_key: undefined }),
      event('x', { payload: { summary: 'x' } }),
      {},
    ])
      expect((await room.post('/pagerduty', body))[0]).toBe(400);
    expect(room.messages.incidents).toEqual([]);
  });
});

test('treats everything in a message as text, and links only to web addresses', () => {
  const links = [
    { href: 'javascript:alert(1)', text: markup },
    { href: 'https://example.com/"><script>', text: markup },
  ];
  const page = pageOf({
    chat: [
      {
        atMs: 0,
        title: markup,
        link: 'javascript:alert(1)',
        text: `${markup} https://example.com/'"<x>`,
        color: '"><i>',
      },
    ],
    incidents: [
      {
        dedupKey: markup,
        openedAtMs: 0,
        resolvedAtMs: 1,
        summary: markup,
        severity: markup,
        details: markup,
        links,
        events: 1,
      },
    ],
    operatorsPage: undefined,
  });

  for (const part of ['<img', '<b>bold', '<i>', '<script>\n', 'href="javascript:', '"><script>'])
    expect(page).not.toContain(part);
  expect(page).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; &lt;b&gt;bold&lt;/b&gt;');
  expect(page.match(/<script/g)).toEqual(['<script']);
});
