// Problems of `http` in a configuration that involve more than one setting.
import { networkOf } from '#domain/network.ts';
import type { Finding } from './problem.ts';
import type { ConfigDocument } from './schema.ts';

/** Which proxies may say who a request comes from: neither none nor all. */
export function problemsOfHttp({ http }: Pick<ConfigDocument, 'http'>): Finding[] {
  const { auth_proxy: proxy, trusted_proxies: trusted } = http;
  if (!proxy) return [];
  const findings: Finding[] = [];
  const error = (path: Finding['path'], message: string) => findings.push({ path, message, severity: 'error' });
  if (trusted.length === 0)
    error(['http', 'auth_proxy'], 'nobody is believed: name the addresses of the proxy in http.trusted_proxies');
  for (const [index, text] of trusted.entries())
    if (isWide(text))
      error(
        ['http', 'trusted_proxies', index],
        'with http.auth_proxy everybody in this network could say that they are anybody: name the addresses of the proxy',
      );
  const { header_name: name, headers, roles } = proxy;
  if (headers.role?.toLowerCase() === name.toLowerCase())
    error(['http', 'auth_proxy', 'headers', 'role'], 'the header of the role is that of the name');
  if (roles && headers.role === undefined)
    error(['http', 'auth_proxy', 'roles'], 'no header has these values: name it in headers.role');
  return findings;
}

/** Wider than the widest private network, 10.0.0.0/8 or fc00::/7. */
function isWide(text: string): boolean {
  const [address, bits = 0] = networkOf(text) ?? [];
  return address !== undefined && bits < (address.kind() === 'ipv4' ? 8 : 7);
}
