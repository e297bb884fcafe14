// The Redis of each account: that of REDIS_URL, or one whose address is in a file (`accounts[].redis_url_file`).
import { AppError } from '#domain/errors.ts';
import type { Logger } from './logger.ts';
import { accessOf, type RedisAccess } from './redis-access.ts';
import { parseRedisUrl, redisAddressText } from './redis-url.ts';
import { RereadFile } from './reread-file.ts';

/** One Redis, as connections need it. */
export interface RedisServer {
  readonly url: string;
  /** Credentials and certificates; undefined: what the URL contains. */
  readonly access: RedisAccess | undefined;
  /** What names it: `REDIS_URL`, or `accounts[2].redis_url_file`. */
  readonly setting: string;
  /** Without user and password. Two servers with the same address are one. */
  readonly address: string;
  /** The address that the state note beside the process is filed under. */
  readonly noteAddress: string;
}

/** The server of REDIS_URL. @param noteAddress default: the URL. @throws AppError REDIS_URL_INVALID */
export function redisOfUrl(url: string, access?: RedisAccess, noteAddress = url): RedisServer {
  return { url, access, setting: 'REDIS_URL', address: redisAddressText(parseRedisUrl(url)), noteAddress };
}

export interface RedisFileOptions {
  readonly path: string;
  /** `accounts[2].redis_url_file`, for messages. */
  readonly setting: string;
  readonly logger: Pick<Logger, 'warn'>;
  /** Called with every password before it is used. */
  readonly onSecret: (secret: string) => void;
  /** Authorities and certificates that REDIS_TLS_… name. */
  readonly tls?: RedisAccess['tls'] | undefined;
}

/**
 * The server whose address is in a file. The file is read again for each connection: user and password may change while the daemon runs,
 * but another server is used only after a restart.
 * @throws AppError REDIS_URL_INVALID, which names the setting
 */
export function redisOfFile(options: RedisFileOptions): RedisServer {
  const { path, setting, logger, onSecret, tls } = options;
  let known: string | undefined;
  const file = new RereadFile({
    name: setting,
    path,
    logger,
    onRead(text) {
      const address = parseRedisUrl(text, setting);
      const shown = redisAddressText(address);
      if (known !== undefined && shown !== known)
        throw new AppError(
          'REDIS_URL_INVALID',
          `${setting}: the file names another server now (${shown}): restart to use it`,
        );
      known = shown;
      if (address.password !== undefined) onSecret(address.password);
    },
  });
  const url = file.read();
  const own = accessOf(parseRedisUrl(url, setting));
  const address = known!;
  return {
    url,
    setting,
    address,
    noteAddress: address,
    access: {
      ...own,
      async credentials() {
        const { username, password } = parseRedisUrl(file.read(), setting);
        return { username, password };
      },
      ...(tls && parseRedisUrl(url, setting).tls ? { tls } : {}),
    },
  };
}
