// Names and roles from a proxy that signs people in (`http.auth_proxy`), like Grafana's auth proxy. The headers count only if the
// connection comes directly from an address of `http.trusted_proxies`; from anybody else they are ignored.
// https://grafana.com/docs/grafana/latest/setup-grafana/configure-access/configure-authentication/auth-proxy/
import type { IncomingMessage } from 'node:http';
import { AppError } from '#domain/errors.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Logger } from '#runtime/logger.ts';
import { type Caller, isKeptName, type TokenRole, tokenRoles } from './auth.ts';
import type { TrustedProxies } from './client-address.ts';

/** How often the log reports ignored headers, however many clients send them. */
const tellEveryMs = 60_000;

/** `http.auth_proxy` of the configuration. */
export interface AuthProxySettings {
  /** The header with a person's name or address. */
  readonly header_name: string;
  /** The header with a role, or with groups that `roles` knows. */
  readonly headers: { readonly role?: string | undefined };
  /** What the values of that header mean. Undefined: the value is the name of a role. */
  readonly roles?: { readonly [R in TokenRole]?: readonly string[] | undefined } | undefined;
  /** The role of a person for whom no header names one. */
  readonly default_role: TokenRole | 'none';
}

export interface AuthProxyOptions {
  readonly settings: AuthProxySettings;
  readonly proxies: TrustedProxies;
  /** `http.external_url`: a page from this address may act for a person. */
  readonly externalUrl?: string | undefined;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
}

type Request = Pick<IncomingMessage, 'socket' | 'headers' | 'rawHeaders' | 'method'>;

/**
 * Letters and digits of any script, and other characters of names, mail addresses and `domain\name`; no comma, because it would mean two
 * values.
 */
const nameShape = /^[\p{L}\p{N}][\p{L}\p{N}\p{M} ._@'’+:/\\|-]{0,127}$/u;

export class AuthProxy {
  readonly #options: AuthProxyOptions;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: AuthProxyOptions) {
    this.#options = options;
  }

  /**
   * The person who sent this request, according to the proxy; undefined if it names nobody, or is not trusted.
   * @throws AppError UNAUTHORIZED for an impossible name; FORBIDDEN without a role; FOREIGN_REQUEST for a request from a page of another
   * site, because the proxy signs in the browser for every page
   */
  callerOf(request: Request): Caller | undefined {
    const { settings, proxies } = this.#options;
    if (!proxies.trusts(request.socket.remoteAddress ?? '')) return undefined;
    const name = nameIn(valueOf(request, settings.header_name), settings.header_name);
    if (name === undefined) return undefined;
    this.#assertOwnPage(request);
    return { name, role: this.#roleIn(request, name), proxied: true };
  }

  /** Why a request without a token is anonymous although it has the header; undefined: it has no such header. */
  hintFor({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string | undefined {
    const { settings, clock, logger } = this.#options;
    const header = settings.header_name;
    if ((headers[header.toLowerCase()] ?? '') === '') return undefined;
    const nowMs = clock.monotonic();
    if (nowMs - this.#toldAtMs >= tellEveryMs) {
      this.#toldAtMs = nowMs;
      logger.warn(
        { code: 'UNAUTHORIZED', address: socket.remoteAddress, header },
        'the header with the person whom a proxy signed in comes from an address that is not in http.trusted_proxies; it is ignored',
      );
    }
    return `; ${header} is ignored, because the connection does not come from an address of http.trusted_proxies`;
  }

  #roleIn(request: Request, name: string): TokenRole {
    const { headers, roles, default_role: initial } = this.#options.settings;
    // Not truncated: the rest of a truncated group name may be the name of another group.
    const text = headers.role === undefined ? '' : utf8Of(valueOf(request, headers.role)).normalize('NFC');
    const given = text.split(',').flatMap((value) => value.trim() || []);
    const found = tokenRoles.findLast((role) => {
      const meant = roles ? (roles[role] ?? []) : [role];
      return given.some((value) => meant.some((each) => each.normalize('NFC').toLowerCase() === value.toLowerCase()));
    });
    // Without `roles`, several values or an unknown role mean that the proxy is misconfigured, or that the client added its own value.
    if (!roles && (given.length > 1 || (given.length === 1 && !found)))
      throw new AppError(
        'FORBIDDEN',
        `the header ${headers.role} of ${name} is ${JSON.stringify(text.slice(0, 100))}; expected one of ${tokenRoles.join(', ')}`,
      );
    const role = found ?? initial;
    if (role === 'none')
      throw new AppError(
        'FORBIDDEN',
        `the proxy sends no role for ${name} that http.auth_proxy knows, and its default_role is none`,
      );
    return role;
  }

  /** A browser sends the proxy's cookie with the requests of any page. Reading is harmless, because other pages cannot see the response. */
  #assertOwnPage({ method, headers }: Request): void {
    if (method === 'GET' || method === 'HEAD') return;
    const site = headers['sec-fetch-site'];
    if (site === 'same-origin' || site === 'none') return;
    const { origin } = headers;
    if (site === undefined && (origin === undefined || this.#isOwn(origin, headers.host))) return;
    throw new AppError(
      'FOREIGN_REQUEST',
      site === undefined
        ? `the request comes from a page at ${JSON.stringify(String(origin).slice(0, 100))}, which is neither this host nor http.external_url`
        : 'the request comes from a page of another site',
    );
  }

  #isOwn(origin: string, host: string | undefined): boolean {
    const from = URL.parse(origin);
    const { externalUrl } = this.#options;
    if (!from) return false;
    return from.host === host || (externalUrl !== undefined && from.origin === URL.parse(externalUrl)?.origin);
  }
}

/** @throws AppError UNAUTHORIZED if the header is repeated: one of the values comes from the client */
function valueOf({ headers, rawHeaders }: Request, header: string): string {
  const name = header.toLowerCase();
  const times = rawHeaders.filter((each, place) => place % 2 === 0 && each.toLowerCase() === name).length;
  if (times > 1)
    throw new AppError(
      'UNAUTHORIZED',
      `the header ${header} comes ${times} times: the proxy must replace what a client sends`,
    );
  return String(headers[name] ?? '').trim();
}

/** @throws AppError UNAUTHORIZED for a value that cannot be shown as a name, or reads as another kind of caller */
function nameIn(value: string, header: string): string | undefined {
  if (value === '') return undefined;
  const name = utf8Of(value).normalize('NFC').trim();
  if (nameShape.test(name) && !isKeptName(name)) return name;
  throw new AppError(
    'UNAUTHORIZED',
    `the header ${header} is not a usable name: expected up to 128 letters, digits, spaces and . _ @ ' + : / \\ | -, and not "token …", "user …", "rule …" or "loopback"`,
  );
}

/** Node reads headers as Latin-1; proxies write UTF-8. */
function utf8Of(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}
