// Who may do what over HTTP: the guard in front of every route that is not public.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '#domain/errors.ts';
import { type Authenticator, type Caller, callerName, hasToken, mayActAs, personHeader, personOf } from './auth.ts';
import type { AuthProxy } from './auth-proxy.ts';
import type { TrustedProxies } from './client-address.ts';
import type { LoginGuard } from './login-guard.ts';
import { isSignedBy, queueTicketOf } from './queue-session.ts';

export interface AdmissionOptions {
  readonly authenticator: Authenticator;
  readonly authProxy: AuthProxy | undefined;
  readonly logins: LoginGuard;
  readonly proxies: TrustedProxies;
  /** The clock that all replicas share. */
  readonly nowMs: () => number;
  readonly standsBy: () => boolean;
  /** Whether the page's sign-in or a password prompt is accepted too (GET only). */
  readonly isBrowser: boolean;
}

/**
 * Requires a token, or a person whom a trusted proxy signed in, and the role that the route needs; then counts the request for this caller.
 */
export function guard(
  scope: FastifyInstance,
  { authenticator, authProxy, logins, proxies, nowMs, standsBy, isBrowser }: AdmissionOptions,
): void {
  const signedIn = ({ headers: { authorization, cookie } }: FastifyRequest): Caller | undefined => {
    const ticket = authorization === undefined ? queueTicketOf(cookie, nowMs()) : undefined;
    return ticket && authenticator.findByKey((key) => isSignedBy(key, ticket));
  };
  // A bearer token takes precedence. `Basic` does not: the proxy itself may have asked the browser for it.
  const proxied = ({ raw, headers: { authorization } }: FastifyRequest): Caller | undefined =>
    /^Bearer /i.test(authorization ?? '') ? undefined : authProxy?.callerOf(raw);
  scope.addHook('onRequest', async (request, reply) => {
    const byProxy = proxied(request);
    if (byProxy) request.caller = byProxy;
    else await authenticate(request, reply);
    // A name that the request claims adds nothing to the one that the proxy has proven.
    const person = byProxy ? undefined : personOf(request.headers[personHeader]);
    if (person !== undefined) request.caller = { ...request.caller, person };
    const needed = request.routeOptions.config.role ?? (reads(request) ? 'viewer' : 'operator');
    if (!mayActAs(request.caller.role, needed))
      throw new AppError(
        'FORBIDDEN',
        `${callerName(request.caller)} has the role ${request.caller.role}; this needs ${needed}`,
      );
    if (!reads(request) && request.routeOptions.config.onStandby !== true && standsBy())
      throw new AppError(
        'STANDBY',
        'this is a standby, which takes no work: send it to the deployment that works, or activate this one with `ivs-autopilot activate`',
      );
  });
  scope.addHook('onRequest', scope.rateLimit());

  async function authenticate(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const allowBasic = isBrowser && reads(request);
    const { authorization } = request.headers;
    try {
      request.caller =
        (allowBasic ? signedIn(request) : undefined) ??
        authenticator.authenticate(authorization, { allowBasic, hint: authProxy?.hintFor(request.raw) });
    } catch (error) {
      if (!hasToken(authorization, allowBasic)) logins.missed();
      else {
        await logins.failed(proxies.clientAddress(request.raw)).catch((slowed: unknown) => {
          reply.header('connection', 'close');
          throw slowed;
        });
      }
      reply.header('www-authenticate', isBrowser ? 'Basic realm="ivs-autopilot", charset="UTF-8"' : 'Bearer');
      throw error;
    }
  }
}

/** Whether a request changes nothing. */
export function reads(request: FastifyRequest): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}
