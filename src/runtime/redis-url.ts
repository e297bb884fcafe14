// What REDIS_URL may contain: one server, nodes of a cluster, or sentinels. A pure function. No error repeats any part of the text:
// whatever is malformed may be a piece of the password.
import { isIPv6 } from 'node:net';
import { AppError } from '#domain/errors.ts';

export interface RedisNode {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Where Redis is and which database is meant. */
export interface RedisAddress {
  readonly tls: boolean;
  /** One server, which may be a node of a cluster; several nodes of one cluster; or, with `master`, sentinels. */
  readonly nodes: readonly [RedisNode, ...RedisNode[]];
  /** The name under which the sentinels watch a primary; undefined: the nodes are not sentinels. */
  readonly master: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
}

const form = 'redis://[user:password@]host[:port][,host[:port]…][/database]';
const sentinelForm = 'redis+sentinel://[user:password@]host:26379[,host:26379…]/name[/database]';
const encoding = 'in a user or password write @ as %40, : as %3A, / as %2F, # as %23, ? as %3F and % as %25';
/** Redis keeps the number of databases in an int. */
const mostDatabases = 2 ** 31 - 1;
/** More than anybody needs to list: a cluster names its other nodes itself. */
const mostNodes = 100;
const schemes = new Set(['redis', 'rediss', 'redis+sentinel', 'rediss+sentinel']);

/**
 * Reads an address. Whether a server is part of a cluster is only known after asking it.
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
  if (scheme === undefined || !schemes.has(scheme)) return refuse(whyNotScheme(scheme, text));
  const isSentinel = scheme.endsWith('+sentinel');
  const rest = text.slice(scheme.length + 3);
  const end = rest.search(/[/?#]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  const tail = end === -1 ? '' : rest.slice(end);
  if (tail.includes('@')) return refuse(`has a user or password that is not percent-encoded: ${encoding}`);
  const at = authority.lastIndexOf('@');
  const credentials = readCredentials(at === -1 ? '' : authority.slice(0, at), refuse);
  const place = authority.slice(at + 1);
  if (place === '' && !isSentinel && tail.startsWith('/') && !/^\/\d*$/.test(tail))
    return refuse(`is the path of a unix socket: give a host, ${form}`);
  const nodes = readNodes(place, isSentinel ? 26_379 : 6_379, refuse);
  const { master, database } = isSentinel
    ? readMaster(tail, refuse)
    : { master: undefined, database: readDatabase(tail, refuse) };
  if (nodes.length > 1 && master === undefined && database !== 0)
    return refuse('lists several servers and a database: a cluster has database 0 only; remove the database');
  return { tls: scheme.startsWith('rediss'), nodes, master, ...credentials, database };
}

/** The address without user and password, for logs and messages. */
export function redisAddressText({ tls, nodes, master, database }: RedisAddress): string {
  const scheme = `${tls ? 'rediss' : 'redis'}${master === undefined ? '' : '+sentinel'}`;
  return `${scheme}://${nodes.map(redisNodeText).join(',')}${master === undefined ? '' : `/${master}`}/${database}`;
}

/** `host:port` */
export function redisNodeText({ host, port }: RedisNode): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** Whether a text is a host name or an address; IPv6 without brackets. */
export function isRedisHost(text: string): boolean {
  return isIPv6(text) || /^(?!\d+$)[\p{L}\p{N}_.-]{1,253}$/u.test(text);
}

type Refuse = (why: string) => never;

function whyNotScheme(scheme: string | undefined, text: string): string {
  if (scheme?.includes('sentinel'))
    return `must begin with redis+sentinel:// or rediss+sentinel://: write ${sentinelForm}`;
  if (scheme?.includes('cluster'))
    return 'must begin with redis:// or rediss://, also for a cluster: name one or more of its nodes, redis://host:port,host:port';
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

function readNodes(place: string, defaultPort: number, refuse: Refuse): RedisAddress['nodes'] {
  const parts = place.split(',');
  if (parts.length > 1 && parts.includes(''))
    return refuse('has a comma with no host before or after it: write host:port,host:port');
  if (parts.length > mostNodes) return refuse(`lists more than ${mostNodes} hosts: a few of them are enough`);
  const [first, ...others] = parts.map((part) => readPlace(part, defaultPort, refuse));
  return [first!, ...others];
}

function readPlace(place: string, defaultPort: number, refuse: Refuse): RedisNode {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(place);
  if (!bracketed && (place.split(':').length > 2 || /[[\]]/.test(place)))
    return refuse('has no valid host: write an IPv6 address in brackets, redis://[::1]:6379');
  const [, host = '', portText] = bracketed ?? /^([^:]*)(?::(.*))?$/.exec(place) ?? [];
  if (host === '') return refuse(`names no host: write ${form}`);
  const isHost = bracketed ? isIPv6(host) : isRedisHost(host);
  if (!isHost) return refuse(`has a host that is neither a host name nor an IP address: write ${form}`);
  const port = portText === undefined ? defaultPort : /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535)
    return refuse(`has a port that is not a number from 1 to 65535: write ${form}; ${encoding}`);
  return { host, port };
}

function readDatabase(tail: string, refuse: Refuse): number {
  if (tail.includes('#')) return refuse(`contains a #: ${encoding}`);
  if (tail.includes('?'))
    return refuse(`has options after a ?, which are not known here: write ${form} (rediss:// for TLS)`);
  if (tail === '' || tail === '/') return 0;
  const digits = /^\/(\d{1,10})$/.exec(tail)?.[1];
  if (digits === undefined || Number(digits) > mostDatabases)
    return refuse(`names a database that is not a number: write a number from 0 after the host, redis://host:6379/2`);
  return Number(digits);
}

function readMaster(tail: string, refuse: Refuse): { readonly master: string; readonly database: number } {
  const [, name = '', database = ''] = /^\/([^/?#]*)(.*)$/.exec(tail) ?? [];
  if (name === '' || /^\d+$/.test(name))
    return refuse(`does not say which primary the sentinels are to name: write ${sentinelForm}`);
  // https://github.com/redis/redis/blob/7.2/src/sentinel.c: the characters that a name may contain.
  if (!/^[\w.-]{1,256}$/.test(name))
    return refuse('has a name of a primary with other characters than letters, digits, dot, underscore and hyphen');
  return { master: name, database: readDatabase(database, refuse) };
}
