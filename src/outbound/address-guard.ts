// Which network addresses a configured webhook may reach. Everything that is not a public unicast address is refused: this machine,
// its link, private networks, and the metadata services of clouds and containers, which hand out credentials to whoever asks.
import ipaddr from 'ipaddr.js';

/** What the configuration opens besides public addresses. */
export interface AddressPolicy {
  /** `http.allow_private_webhooks`: this machine and private networks. */
  readonly allowPrivate: boolean;
  /** `http.allow_link_local_webhooks`: the link and the metadata services on it. */
  readonly allowLinkLocal: boolean;
}

/**
 * Instance metadata, ECS task and EKS pod credentials.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
const metadataServices: ReadonlySet<string> = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  'fd00:ec2::254',
  'fd00:ec2::23',
]);
const privateRanges: ReadonlySet<string> = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']);
const linkRanges: ReadonlySet<string> = new Set(['linkLocal', 'metadata']);

/** What kind of forbidden address it is (`loopback`, `metadata`, `private`, …), or undefined when it may be reached. */
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

/** The setting that would open a range, if one does. */
export function settingFor(range: string): string | undefined {
  if (privateRanges.has(range)) return 'http.allow_private_webhooks';
  if (linkRanges.has(range)) return 'http.allow_link_local_webhooks';
  return undefined;
}

function rangeOf(address: string): string {
  if (!ipaddr.isValid(address)) return 'invalid';
  // IPv4 in IPv6 clothes (::ffff:127.0.0.1) is judged as what it is.
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv6 && parsed.range() === 'rfc6052') {
    // NAT64 (64:ff9b::/96): the last 32 bits are the IPv4 address that is reached.
    return rangeOf(new ipaddr.IPv4(parsed.toByteArray().slice(12)).toString());
  }
  return metadataServices.has(parsed.toString()) ? 'metadata' : parsed.range();
}
