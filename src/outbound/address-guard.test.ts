import { expect, test } from 'vitest';
import { forbiddenRange, settingFor } from './address-guard.ts';

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
  ['nonsense', 'invalid'],
])('%s may not be reached: %s', (address, range) => {
  expect(forbiddenRange(address)).toBe(range);
});

test.each(['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c', '64:ff9b::5db8:d70e'])(
  '%s may be reached',
  (address) => {
    expect(forbiddenRange(address)).toBeUndefined();
  },
);

test('opening private networks opens no metadata service, and the other way round', () => {
  const privateOnly = { allowPrivate: true, allowLinkLocal: false };
  const linkOnly = { allowPrivate: false, allowLinkLocal: true };

  for (const address of ['127.0.0.1', '10.1.2.3', '::1', 'fd00:1::1', '100.64.0.1'])
    expect([forbiddenRange(address, privateOnly), forbiddenRange(address, linkOnly)]).toEqual([
      undefined,
      forbiddenRange(address),
    ]);
  for (const address of ['169.254.169.254', '169.254.170.2', 'fd00:ec2::254', 'fe80::1', '::ffff:169.254.169.254'])
    expect([forbiddenRange(address, privateOnly), forbiddenRange(address, linkOnly)]).toEqual([
      forbiddenRange(address),
      undefined,
    ]);
});

test('no setting opens what is no single host', () => {
  for (const address of ['0.0.0.0', '::', '224.0.0.1', '255.255.255.255', 'nonsense']) {
    const range = forbiddenRange(address, { allowPrivate: true, allowLinkLocal: true });
    expect(range).toBeDefined();
    expect(settingFor(range!)).toBeUndefined();
  }
});
