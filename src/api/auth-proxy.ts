// Names and roles from a proxy that signs people in (`http.auth_proxy`), as Grafana's auth proxy has them. They are believed only where the
// connection comes straight from an address of `http.trusted_proxies`; of anybody else the headers say nothing.
// https://grafana.com/docs/grafana/latest/setup-grafana/configure-access/configure-authentication/auth-proxy/
import type { IncomingMessage } from 'node:http';
import { AppError } from '#domain/errors.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Logger } from '#runtime/logger.ts';
import { type Caller, isKeptName, type TokenRole, tokenRoles } from './auth.ts';
import type { TrustedProxies } from './client-address.ts';

/** So often the log tells of headers that are not believed, whoever sends them. */
const tellEveryMs = 60_000;

/** `http.auth_proxy` of the configuration. */
export interface AuthProxySettings {
  /** The header with a person's name or address. */
  readonly header_name: string;
  /** The header with a role, or with groups that `roles` knows. */
  readonly headers: { readonly role?: string | undefined };
  /** What values of that header mean. Undefined: it is the name of a role. */
  readonly roles?: { readonly [R in TokenRole]?: readonly string[] | undefined } | undefined;
  /** Of somebody whose role no header tells. */
  readonly default_role: TokenRole | 'none';
}

export interface AuthProxyOptions {
  readonly settings: AuthProxySettings;
  readonly proxies: TrustedProxies;
  /** `http.external_url`: from its page a person may act. */
  readonly externalUrl?: string | undefined;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
}

type Request = Pick<IncomingMessage, 'socket' | 'headers' | 'rawHeaders' | 'method'>;

/** Letters and digits of any script, and what names, mail addresses and `domain\name` have besides; no comma, which would be two values. */
const nameShape = /^[\p{L}\p{N}][\p{L}\p{N}\p{M} ._@'’+:/\\|-]{0,127}$/u;

export class AuthProxy {
  readonly #options: AuthProxyOptions;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: AuthProxyOptions) {
    this.#options = options;
  }

  /**
   * Who the proxy says sent this request; undefined where it says nothing, or is not believed.
   * @throws AppError UNAUTHORIZED for a name that cannot be one; FORBIDDEN without a role; FOREIGN_REQUEST for what a page of another
   * site asks for: the proxy signs the browser in, whichever page sends
   */
  callerOf(request: Request): Caller | undefined {
    const { settings, proxies } = this.#options;
    if (!proxies.trusts(request.socket.remoteAddress ?? '')) return undefined;
    const name = nameIn(valueOf(request, settings.header_name), settings.header_name);
    if (name === undefined) return undefined;
    this.#assertOwnPage(request);
    return { name, role: this.#roleIn(request, name), proxied: true };
  }

  /** Why a request without a token is nobody's, although it has the header; undefined: it has none. */
  hintFor({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string | undefined {
    const { settings, clock, logger } = this.#options;
    const header = settings.header_name;
    if ((headers[header.toLowerCase()] ?? '') === '') return undefined;
    const nowMs = clock.monotonic();
    if (nowMs - this.#toldAtMs >= tellEveryMs) {
      this.#toldAtMs = nowMs;
      logger.warn(
        { code: 'UNAUTHORIZED', address: socket.remoteAddress, header },
        'the header that names who a proxy has signed in comes from an address that http.trusted_proxies does not name; it is not believed',
      );
    }
    return `; ${header} is not believed, since the connection comes from no address of http.trusted_proxies`;
  }

  #roleIn(request: Request, name: string): TokenRole {
    const { headers, roles, default_role: initial } = this.#options.settings;
    // As a whole: the part of a group's name that is left when it is cut may be the name of another.
    const text = headers.role === undefined ? '' : utf8Of(valueOf(request, headers.role)).normalize('NFC');
    const given = text.split(',').flatMap((value) => value.trim() || []);
    const found = tokenRoles.findLast((role) => {
      const meant = roles ? (roles[role] ?? []) : [role];
      return given.some((value) => meant.some((each) => each.normalize('NFC').toLowerCase() === value.toLowerCase()));
    });
    // Without `roles`, several values or one that is no role are a proxy that is set up wrongly, or a client that added its own.
    if (!roles && (given.length > 1 || (given.length === 1 && !found)))
      throw new AppError(
        'FORBIDDEN',
        `the header ${headers.role} of ${name} is ${JSON.stringify(text.slice(0, 100))}; expected one of ${tokenRoles.join(', ')}`,
      );
    const role = found ?? initial;
    if (role === 'none')
      throw new AppError(
        'FORBIDDEN',
        `the proxy tells no role of ${name} that http.auth_proxy knows, and its default_role is none`,
      );
    return role;
  }

  /** A browser sends the proxy's cookie with whatever any page asks for. Reading is harmless: no other page can see the answer. */
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

/** @throws AppError UNAUTHORIZED where it comes more than once: one of them is the client's own */
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

/** @throws AppError UNAUTHORIZED for what cannot be shown as a name, or reads as another kind of caller */
function nameIn(value: string, header: string): string | undefined {
  if (value === '') return undefined;
  const name = utf8Of(value).normalize('NFC').trim();
  if (nameShape.test(name) && !isKeptName(name)) return name;
  throw new AppError(
    'UNAUTHORIZED',
    `the header ${header} is no name that can be used: expected up to 128 letters, digits, spaces and . _ @ ' + : / \\ | -, and not "token …", "user …", "rule …" or "loopback"`,
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
