// How clients reach the daemon from outside: below which path, and whether by https, if a trusted proxy says so.
import type { IncomingMessage } from 'node:http';
import type { Clock } from '#runtime/clock.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { TrustedProxies } from './client-address.ts';

/** What addresses in a response are relative to. */
export interface Outside {
  /** `/ops/autopilot`, or '' if the daemon has a host of its own. Safe in HTML, headers and cookies without escaping. */
  readonly prefix: string;
  /** Whether the browser uses https. */
  readonly https: boolean;
}

/** Without a proxy, or with an untrusted one. */
export const ownHost: Outside = { prefix: '', https: false };

const longestPrefix = 200;
const segments = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$/;
/** How often a proxy that sends an unusable prefix is logged. */
const tellEveryMs = 60_000;

/**
 * The path in X-Forwarded-Prefix, without a trailing slash. Undefined for anything but plain segments, because it becomes part of HTML,
 * headers and the paths of cookies. No segment begins with a dot, so none leads upwards.
 */
export function prefixOf(header: string): string | undefined {
  const path = header.trim().replace(/\/$/, '');
  return path.length <= longestPrefix && segments.test(path) ? path : undefined;
}

export interface OutsideReaderOptions {
  readonly proxies: TrustedProxies;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'forwardedPrefixesIgnored'>;
}

/** Reads X-Forwarded-Prefix and X-Forwarded-Proto of requests that come directly from a trusted proxy, and ignores all others. */
export class OutsideReader {
  readonly #options: OutsideReaderOptions;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: OutsideReaderOptions) {
    this.#options = options;
  }

  /** An unusable prefix is left out, counted, and logged once a minute. */
  of({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): Outside {
    if (!this.#options.proxies.trusts(socket.remoteAddress ?? '')) return ownHost;
    const header = String(headers['x-forwarded-prefix'] ?? '');
    const prefix = prefixOf(header);
    if (prefix === undefined) this.#ignored(header, socket.remoteAddress);
    return { prefix: prefix ?? '', https: headers['x-forwarded-proto'] === 'https' };
  }

  #ignored(header: string, proxy: string | undefined): void {
    const { clock, logger, metrics } = this.#options;
    metrics.forwardedPrefixesIgnored.inc();
    const nowMs = clock.monotonic();
    if (nowMs - this.#toldAtMs < tellEveryMs) return;
    this.#toldAtMs = nowMs;
    logger.warn(
      { code: 'HTTP_PREFIX_INVALID', proxy, prefix: header.slice(0, 100) },
      'a proxy sends an X-Forwarded-Prefix that is no path; it is ignored, and /queues cannot be opened through that proxy',
    );
  }
}
