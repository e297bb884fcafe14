// How the daemon is reached from outside: below which path, and by https or not, as far as a trusted proxy says so.
import type { IncomingMessage } from 'node:http';
import type { Clock } from '#runtime/clock.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { TrustedProxies } from './client-address.ts';

/** What addresses in an answer stand on. */
export interface Outside {
  /** `/ops/autopilot`, or '' where the daemon has a host of its own. Safe in HTML, headers and cookies as it is. */
  readonly prefix: string;
  /** Whether the browser speaks https. */
  readonly https: boolean;
}

/** Without a proxy, or with one that is not trusted. */
export const ownHost: Outside = { prefix: '', https: false };

const longestPrefix = 200;
const segments = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$/;
/** A proxy that sends what cannot be used is told of this often. */
const tellEveryMs = 60_000;

/**
 * The path that X-Forwarded-Prefix names, without a slash at its end. Undefined for anything but plain segments: it goes into HTML,
 * headers and the paths of cookies. A segment begins with no dot, so none leads upwards.
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

/** Reads X-Forwarded-Prefix and X-Forwarded-Proto of requests that come straight from a trusted proxy; of others, nothing. */
export class OutsideReader {
  readonly #options: OutsideReaderOptions;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: OutsideReaderOptions) {
    this.#options = options;
  }

  /** A prefix that cannot be used is left out, counted, and told of once a minute. */
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
