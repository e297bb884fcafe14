// The client's address: that of the connection, or the one that a trusted proxy names in X-Forwarded-For.
import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import { type Network, networkOf } from '#domain/network.ts';

/** The proxies whose X-Forwarded-… headers are believed. */
export class TrustedProxies {
  readonly #networks: readonly Network[];

  /** @param networks addresses and CIDRs; any other entry trusts nobody */
  constructor(networks: readonly string[]) {
    this.#networks = networks.flatMap((text) => {
      const network = networkOf(text);
      return network ? [network] : [];
    });
  }

  /** Whether this is the address of a trusted proxy. */
  trusts(address: string): boolean {
    const parsed = addressOf(address);
    return (
      parsed !== undefined &&
      this.#networks.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits))
    );
  }

  /**
   * The client's address. X-Forwarded-For is read from the right, for as long as a trusted proxy wrote the entry. Entries from a client or
   * from anybody else who is not trusted are ignored, and so are entries that are no addresses.
   */
  clientAddress({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string {
    let address = plainAddress(socket.remoteAddress ?? '') ?? 'unknown';
    const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',');
    for (let end = forwarded.length; end > 0 && this.trusts(address); ) {
      const comma = forwarded.lastIndexOf(',', end - 1);
      const named = plainAddress(forwarded.slice(comma + 1, end));
      if (named === undefined) break;
      address = named;
      end = comma;
    }
    return address;
  }
}

/** The part of an address that a client cannot vary at will: an IPv4 address, or the first 64 bits of an IPv6 address. */
export function clientKey(address: string): string {
  const parsed = addressOf(address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed?.toString() ?? address;
  return `${new ipaddr.IPv6([...parsed.parts.slice(0, 4), 0, 0, 0, 0]).toString()}/64`;
}

/** An IPv4-mapped IPv6 address becomes the IPv4 address; the zone is removed. */
function addressOf(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const bare = text.replace(/%.*$/, '');
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : undefined;
}

/** `203.0.113.7`, `203.0.113.7:4711`, `[2001:db8::1]:4711`, `"[2001:db8::1]"`. */
function plainAddress(entry: string): string | undefined {
  const text = entry.trim().replaceAll('"', '').slice(0, 100);
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return addressOf(bare)?.toString();
}
