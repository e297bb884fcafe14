import { Buffer } from 'node:buffer';
import pino from 'pino';
import { expect, test } from 'vitest';
import { AuthProxy, type AuthProxySettings } from './auth-proxy.ts';
import { TrustedProxies } from './client-address.ts';

const settings: AuthProxySettings = {
  header_name: 'X-WEBAUTH-USER',
  headers: { role: 'X-WEBAUTH-ROLE' },
  default_role: 'viewer',
};

function setup(changes: Partial<AuthProxySettings> = {}) {
  const lines: string[] = [];
  let nowMs = 0;
  const proxy = new AuthProxy({
    settings: { ...settings, ...changes },
    proxies: new TrustedProxies(['10.0.0.5']),
    externalUrl: 'https://noc.example/ops',
    clock: { monotonic: () => nowMs },
    logger: pino({}, { write: (line: string) => void lines.push(line) }),
  });
  return { proxy, lines, pass: (ms: number) => void (nowMs += ms) };
}

type Header = readonly [name: string, value: string];

/** As Node parses them: names in lower case, a repeated header joined with a comma. */
function request(given: readonly Header[], { from = '10.0.0.5', method = 'GET' } = {}) {
  const headers: Record<string, string> = {};
  for (const [name, value] of given) {
    const lower = name.toLowerCase();
    headers[lower] = headers[lower] === undefined ? value : `${headers[lower]}, ${value}`;
  }
  return { socket: { remoteAddress: from }, headers, rawHeaders: given.flat(), method } as never;
}

