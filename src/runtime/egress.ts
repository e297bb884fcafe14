// How this process reaches other machines: directly, or through the proxy that HTTPS_PROXY and HTTP_PROXY name, and which authorities it
// trusts besides Node's own. The same for every AWS client and for webhooks. There is no standard for NO_PROXY; where programs
// differ, this follows curl: https://everything.curl.dev/usingcurl/proxies/env.html
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import ipaddr from 'ipaddr.js';
import { AppError, messageOf } from '#domain/errors.ts';
import { type Network, networkOf } from '#domain/network.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Proxy {
  /** With user and password if it has them: for the connection only. */
  readonly url: URL;
  /** The environment variable that names it. */
  readonly variable: string;
}

/** Through which proxy a host is reached, or why through none. */
export type Route =
  | { readonly proxy: Proxy }
  | { readonly proxy: undefined; readonly because: 'no proxy is set' | 'this machine or its link' | 'NO_PROXY' };

/** An entry of NO_PROXY. */
interface Exception {
  /** `*`: every host. */
  readonly host: string | Network;
  readonly port: number | undefined;
}

const standardPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };
/** `0.0.0.0` and `::` are this machine too. */
const ownRanges: ReadonlySet<string> = new Set(['loopback', 'linkLocal', 'unspecified']);

/** What the environment says about proxies. Of two spellings of a name, the one in lower case is used, as in curl. */
export class Egress {
  /** Entries of NO_PROXY without a meaning here; every other program ignores such entries too. */
  readonly unreadable: readonly string[];
  readonly #proxies: Readonly<Record<string, Proxy | undefined>>;
  readonly #exceptions: readonly Exception[];

  /** @throws AppError EGRESS_INVALID if a variable names no usable proxy. It repeats none of the text, which may contain a password. */
  constructor(env: Environment) {
    this.#proxies = { 'https:': proxyIn(env, 'HTTPS_PROXY'), 'http:': proxyIn(env, 'HTTP_PROXY') };
    const entries = (valueIn(env, 'NO_PROXY')?.text ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
    const read = entries.map((entry) => [entry, exceptionOf(entry)] as const);
    this.#exceptions = read.flatMap(([, exception]) => exception ?? []);
    this.unreadable = read.flatMap(([entry, exception]) => (exception ? [] : [entry]));
  }

  /** The proxies that are set, by what they are for. */
  get proxies(): readonly Proxy[] {
    return Object.values(this.#proxies).filter((proxy) => proxy !== undefined);
  }

  /** How a request to this URL is sent. Requests to this machine and its link, where metadata services are, never go through a proxy. */
  routeTo(url: Pick<URL, 'protocol' | 'hostname' | 'port'>): Route {
    const proxy = this.#proxies[url.protocol];
    if (proxy === undefined) return { proxy: undefined, because: 'no proxy is set' };
    const host = plainHost(url.hostname);
    const address = ipaddr.isValid(host) ? ipaddr.process(host) : undefined;
    if (/(^|\.)localhost$/.test(host) || (address && ownRanges.has(address.range())))
      return { proxy: undefined, because: 'this machine or its link' };
    const port = Number(url.port) || standardPorts[url.protocol];
    const excepted = this.#exceptions.some(
      (exception) =>
        (exception.port === undefined || exception.port === port) && isMeant(exception.host, host, address),
    );
    return excepted ? { proxy: undefined, because: 'NO_PROXY' } : { proxy };
  }
}

/** A proxy's address as shown to people: without its password. */
export function shownProxy({ url }: Proxy): string {
  const user = url.username === '' && url.password === '' ? '' : `${url.username}:***@`;
  return `${url.protocol}//${user}${url.host}`;
}

/**
 * The egress of this process. The authorities in AWS_CA_BUNDLE are added once to Node's own, for all connections of the process, as
 * NODE_EXTRA_CA_CERTS would add them.
 * @throws AppError EGRESS_INVALID
 */
export function processEgress(env: Environment = process.env): Egress {
  const bundle = env['AWS_CA_BUNDLE'];
  if (bundle) trust(bundle);
  return new Egress(env);
}

const trusted = new Set<string>();

function trust(file: string): void {
  if (trusted.has(file)) return;
  const refuse = (why: string, cause?: unknown): never => {
    throw new AppError('EGRESS_INVALID', `AWS_CA_BUNDLE names ${file}, ${why}`, { cause });
  };
  // Since Node 24.5.
  if (typeof tls.setDefaultCACertificates !== 'function')
    return refuse(`and Node ${process.version} cannot add authorities: name the file in NODE_EXTRA_CA_CERTS instead`);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return refuse(`which cannot be read: ${messageOf(error)}`, error);
  }
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
  if (!certificates) return refuse('which contains no certificate: it must be a file of PEM certificates');
  try {
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), ...certificates]);
  } catch (error) {
    return refuse(`in which a certificate cannot be read: ${messageOf(error)}`, error);
  }
  trusted.add(file);
}

function valueIn(env: Environment, name: string): { readonly variable: string; readonly text: string } | undefined {
  for (const variable of [name.toLowerCase(), name]) {
    const text = env[variable]?.trim();
    if (text) return { variable, text };
  }
  return undefined;
}

function proxyIn(env: Environment, name: string): Proxy | undefined {
  const value = valueIn(env, name);
  if (!value) return undefined;
  const { variable, text } = value;
  const refuse = (why: string): never => {
    throw new AppError('EGRESS_INVALID', `${variable} ${why}: write http://[user:password@]host:port, or https://…`);
  };
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (!url || url.hostname === '') return refuse('is not the address of a proxy');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return refuse(`names a ${url.protocol.slice(0, -1)} proxy; only http and https proxies can be used`);
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') return refuse('has more than host and port');
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    return refuse('has a % in its user or password that begins no percent-encoding (a % itself is %25)');
  }
  return { url, variable };
}

/** `*`, `example.com`, `.example.com`, `*.example.com`, an address, a network; each except a network may have a port. */
function exceptionOf(entry: string): Exception | undefined {
  const network = networkOf(entry.replace(/^\[(.*)\]$/, '$1'));
  if (network) return { host: network, port: undefined };
  const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(entry) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port === 0 || port > 65_535)) return undefined;
  const host = bracketed ?? plain;
  if (host === undefined) return undefined;
  const address = networkOf(host);
  if (address) return host.includes('/') ? undefined : { host: address, port };
  if (bracketed !== undefined) return undefined;
  if (host === '*') return { host, port };
  const name = plainHost(host.replace(/^\*?\./, ''));
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name) ? { host: name, port } : undefined;
}

/** A name matches itself and every name below it; a network matches the addresses in it. Names are not resolved. */
function isMeant(meant: string | Network, host: string, address: ipaddr.IPv4 | ipaddr.IPv6 | undefined): boolean {
  if (typeof meant !== 'string')
    return address !== undefined && meant[0].kind() === address.kind() && address.match(...meant);
  return meant === '*' || (address === undefined && (host === meant || host.endsWith(`.${meant}`)));
}

function plainHost(hostname: string): string {
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.+$/, '')
    .toLowerCase();
}
