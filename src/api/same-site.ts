// Protects a server without tokens from the operator's own browser: from foreign pages (CSRF), and from names that resolve to loopback
// (DNS rebinding). If there are tokens, a foreign page has none to send, so only this case needs protection.
import { AppError } from '#domain/errors.ts';
import { isLoopbackHost } from '#domain/network.ts';

export interface BrowserHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | string[] | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
}

/**
 * Lets a request pass only if it names a loopback host and, if a browser sent it, comes from the server's own page.
 * @throws AppError FOREIGN_REQUEST
 */
export function assertSameSite({ host, origin, 'sec-fetch-site': site }: BrowserHeaders): void {
  if (host !== undefined && !namesLoopback(host))
    throw new AppError(
      'FOREIGN_REQUEST',
      `the host ${JSON.stringify(host.slice(0, 100))} is not this machine's loopback name`,
    );
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new AppError('FOREIGN_REQUEST', 'the request comes from a page of another site');
  if (origin !== undefined && origin !== `http://${host}`)
    throw new AppError('FOREIGN_REQUEST', 'the request comes from a page of another origin');
}

/** Whether a Host header is a loopback name, with or without a port, and nothing more. */
export function namesLoopback(header: string): boolean {
  const [, inBrackets, plain] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(header.toLowerCase()) ?? [];
  return inBrackets === undefined ? plain !== undefined && isLoopbackHost(plain) : inBrackets === '::1';
}
