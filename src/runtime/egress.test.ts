// What the environment says about proxies, and which hosts that applies to.
import { describe, expect, test } from 'vitest';
import { Egress, shownProxy } from './egress.ts';

const proxy = 'http://proxy.example:3128';
const routed = (noProxy: string, url: string) => {
  const route = new Egress({ HTTPS_PROXY: proxy, HTTP_PROXY: proxy, NO_PROXY: noProxy }).routeTo(new URL(url));
  return route.proxy ? 'proxy' : route.because;
};

describe('NO_PROXY', () => {
  test.each([
    ['*', 'https://a.example/'],
    ['example.com', 'https://example.com/'],
    ['example.com', 'https://a.b.example.com/'],
    ['.example.com', 'https://a.example.com/'],
    ['.example.com', 'https://example.com/'],
    ['*.example.com', 'https://a.example.com/'],
    ['EXAMPLE.com', 'https://a.Example.COM./'],
    ['example.com.', 'https://example.com/'],
    ['other.test, example.com', 'https://example.com/'],
    ['other.test example.com', 'https://example.com/'],
    ['example.com:8443', 'https://example.com:8443/'],
    ['example.com:443', 'https://example.com/'],
    ['example.com:80', 'http://example.com/'],
    ['10.1.2.3', 'https://10.1.2.3/'],
    ['10.1.2.3:8443', 'https://10.1.2.3:8443/'],
    ['10.0.0.0/8', 'http://10.200.0.1:4566/'],
    ['10.0.0.0/8', 'http://[::ffff:10.2.3.4]/'],
    ['10.0.0.0/8', 'http://0x0a000001/'],
    ['2001:db8::7', 'https://[2001:db8:0::7]/'],
    ['[2001:db8::7]', 'https://[2001:db8::7]/'],
    ['[2001:db8::7]:8443', 'https://[2001:db8::7]:8443/'],
    ['2001:db8::/32', 'https://[2001:db8:1::1]/'],
  ])('%s leaves %s out', (noProxy, url) => {
    expect(routed(noProxy, url)).toBe('NO_PROXY');
  });

  test.each([
    ['', 'https://example.com/'],
    ['example.com', 'https://notexample.com/'],
    ['.example.com', 'https://example.com.evil.test/'],
    ['example.com:8443', 'https://example.com/'],
    ['10.0.0.0/8', 'https://11.0.0.1/'],
    ['10.0.0.0/8', 'https://ten.example.com/'],
    ['10.1.2.3:8443', 'https://10.1.2.3/'],
    ['0.0.1', 'https://10.0.0.1/'],
    ['[2001:db8::7]:8443', 'https://[2001:db8::7]/'],
    ['2001:db8::/32', 'https://[2001:db9::1]/'],
  ])('%j leaves %s to the proxy', (noProxy, url) => {
    expect(routed(noProxy, url)).toBe('proxy');
  });

  test('entries without meaning are reported, and the others apply', () => {
    const egress = new Egress({
      HTTPS_PROXY: proxy,
      NO_PROXY: '10.0.0.0/99,http://a.test,a*.b,<local>,h:0,[a.test]:1,10.0.0.0/8:80,ok.test',
    });

    expect(egress.unreadable).toEqual([
      '10.0.0.0/99',
      'http://a.test',
      'a*.b',
      '<local>',
      'h:0',
      '[a.test]:1',
      '10.0.0.0/8:80',
    ]);
    expect(egress.routeTo(new URL('https://ok.test')).proxy).toBeUndefined();
  });
});

test.each([
  'http://localhost:4566/',
  'https://127.0.0.1/',
  'http://[::1]:1/',
  'http://a.localhost/',
  'http://169.254.170.2/',
  'http://0.0.0.0/',
])('%s is never requested through a proxy', (url) => expect(routed('', url)).toBe('this machine or its link'));

describe('the proxy', () => {
  const through = (env: Record<string, string>, url: string) => {
    const { proxy: found } = new Egress(env).routeTo(new URL(url));
    return found && [found.variable, shownProxy(found)];
  };

  test('is chosen by the scheme of the request, and lower-case names override upper-case ones', () => {
    const env = { HTTPS_PROXY: 'http://s:1', HTTP_PROXY: 'http://p:1', http_proxy: 'small:2' };
    expect(through(env, 'https://a.test')).toEqual(['HTTPS_PROXY', 'http://s:1']);
    expect(through(env, 'http://a.test')).toEqual(['http_proxy', 'http://small:2']);
    expect(through({ HTTP_PROXY: 'http://p:1', HTTPS_PROXY: '' }, 'https://a.test')).toBeUndefined();
    expect(
      through({ HTTPS_PROXY: 'http://p:1', no_proxy: 'a.test', NO_PROXY: 'b.test' }, 'https://b.test'),
    ).toBeDefined();
  });

  test('is shown without its password', () => {
    expect(through({ HTTPS_PROXY: 'https://svc:pa%40ss@proxy:3129/' }, 'https://a.test')?.[1]).toBe(
      'https://svc:***@proxy:3129',
    );
  });

  test.each([
    'socks5://svc:hidden@proxy:1080',
    'http://',
    'svc:hidden@',
    'http://svc:hidden@proxy:1/path',
    'http://svc:hidden%zz@proxy:1',
    'http://svc:hidden@proxy:99999',
  ])('%s is refused with the name of its variable, and without any of its text', (text) => {
    expect(() => new Egress({ https_proxy: text })).toThrow(
      expect.objectContaining({ code: 'EGRESS_INVALID', message: expect.stringMatching(/^https_proxy (?!.*hidden)/) }),
    );
  });
});
