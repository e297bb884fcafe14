// The three formats of a report: in each of them, text from strangers appears as text, and never as markup.
import fc from 'fast-check';
import { marked } from 'marked';
import { expect, test } from 'vitest';
import { visibleLine } from '#domain/visible-text.ts';
import { writeReport } from './formats.ts';
import { htmlText } from './html.ts';
import { markdownText } from './markdown.ts';
import type { Report, SessionReport } from './model.ts';
import { sessionPlot } from './plot.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 10, minute)).toISOString();
const session: SessionReport = {
  channelArn: 'arn:aws:ivs:us-west-2:111122223333:channel/A',
  channelName: 'studio-a',
  streamId: 'st-1',
  state: 'ended',
  startedAt: at(0),
  endedAt: at(30),
  durationSeconds: 1_800,
  endReason: 'Stream End',
  health: {
    healthySeconds: 1_500,
    starvingSeconds: 120,
    unknownSeconds: 0,
    unseenSeconds: 180,
    starving: [{ from: at(5), to: at(7) }],
  },
  viewers: { peak: { viewers: 1_200, at: at(9) }, average: 800 },
  samples: [
    { at: at(0), health: 'HEALTHY', viewers: 10 },
    { at: at(1), health: 'STARVING', viewers: 1_200 },
    { at: at(20), health: 'HEALTHY' },
    { at: at(21), health: 'HEALTHY', viewers: 7 },
  ],
  limitBreaches: [{ at: at(3), limitName: 'Ingest Bitrate', limitValue: 8_500_000, exceededBy: 1, limitUnit: 'bps' }],
  actions: [{ at: at(5), rule: 'slate', action: 'put_metadata', jobId: 'j', outcome: 'done', detail: '1 delivered' }],
  withheld: [
    { at: at(6), rule: 'stop', action: 'stop_stream', reason: 'silenced', meaning: 'A silence holds it back.' },
  ],
  operators: [{ at: at(8), who: 'token mara', what: 'notify', outcome: 'done', why: 'asked' }],
  cues: { jobs: 1, delivered: 1, expired: 0, failed: 0, notSent: 0 },
  adBreaks: [{ id: 'AbCdEfGhIjKl', startsAt: at(10), endsAt: at(11) }],
  recording: { state: 'ended', since: at(30), prefix: 'ivs/v1/1/A' },
  hints: ['1080p at 6 Mbps on a BASIC channel'],
  timeline: [{ at: at(0), source: 'event', name: 'Stream Start', text: 'live' }],
};
const reportOf = (...sessions: SessionReport[]): Report => ({
  version: 1,
  title: 'show=finals',
  madeAt: at(31),
  sessions,
});

/** Everything in a session that somebody else may have written. */
const writtenBy = (text: string): SessionReport => ({
  ...session,
  channelName: text,
  endReason: text,
  limitBreaches: [{ at: at(3), limitName: text, limitUnit: text, limitValue: 1 }],
  actions: [{ at: at(5), rule: 'r', action: 'notify', jobId: text, outcome: 'done', detail: text }],
  withheld: [{ at: at(6), rule: 'r', reason: text, meaning: text }],
  operators: [{ at: at(8), who: text, what: text, outcome: text, why: text }],
  adBreaks: [{ id: text, startsAt: at(10), endsAt: at(11) }],
  recording: { state: 'ended', prefix: text },
  hints: [text],
  timeline: [{ at: at(0), source: 'event', name: text, text }],
});

const attacks = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='x",
  '</style><svg onload=x>',
  '[link](javascript:alert(1))',
  '![image](https://evil.example/x.png)',
  'https://evil.example www.evil.example a@evil.example',
  '<https://evil.example>',
  '**bold** _it_ `code` ~~gone~~',
  'a | b || c',
  'x\n# heading\n- item\n',
  '&lt;b&gt; &amp; &#60;',
  '<!channel> <@U123>',
  'safe\u202egnp.exe\u2066',
  '\u001b[31mred\u0007',
  '\\',
  '1. one',
  '- dash',
  '```',
];

