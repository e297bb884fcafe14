// Which network addresses a configured webhook may reach. Everything that is not a public unicast address is refused: this machine,
// its link, private networks, and the metadata services of clouds and containers (169.254.169.254, 169.254.170.2, fd00:ec2::254).
import ipaddr from 'ipaddr.js';

/** What kind of forbidden address it is (`loopback`, `linkLocal`, `private`, …), or undefined when it may be reached. */
export function forbiddenRange(address: string): string | undefined {
  if (!ipaddr.isValid(address)) return 'invalid';
  // IPv4 in IPv6 clothes (::ffff:127.0.0.1) is judged as what it is.
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv6 && parsed.range() === 'rfc6052') {
    // NAT64 (64:ff9b::/96): the last 32 bits are the IPv4 address that is reached.
    return forbiddenRange(new ipaddr.IPv4(parsed.toByteArray().slice(12)).toString());
  }
  const range = parsed.range();
  return range === 'unicast' ? undefined : range;
}
