// Which network addresses a configured webhook may reach. Everything that is not a public unicast address is refused: this machine, its
// link, private networks, and the metadata services of clouds and containers, which give credentials to anybody who asks.
import ipaddr from 'ipaddr.js';

/** What the configuration allows besides public addresses. */
export interface AddressPolicy {
  /** `http.allow_private_webhooks`: this machine and private networks. */
  readonly allowPrivate: boolean;
  /** `http.allow_link_local_webhooks`: the link and the metadata services on it. */
  readonly allowLinkLocal: boolean;
}

/**
 * Addresses at which clouds provide credentials and instance configuration, by provider. Most are link-local; the others look like public
 * or private ones.
 */
const metadataServices = [
  // Most providers: instance metadata; ECS tasks, EKS pods, Tencent and Scaleway besides.
  // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
  '169.254.169.254/32',
  '169.254.170.0/24',
  '169.254.0.23/32',
  '169.254.42.42/32',
  // AWS over IPv6: metadata, pods, time, name service.
  'fd00:ec2::/32',
  // Azure: the wire server. https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
  '168.63.129.16/32',
  // Alibaba. https://www.alibabacloud.com/help/ecs/user-guide/view-instance-metadata
  '100.100.100.200/32',
  // Oracle: the older address, and over IPv6.
  '192.0.0.192/32',
  'fd00:c1::a9fe:a9fe/128',
  // Google over IPv6. https://cloud.google.com/compute/docs/metadata/querying-metadata
  'fd20:ce::254/128',
  // Scaleway and Akamai over IPv6; OpenStack.
  'fd00:42::42/128',
  'fd00:a9fe:a9fe::1/128',
  'fe80::a9fe:a9fe/128',
].map((range) => ipaddr.parseCIDR(range));

/** Names for them in the resolvers of clouds. Any other name that resolves to one of them is recognised by its address. */
const metadataNames: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'metadata.azure.internal',
  'metadata.tencentyun.com',
  'instance-data',
  'instance-data.ec2.internal',
]);
const privateRanges: ReadonlySet<string> = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']);
const linkRanges: ReadonlySet<string> = new Set(['linkLocal', 'metadata']);

/** The kind of forbidden address (`loopback`, `metadata`, `private`, …), or undefined if it may be reached. */
export function forbiddenRange(
  address: string,
  { allowPrivate, allowLinkLocal }: AddressPolicy = { allowPrivate: false, allowLinkLocal: false },
): string | undefined {
  const range = rangeOf(address);
  if (range === 'unicast') return undefined;
  if (allowPrivate && privateRanges.has(range)) return undefined;
  if (allowLinkLocal && linkRanges.has(range)) return undefined;
  return range;
}

/** The setting that would allow a range, if there is one. */
export function settingFor(range: string): string | undefined {
  if (privateRanges.has(range)) return 'http.allow_private_webhooks';
  if (linkRanges.has(range)) return 'http.allow_link_local_webhooks';
  return undefined;
}

/**
 * As `forbiddenRange`, for the host of a parsed URL: an address, or a name as far as it can be checked without resolving it. URLs can
 * contain addresses in decimal, octal and hexadecimal, and names with a trailing dot.
 */
export function forbiddenHost(hostname: string, policy?: AddressPolicy): string | undefined {
  const literal = hostname.replace(/^\[|\]$/g, '');
  if (isAddress(literal)) return forbiddenRange(literal, policy);
  const name = literal.toLowerCase().replace(/\.+$/, '');
  return metadataNames.has(name) && !policy?.allowLinkLocal ? 'metadata' : undefined;
}

/** Whether a URL's host is an address, as the URL parser writes addresses. */
export function isAddress(host: string): boolean {
  return /^[0-9.]+$/.test(host) || host.includes(':');
}

function rangeOf(address: string): string {
  if (!ipaddr.isValid(address)) return 'invalid';
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return rangeOfIPv4(parsed);
  const embedded = ipv4In(parsed);
  if (embedded) return rangeOfIPv4(embedded);
  // The name of an interface after the address does not change where the address is.
  const plain = new ipaddr.IPv6(parsed.parts);
  if (isMetadata(plain)) return 'metadata';
  const range = plain.range();
  // Everything that is publicly routed: https://www.iana.org/assignments/ipv6-address-space
  return range === 'unicast' && !plain.match(ipaddr.IPv6.parseCIDR('2000::/3')) ? 'reserved' : range;
}

function rangeOfIPv4(address: ipaddr.IPv4): string {
  return isMetadata(address) ? 'metadata' : address.range();
}

function isMetadata(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return metadataServices.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits));
}

/** The IPv4 address that an IPv6 address leads to through a translator or a tunnel. */
function ipv4In(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const bytes = address.toByteArray();
  const at = (index: number) => new ipaddr.IPv4(bytes.slice(index, index + 4));
  const range = address.range();
  // NAT64 (64:ff9b::/96, RFC 6052, and 64:ff9b:1::/48, RFC 8215), and SIIT (RFC 6145).
  if (range === 'rfc6052' || range === 'rfc6145') return at(12);
  // 2002:<IPv4>:: (RFC 3056). One with a public IPv4 address keeps its range and is refused too, because relays no longer exist.
  if (range === '6to4') return rangeOfIPv4(at(2)) === 'unicast' ? undefined : at(2);
  if (range !== 'unicast') return undefined;
  // IPv4-compatible addresses (::127.0.0.1), deprecated by RFC 4291, and ISATAP (RFC 5214).
  const isCompatible = bytes.slice(0, 12).every((byte) => byte === 0);
  const isIsatap = (bytes[8]! & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
  return isCompatible || isIsatap ? at(12) : undefined;
}
