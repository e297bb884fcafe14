import { expect, test } from 'vitest';
import { problemOfNetwork } from '#domain/network.ts';
import { clientKey, TrustedProxies } from './client-address.ts';

const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '::ffff:172.16.0.0/108']);
const client = (remoteAddress: string, forwarded?: string | string[]) =>
  proxies.clientAddress({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  } as never);

test.each<[string, string, string | string[] | undefined, string]>([
  ['that of the connection without a header', '203.0.113.9', undefined, '203.0.113.9'],
  ['header of an untrusted sender', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ['one proxy', '10.1.1.1', '198.51.100.1', '198.51.100.1'],
  ['a chain of proxies', '10.1.1.1', '198.51.100.1, 192.0.2.7,fd00::5', '198.51.100.1'],
  ['an entry that the client wrote', '10.1.1.1', '127.0.0.1, 10.9.9.9, 198.51.100.1, 10.2.2.2', '198.51.100.1'],
  ['proxies only', '10.1.1.1', '10.3.3.3, 10.2.2.2', '10.3.3.3'],
  ['an entry that is no address', '10.1.1.1', '198.51.100.1, unknown, 10.2.2.2', '10.2.2.2'],
  ['an empty header', '10.1.1.1', '', '10.1.1.1'],
  ['ports and brackets', '10.1.1.1', '"[2001:db8::1]:4711", 10.2.2.2:80', '2001:db8::1'],
  ['IPv4 in IPv6 form', '::ffff:10.1.1.1', '::ffff:198.51.100.1', '198.51.100.1'],
  ['a network of IPv4 in IPv6 form', '172.17.0.1', '198.51.100.1', '198.51.100.1'],
])('the client’s address: %s', (_, remote, forwarded, expected) => {
  expect(client(remote, forwarded)).toBe(expected);
});

test('a client has the same key for all of its addresses', () => {
  expect(clientKey('2001:db8:1:2:a:b:c:d')).toBe(clientKey('2001:db8:1:2::1'));
  expect(clientKey('2001:db8:1:3::1')).not.toBe(clientKey('2001:db8:1:2::1'));
  expect(clientKey('::ffff:198.51.100.1')).toBe(clientKey('198.51.100.1'));
});

test.each(['10.0.0.0/33', '10.0.0', '010.0.0.1/', 'fd00::/129', 'example.com', '', '10.0.0.0/8/8', '10.0.0.0/-1'])(
  '%j is no network',
  (text) => {
    expect(problemOfNetwork(text)).toContain('expected an address or a network');
  },
);
