import { expect, test } from 'vitest';
import { namesLoopback } from './same-site.ts';

test.each(['localhost', 'localhost:8080', 'LOCALHOST:1', '127.0.0.1', '127.1.2.3:80', '[::1]', '[::1]:8080'])(
  'the host %s is this machine',
  (host) => expect(namesLoopback(host)).toBe(true),
);

test.each([
  '[::1].evil.com',
  '[::1]:80.evil.com',
  '[::1]evil.com',
  '[::1',
  '::1',
  '127.0.0.1.evil.com',
  '127.0.0.1.evil.com:80',
  '127.0.0.1@evil.com',
  '127.0.0.999',
  '127.1',
  'localhost.evil.com',
  'localhost:80@evil.com',
  'localhost:',
  'localhost:808080',
  'evil.com',
  '0.0.0.0',
  '[::ffff:127.0.0.1]',
  '',
])('the host %s is not', (host) => expect(namesLoopback(host)).toBe(false));