const code = (run: () => unknown) => {
  try {
    return run();
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

test('takes name and role from the headers, in upper or lower case', () => {
  const { proxy } = setup();
  const caller = proxy.callerOf(
    request([
      ['x-webauth-USER', 'mara@example.com'],
      ['X-Webauth-Role', 'Operator'],
    ]),
  );
  expect(caller).toEqual({ name: 'mara@example.com', role: 'operator', proxied: true });
});

test('ignores the header of a client that is no trusted proxy, and logs this once a minute', () => {
  const { proxy, lines, pass } = setup();
  const forged = request(
    [
      ['X-WEBAUTH-USER', 'mara'],
      ['X-Forwarded-For', '10.0.0.5'],
    ],
    { from: '203.0.113.9' },
  );

  expect(proxy.callerOf(forged)).toBeUndefined();
  expect(proxy.hintFor(forged)).toContain('http.trusted_proxies');
  proxy.hintFor(forged);
  expect(lines).toHaveLength(1);
  pass(60_000);
  proxy.hintFor(forged);
  expect(lines).toHaveLength(2);
  expect(proxy.hintFor(request([], { from: '203.0.113.9' }))).toBeUndefined();
});

test.each<[string, readonly Header[], unknown]>([
  ['no header', [], undefined],
  ['an empty one', [['X-WEBAUTH-USER', '  ']], undefined],
  [
    'a repeated name',
    [
      ['X-WEBAUTH-USER', 'mara'],
      ['x-webauth-user', 'mara'],
    ],
    'UNAUTHORIZED',
  ],
  [
    'an empty one before the name',
    [
      ['X-WEBAUTH-USER', ''],
      ['X-WEBAUTH-USER', 'mara'],
    ],
    'UNAUTHORIZED',
  ],
  ['two names in one', [['X-WEBAUTH-USER', 'mara, root']], 'UNAUTHORIZED'],
  ['a tab', [['X-WEBAUTH-USER', 'ma\tra']], 'UNAUTHORIZED'],
  ['letters that reverse the direction of text', [['X-WEBAUTH-USER', utf8('mara\u202Egnp')]], 'UNAUTHORIZED'],
  ['a control character', [['X-WEBAUTH-USER', 'mara\x7f']], 'UNAUTHORIZED'],
  ['a reserved name', [['X-WEBAUTH-USER', 'token admin']], 'UNAUTHORIZED'],
  ['another', [['X-WEBAUTH-USER', 'loopback']], 'UNAUTHORIZED'],
  ['the longest name and one more', [['X-WEBAUTH-USER', 'm'.repeat(129)]], 'UNAUTHORIZED'],
  [
    'an unknown role',
    [
      ['X-WEBAUTH-USER', 'mara'],
      ['X-WEBAUTH-ROLE', 'superuser'],
    ],
    'FORBIDDEN',
  ],
  [
    'two roles',
    [
      ['X-WEBAUTH-USER', 'mara'],
      ['X-WEBAUTH-ROLE', 'viewer,admin'],
    ],
    'FORBIDDEN',
  ],
  [
    'a repeated role',
    [
      ['X-WEBAUTH-USER', 'm'],
      ['X-WEBAUTH-ROLE', 'admin'],
      ['X-WEBAUTH-ROLE', 'admin'],
    ],
    'UNAUTHORIZED',
  ],
  ['no role', [['X-WEBAUTH-USER', 'mara']], { name: 'mara', role: 'viewer', proxied: true }],
  [
    'letters of any script',
    [['X-WEBAUTH-USER', utf8('Zoë Müller')]],
    { name: 'Zoë Müller', role: 'viewer', proxied: true },
  ],
  ['Latin-1', [['X-WEBAUTH-USER', 'Zo\xeb']], { name: 'Zoë', role: 'viewer', proxied: true }],
  ['a domain', [['X-WEBAUTH-USER', 'VIDEO\\mara']], { name: 'VIDEO\\mara', role: 'viewer', proxied: true }],
])('the header with %s', (_, headers, expected) => {
  const { proxy } = setup();
  expect(code(() => proxy.callerOf(request(headers)))).toEqual(expected);
});

test('maps groups to roles: the highest counts, and a person in none of the groups gets the default', () => {
  const roles = { operator: ['video-oncall'], admin: ['video-leads', 'sre'] };
  const { proxy } = setup({ roles });
  const roleOf = (groups: string, of = proxy) =>
    code(
      () =>
        of.callerOf(
          request([
            ['X-WEBAUTH-USER', 'mara'],
            ['X-WEBAUTH-ROLE', groups],
          ]),
        )?.role,
    );

  expect(roleOf('staff, video-oncall ,sre')).toBe('admin');
  expect(roleOf('staff,Video-Oncall')).toBe('operator');
  // With `roles` set, the name of a role is a group like any other.
  expect(roleOf('admin')).toBe('viewer');
  expect(roleOf('staff', setup({ roles, default_role: 'none' }).proxy)).toBe('FORBIDDEN');
  // For a person in very many groups, no part of a group name counts, and no group is left out.
  const many = (last: string) => `${'x'.repeat(7_996)},${last}`;
  expect(roleOf(many('sre-visitors'))).toBe('viewer');
  expect(roleOf(many('staff,sre'))).toBe('admin');
  // Proxies write UTF-8.
  expect(roleOf(utf8('Übertragung'), setup({ roles: { operator: ['übertragung'] } }).proxy)).toBe('operator');
});

test('a page of another site cannot act as the person whom the proxy signed in; reading is allowed', () => {
  const { proxy } = setup();
  const from = (method: string, headers: readonly Header[]) =>
    code(() =>
      proxy.callerOf(request([['X-WEBAUTH-USER', 'mara'], ['Host', 'noc.example'], ...headers], { method })),
    ) !== 'FOREIGN_REQUEST';

  expect(
    from('POST', [
      ['Sec-Fetch-Site', 'cross-site'],
      ['Origin', 'https://evil.example'],
    ]),
  ).toBe(false);
  expect(
    from('POST', [
      ['Sec-Fetch-Site', 'same-site'],
      ['Origin', 'https://noc.example'],
    ]),
  ).toBe(false);
  expect(from('DELETE', [['Origin', 'https://evil.example']])).toBe(false);
  expect(from('POST', [['Origin', 'null']])).toBe(false);
  expect(from('GET', [['Sec-Fetch-Site', 'cross-site']])).toBe(true);
  expect(
    from('POST', [
      ['Sec-Fetch-Site', 'same-origin'],
      ['Origin', 'https://noc.example'],
    ]),
  ).toBe(true);
  expect(from('POST', [['Origin', 'https://noc.example']])).toBe(true);
  expect(from('POST', [])).toBe(true);
});
