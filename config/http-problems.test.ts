import { expect, test } from 'vitest';
import { checkConfig } from './lint.ts';
import { formatProblem } from './problem.ts';

const problemsOf = (http: string) => checkConfig(`version: 1\nhttp: ${http}\n`, 'f').problems.map(formatProblem);

test.each<[string, string, RegExp]>([
  ['nobody is believed', '{auth_proxy: {}}', /http\.auth_proxy: nobody is believed/],
  ['everybody is', '{trusted_proxies: ["0.0.0.0/0"], auth_proxy: {}}', /trusted_proxies\[0\]: .* name the addresses/],
  ['half of everybody', '{trusted_proxies: ["10.0.0.1", "128.0.0.0/1"], auth_proxy: {}}', /trusted_proxies\[1\]/],
  ['everybody, in IPv6', '{trusted_proxies: ["::/0"], auth_proxy: {}}', /trusted_proxies\[0\]/],
  [
    'a header with another use',
    '{trusted_proxies: ["10.0.0.1"], auth_proxy: {header_name: Authorization}}',
    /no other use/,
  ],
  [
    'the person’s own word',
    '{trusted_proxies: ["10.0.0.1"], auth_proxy: {header_name: X-Autopilot-As}}',
    /no other use/,
  ],
  ['no header', '{trusted_proxies: ["10.0.0.1"], auth_proxy: {header_name: "X User"}}', /name of a header/],
  [
    'one header for both',
    '{trusted_proxies: ["10.0.0.1"], auth_proxy: {header_name: X-User, headers: {role: x-user}}}',
    /headers\.role: the header of the role is that of the name/,
  ],
  [
    'values of no header',
    '{trusted_proxies: ["10.0.0.1"], auth_proxy: {roles: {admin: [sre]}}}',
    /auth_proxy\.roles: no header has these values/,
  ],
])('a proxy that signs people in: %s', (_, http, expected) => {
  expect(problemsOf(http)).toEqual([expect.stringMatching(expected)]);
});

test('accepts a private network of proxies, with Grafana’s names', () => {
  expect(problemsOf('{trusted_proxies: ["10.0.0.0/8", "fd00::/8"], auth_proxy: {}}')).toEqual([]);
});
