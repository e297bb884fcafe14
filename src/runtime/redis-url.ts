// What REDIS_URL may say: redis[s]://[user:password@]host[:port][/database]. A pure function. No refusal repeats any part of the
// text: whatever is malformed may be a piece of the password.
import { isIPv6 } from 'node:net';
import { AppError } from '#domain/errors.ts';

/** One server and one database. */
export interface RedisAddress {
  readonly tls: boolean;
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
}

const form = 'redis://[user:password@]host[:port][/database]';
const encoding = 'in a user or password write @ as %40, : as %3A, / as %2F, # as %23, ? as %3F and % as %25';
/** Redis keeps the number of databases in an int. */
const mostDatabases = 2 ** 31 - 1;

/**
 * Reads an address.
 * @param name what the text is called in messages.
 * @throws AppError REDIS_URL_INVALID, in one line that names the variable and says what to write.
 */
export function parseRedisUrl(text: string, name = 'REDIS_URL'): RedisAddress {
  const refuse = (why: string): never => {
    throw new AppError('REDIS_URL_INVALID', `${name} ${why}`);
  };
  if (text.trim() === '') return refuse(`is empty: set it to ${form}, or remove it`);
  // oxlint-disable-next-line eslint/no-control-regex -- they are what is looked for.
  if (/[\s\u0000-\u001f\u007f]/.test(text))
    return refuse('contains a space, a line break or a control character: remove it, or write it as %20 in a password');
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== 'redis' && scheme !== 'rediss') return refuse(whyNotScheme(scheme, text));
  const rest = text.slice(scheme.length + 3);
  const end = rest.search(/[/?#]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  const tail = end === -1 ? '' : rest.slice(end);
  if (tail.includes('@')) return refuse(`has a user or password that is not percent-encoded: ${encoding}`);
  const at = authority.lastIndexOf('@');
  const credentials = readCredentials(at === -1 ? '' : authority.slice(0, at), refuse);
  const place = authority.slice(at + 1);
  if (place.includes(','))
    return refuse(
      'lists several servers: this version uses one server, not a cluster or a sentinel; give the address of the primary',
    );
  if (place === '' && tail.startsWith('/') && !/^\/\d*$/.test(tail))
    return refuse(`is the path of a unix socket: give a host, ${form}`);
  const { host, port } = readPlace(place, refuse);
  return { tls: scheme === 'rediss', host, port, ...credentials, database: readDatabase(tail, refuse) };
}

/** The address without user and password, for logs and messages. */
export function redisAddressText({ tls, host, port, database }: RedisAddress): string {
  return `${tls ? 'rediss' : 'redis'}://${isIPv6(host) ? `[${host}]` : host}:${port}/${database}`;
}

type Refuse = (why: string) => never;

function whyNotScheme(scheme: string | undefined, text: string): string {
  if (scheme?.includes('sentinel'))
    return 'is the address of a sentinel, which this version cannot use: give the address of the primary, redis://host:port';
  if (scheme?.includes('cluster'))
    return 'is the address of a cluster, which this version cannot use: give the address of one server, redis://host:port';
  if (scheme?.includes('unix') || scheme?.includes('socket') || /^(?:unix:|[./])/i.test(text))
    return `is the path of a unix socket: give a host, ${form}`;
  if (scheme === 'http' || scheme === 'https')
    return `begins with ${scheme}://: it must be ${form} (rediss:// for TLS)`;
  return `must begin with redis:// or rediss://: write ${form}`;
}

function readCredentials(text: string, refuse: Refuse): Pick<RedisAddress, 'username' | 'password'> {
  const colon = text.indexOf(':');
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      return refuse(`has a % in its user or password that begins no percent-encoding: ${encoding}`);
    }
  };
  const username = decode(colon === -1 ? text : text.slice(0, colon));
  const password = colon === -1 ? undefined : decode(text.slice(colon + 1));
  if (username !== '' && password === undefined)
    return refuse('has a user and no password: write redis://user:password@host, or redis://:password@host');
  if (username === '' && (password === undefined || password === ''))
    return { username: undefined, password: undefined };
  return { username: username === '' ? undefined : username, password };
}

function readPlace(place: string, refuse: Refuse): Pick<RedisAddress, 'host' | 'port'> {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(place);
  if (!bracketed && (place.split(':').length > 2 || /[[\]]/.test(place)))
    return refuse('has no valid host: write an IPv6 address in brackets, redis://[::1]:6379');
  const [, host = '', portText] = bracketed ?? /^([^:]*)(?::(.*))?$/.exec(place) ?? [];
  if (host === '') return refuse(`names no host: write ${form}`);
  const isHost = bracketed ? isIPv6(host) : /^(?!\d+$)[\p{L}\p{N}_.-]{1,253}$/u.test(host);
  if (!isHost) return refuse(`has a host that is no host name and no IP address: write ${form}`);
  const port = portText === undefined ? 6379 : /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535)
    return refuse(`has a port that is no number from 1 to 65535: write ${form}; ${encoding}`);
  return { host, port };
}

function readDatabase(tail: string, refuse: Refuse): number {
  if (tail.includes('#')) return refuse(`contains a #: ${encoding}`);
  if (tail.includes('?'))
    return refuse(`has options after a ?, which are not known here: write ${form} (rediss:// for TLS)`);
  if (tail === '' || tail === '/') return 0;
  const digits = /^\/(\d{1,10})$/.exec(tail)?.[1];
  if (digits === undefined || Number(digits) > mostDatabases)
    return refuse(`names a database that is no number: write one from 0 on after the host, redis://host:6379/2`);
  return Number(digits);
}
