// Which Redis keeps which data of an account: that of REDIS_URL, or the one that `redis_url_file` of its entry names.
import type { Config } from '#config/load.ts';
import type { AccountSettings } from '#config/settings.ts';
import type { Logger, Scrubber } from '#runtime/logger.ts';
import { type RedisServer, redisOfFile } from '#runtime/redis-servers.ts';

/** The Redis of an account. @throws AppError REDIS_URL_INVALID, which names the setting */
export type RedisOf = (account: AccountSettings) => RedisServer;

/**
 * Reads the file of an account when it is first needed: a process needs no file of an account that it does not carry. Authorities and
 * certificates of REDIS_TLS_… apply to all servers that use TLS.
 * @param main the server of REDIS_URL
 */
export function redisServers(
  { settings }: Config,
  main: RedisServer,
  { logger, scrubber }: { readonly logger: Logger; readonly scrubber: Scrubber },
): RedisOf {
  const { access } = main;
  const tls =
    access &&
    (async () => {
      // The server name that REDIS_URL's certificate is checked against does not apply to other servers.
      const { servername: _servername, ...rest } = await access.tls();
      return rest;
    });
  const onSecret = (secret: string) => scrubber.hide(secret, 'Redis password');
  const servers = new Map<string, RedisServer>();
  return ({ name, redis_url_file: path }) => {
    if (path === undefined) return main;
    const known = servers.get(name);
    if (known) return known;
    const index = settings.accounts?.findIndex((account) => account.name === name);
    const server = redisOfFile({ path, setting: `accounts[${index}].redis_url_file (${name})`, logger, onSecret, tls });
    servers.set(name, server);
    return server;
  };
}

/** Each server once, with one of the carried accounts that are kept there. The server of REDIS_URL is always used. */
export function serversOf(
  carried: readonly [AccountSettings, ...AccountSettings[]],
  redisOf: RedisOf,
  main: RedisServer,
): readonly { readonly server: RedisServer; readonly account: AccountSettings }[] {
  const found = new Map([[main.address, { server: main, account: carried[0] }]]);
  for (const account of carried) {
    const server = redisOf(account);
    if (server !== main) found.set(server.address, { server, account });
  }
  return [...found.values()];
}
