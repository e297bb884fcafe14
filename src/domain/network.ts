// Networks as people write them: an address, or an address with a prefix length (CIDR).
import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

export type Network = readonly [address: ipaddr.IPv4 | ipaddr.IPv6, bits: number];

/** The network that a text describes, or undefined: `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`. */
export function networkOf(text: string): Network | undefined {
  const [base = '', bits, ...rest] = text.trim().split('/');
  if (rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return undefined;
  if (!ipaddr.IPv4.isValidFourPartDecimal(base) && !ipaddr.IPv6.isValid(base)) return undefined;
  const address = ipaddr.process(base);
  // The prefix length of an IPv4-mapped network is counted from the left of the IPv6 address.
  const offset = ipaddr.IPv6.isValid(base) && address.kind() === 'ipv4' ? 96 : 0;
  const longest = address.kind() === 'ipv4' ? 32 : 128;
  const length = bits === undefined ? longest : Number(bits) - offset;
  return length >= 0 && length <= longest ? [address, length] : undefined;
}

/** What is wrong with the text of a network, if anything. */
export function problemOfNetwork(text: string): string | undefined {
  if (networkOf(text)) return undefined;
  return `expected an address or a network such as 10.0.0.7, 10.0.0.0/8 or fd00::/8, got ${JSON.stringify(text.slice(0, 60))}`;
}

/** Whether a bind address or host name stands for this machine only. */
export function isLoopbackHost(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}
