import type { IncomingMessage } from 'node:http';
import pino from 'pino';
import { expect, test } from 'vitest';
import { createMetrics } from '#runtime/metrics.ts';
import { TrustedProxies } from './client-address.ts';
import { OutsideReader, prefixOf } from './outside.ts';

test.each([
  ['', ''],
  ['/', ''],
  ['/autopilot', '/autopilot'],
  ['/autopilot/', '/autopilot'],
  [' /ops/autopilot ', '/ops/autopilot'],
  ['/a/b/c/d', '/a/b/c/d'],
  ['/Ops_1/auto-pilot/v1.2~x', '/Ops_1/auto-pilot/v1.2~x'],
  [`/${'a'.repeat(199)}`, `/${'a'.repeat(199)}`],
])('the prefix %j is %j', (header, prefix) => expect(prefixOf(header)).toBe(prefix));

test.each([
  'autopilot',
  '//',
  '//evil',
  '//evil.example/x',
  '/a//b',
  '/a//',
  '/\\evil',
  'https://evil.example',
  'javascript:alert(1)',
  '/..',
  '/../etc',
  '/a/../b',
  '/a/.',
  '/.hidden',
  '/%2e%2e',
  '/a%2f..%2fb',
  '/a"><script>alert(1)</script>',
  "/a'b",
  '/a&quot;',
  '/a b',
  '/a\r\nset-cookie: x=y',
  '/a\nb',
  '/a\u0000',
  '/a\u202e',
  '/ä',
  '/a;Path=/',
  '/a,/b',
  '/a, /b',
  '/a?b=c',
  '/a#b',
  '/user@evil',
  '/a:b',
  `/${'a'.repeat(200)}`,
])('%j is no prefix', (header) => expect(prefixOf(header)).toBeUndefined());

const requestFrom = (remoteAddress: string | undefined, headers: Record<string, string>) =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;

test('believes only the proxy itself; counts every unusable header it sends, and logs it once a minute', async () => {
  const lines: string[] = [];
  let nowMs = 0;
  const metrics = createMetrics();
  const reader = new OutsideReader({
    proxies: new TrustedProxies(['10.0.0.0/8']),
    clock: { monotonic: () => nowMs },
    logger: pino({}, { write: (line: string) => void lines.push(line) }),
    metrics,
  });
  const headers = { 'x-forwarded-prefix': '/ops', 'x-forwarded-proto': 'https' };
  expect(reader.of(requestFrom('10.1.2.3', headers))).toEqual({ prefix: '/ops', https: true });
  expect(reader.of(requestFrom('::ffff:10.1.2.3', headers))).toEqual({ prefix: '/ops', https: true });
  expect(reader.of(requestFrom('10.1.2.3', {}))).toEqual({ prefix: '', https: false });
  // A client that poses as a proxy, through the proxy or directly.
  const claims = { ...headers, 'x-forwarded-for': '10.1.2.3' };
  for (const stranger of ['192.0.2.1', '::1', '', undefined])
    expect(reader.of(requestFrom(stranger, claims))).toEqual({ prefix: '', https: false });
  expect(lines).toEqual([]);

  const hostile = requestFrom('10.1.2.3', { 'x-forwarded-prefix': '//evil.example', 'x-forwarded-proto': 'https' });
  for (nowMs = 0; nowMs < 120_000; nowMs += 10_000) expect(reader.of(hostile)).toEqual({ prefix: '', https: true });
  expect((await metrics.forwardedPrefixesIgnored.get()).values).toMatchObject([{ value: 12 }]);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { code: 'HTTP_PREFIX_INVALID', proxy: '10.1.2.3', prefix: '//evil.example' },
    { code: 'HTTP_PREFIX_INVALID', proxy: '10.1.2.3', prefix: '//evil.example' },
  ]);
});