test.each(attacks)('%j is text in every format', (attack) => {
  const report = { ...reportOf(writtenBy(attack)), title: attack };

  const html = writeReport(report, 'html').text;
  const plainHtml = writeReport(reportOf(writtenBy('x')), 'html').text;
  expect(tagsOf(html)).toEqual(tagsOf(plainHtml));

  const markdown = writeReport(report, 'md').text;
  const plain = writeReport({ ...reportOf(writtenBy('x')), title: 'x' }, 'md').text;
  expect(tagsOf(rendered(markdown))).toEqual(tagsOf(rendered(plain)));
  expect(markdown).not.toMatch(/<[!@]/);

  const json = writeReport(report, 'json').text;
  expect(JSON.parse(json)).toEqual(report);
  for (const text of [html, markdown, json])
    expect(visibleLine(text.replaceAll('\n', ''))).toBe(text.replaceAll('\n', ''));
});

test('Markdown and HTML show any text exactly', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[\\`*_{}[\]()<>#+.!|~&$:/@w =-]{1,30}$/)),
      (text) => {
        const shown = visibleLine(text).trim();
        const row = /<td>(.*?)<\/td>\n<td>(.*?)<\/td>/s.exec(
          rendered(`| a | b |\n| --- | --- |\n| ${markdownText(text)} | end |`),
        );
        expect(decoded(row?.[1] ?? 'no cell').trim()).toBe(shown);
        expect(row?.[1]).not.toMatch(/<[a-z]/);
        expect(row?.[2]).toBe('end');
        expect(decoded(htmlText(text)).trim()).toBe(shown);
        expect(htmlText(text)).not.toMatch(/[<>"']/);
      },
    ),
    { numRuns: 300 },
  );
});

test('the plot has gaps for unobserved time, and a band for each sample', () => {
  const plot = sessionPlot(session)!;
  const lines = [...plot.matchAll(/<polyline class="viewers" points="([^"]+)"/g)].map(([, points]) =>
    points!.split(' '),
  );
  // Neither the 19 minutes without a sample nor the uncounted sample have a line.
  expect(lines.map((points) => points.length)).toEqual([2, 2]);
  expect(lines[1]![0]).toBe(lines[1]![1]);
  const bands = [...plot.matchAll(/<rect class="(\w+)" x="([\d.]+)" y="188" width="([\d.]+)"/g)];
  expect(bands.map(([, health]) => health)).toEqual(['healthy', 'starving', 'healthy', 'healthy']);
  // The band of the starving minute is no wider than what one sample can show.
  expect(Number(bands[1]![3])).toBeLessThan((19 / 30) * 888 - 50);
  expect(sessionPlot({ ...session, samples: [] })).toBeUndefined();
});

test('each format contains everything', () => {
  const facts = [
    'studio-a',
    'st-1',
    'peak 1200',
    'starving 2m 00s',
    'not seen 3m 00s',
    'Ingest Bitrate',
    'slate',
    'stop_stream',
    'AbCdEfGhIjKl',
    'ivs/v1/1/A',
    '1080p at 6 Mbps',
    'mara',
    '30m 00s',
  ];
  const markdown = decoded(rendered(writeReport(reportOf(session), 'md').text));
  const html = decoded(writeReport(reportOf(session), 'html').text);
  for (const fact of facts)
    expect({ fact, markdown: markdown.includes(fact), html: html.includes(fact) }).toEqual({
      fact,
      markdown: true,
      html: true,
    });
});

function rendered(markdown: string): string {
  return marked.parse(markdown, { async: false, gfm: true });
}

function tagsOf(html: string): string[] {
  return [...html.matchAll(/<\/?[a-z][^>]*>/g)].map(([tag]) => tag);
}

function decoded(html: string): string {
  return html
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
