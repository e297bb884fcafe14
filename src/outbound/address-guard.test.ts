import { expect, test } from 'vitest';
import { forbiddenHost, forbiddenRange, settingFor } from './address-guard.ts';

test.each([
  ['127.0.0.1', 'loopback'],
  ['169.254.169.254', 'metadata'],
  ['169.254.170.2', 'metadata'],
  ['169.254.1.1', 'linkLocal'],
  ['10.1.2.3', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.0.1', 'private'],
  ['100.64.0.1', 'carrierGradeNat'],
  ['0.0.0.0', 'unspecified'],
  ['::1', 'loopback'],
  ['::', 'unspecified'],
  ['fe80::1', 'linkLocal'],
  ['fd00:ec2::254', 'metadata'],
  ['fd00:0ec2:0::0254', 'metadata'],
  ['fd00:1::1', 'uniqueLocal'],
  ['::ffff:169.254.169.254', 'metadata'],
  ['::ffff:7f00:1', 'loopback'],
  ['64:ff9b::a9fe:a9fe', 'metadata'],
  ['168.63.129.16', 'metadata'],
  ['100.100.100.200', 'metadata'],
  ['192.0.0.192', 'metadata'],
  ['169.254.170.23', 'metadata'],
  ['fd00:ec2::23', 'metadata'],
  ['fd00:ec2::254%eth0', 'metadata'],
  ['fd20:ce::254', 'metadata'],
  ['::ffff:168.63.129.16', 'metadata'],
  ['::ffff:6464:64c8', 'metadata'],
  ['::a83f:8110', 'metadata'],
  ['::7f00:1', 'loopback'],
  ['64:ff9b::a83f:8110', 'metadata'],
  ['64:ff9b:1::a9fe:a9fe', 'metadata'],
  ['::ffff:0:a9fe:a9fe', 'metadata'],
  ['2002:a9fe:a9fe::', 'metadata'],
  ['2002:7f00:1::1', 'loopback'],
  ['2002:5db8:d70e::1', '6to4'],
  ['2001:470:1f0b::5efe:a9fe:a9fe', 'metadata'],
  ['2001::a9fe:a9fe', 'teredo'],
  ['2130706433', 'loopback'],
  ['0xa9fea9fe', 'metadata'],
  ['0250.077.0201.020', 'metadata'],
  ['127.1', 'loopback'],
  ['fec0::1', 'deprecatedSiteLocal'],
  ['4000::1', 'reserved'],
  ['127.0.0.1.', 'invalid'],
  ['nonsense', 'invalid'],
])('refuses the address %s: %s', (address, range) => {
  expect(forbiddenRange(address)).toBe(range);
});

test.each(['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c', '64:ff9b::5db8:d70e'])(
  '%s may be reached',
  (address) => {
    expect(forbiddenRange(address)).toBeUndefined();
  },
);

test('allowing private networks does not allow metadata services, and vice versa', () => {
  const privateOnly = { allowPrivate: true, allowLinkLocal: false };
  const linkOnly = { allowPrivate: false, allowLinkLocal: true };

  for (const address of ['127.0.0.1', '10.1.2.3', '::1', 'fd00:1::1', '100.64.0.1'])
    expect([forbiddenRange(address, privateOnly), forbiddenRange(address, linkOnly)]).toEqual([
      undefined,
      forbiddenRange(address),
    ]);
  for (const address of [
    '169.254.169.254',
    '169.254.170.2',
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
    'fd00:ec2::254',
    'fd00:ec2::254%eth0',
    'fe80::1',
    '::ffff:169.254.169.254',
    '64:ff9b::6464:64c8',
  ])
    expect([forbiddenRange(address, privateOnly), forbiddenRange(address, linkOnly)]).toEqual([
      forbiddenRange(address),
      undefined,
    ]);
});

test('no setting allows an address that is not a single host', () => {
  for (const address of ['0.0.0.0', '::', '224.0.0.1', '255.255.255.255', 'nonsense']) {
    const range = forbiddenRange(address, { allowPrivate: true, allowLinkLocal: true });
    expect(range).toBeDefined();
    expect(settingFor(range!)).toBeUndefined();
  }
});

const hostOf = (url: string) => new URL(url).hostname;

test.each([
  ['http://168.63.129.16/machine', 'metadata'],
  ['http://0xa83f8110/', 'metadata'],
  ['http://2822734096/', 'metadata'],
  ['http://0250.077.0201.020/', 'metadata'],
  ['http://100.100.100.200./latest', 'metadata'],
  ['http://example.com@169.254.169.254/', 'metadata'],
  ['http://[::ffff:a9fe:a9fe]/', 'metadata'],
  ['http://[64:ff9b::a9fe:a9fe]/', 'metadata'],
  ['http://１６９.254.169.254/', 'metadata'],
  ['http://metadata.google.internal/', 'metadata'],
  ['http://METADATA.google.internal./', 'metadata'],
  ['http://127.1/', 'loopback'],
])('refuses the host of %s: %s', (url, range) => {
  expect(forbiddenHost(hostOf(url))).toBe(range);
});

test('checks a name only as far as possible without resolving it; a name that resembles an address is no address', () => {
  for (const url of ['http://127.0.0.1.evil.com/', 'http://localhost.evil.com/', 'http://169.254.169.254@example.com/'])
    expect(forbiddenHost(hostOf(url))).toBeUndefined();
});

test('refuses metadata services even if private networks are allowed, also by name', () => {
  const privateOnly = { allowPrivate: true, allowLinkLocal: false };

  expect(forbiddenHost('metadata.google.internal', privateOnly)).toBe('metadata');
  expect(forbiddenHost('metadata.google.internal', { allowPrivate: false, allowLinkLocal: true })).toBeUndefined();
  expect(settingFor('metadata')).toBe('http.allow_link_local_webhooks');
});
