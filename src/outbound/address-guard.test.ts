import { expect, test } from 'vitest';
import { forbiddenRange } from './address-guard.ts';

test.each([
  ['127.0.0.1', 'loopback'],
  ['169.254.169.254', 'linkLocal'],
  ['169.254.170.2', 'linkLocal'],
  ['10.1.2.3', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.0.1', 'private'],
  ['100.64.0.1', 'carrierGradeNat'],
  ['0.0.0.0', 'unspecified'],
  ['::1', 'loopback'],
  ['::', 'unspecified'],
  ['fe80::1', 'linkLocal'],
  ['fd00:ec2::254', 'uniqueLocal'],
  ['::ffff:169.254.169.254', 'linkLocal'],
  ['::ffff:7f00:1', 'loopback'],
  ['64:ff9b::a9fe:a9fe', 'linkLocal'],
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
