// What the environment adds to REDIS_URL: passwords and certificates in files, and tokens of IAM.
import { AppError } from '#domain/errors.ts';
import { ambientCredentials } from './aws-client.ts';
import type { Logger } from './logger.ts';
import type { RedisAccess, RedisTokens } from './redis-access.ts';
import { iamTokens } from './redis-iam.ts';
import { parseRedisUrl } from './redis-url.ts';
import { RereadFile } from './reread-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentAccessOptions {
  readonly env: Environment;
  /** The caller says where this is used: the address may be that of a Redis of our own. */
  readonly url: string;
  readonly logger: Logger;
  /** Called with every secret before it is used, and with the one that it replaces. */
  readonly onSecret: (secret: string, before: string | undefined) => void;
  /** Makes tokens for a user, if the environment asks for them; default: with IAM. */
  readonly tokens?: (env: Environment, user: string) => RedisTokens;
}

/** ElastiCache ends a connection 12 hours after it authenticated with a token. */
const tokenRenewMs = 6 * 3_600_000;

/**
 * What the environment adds to the address: REDIS_USERNAME, REDIS_PASSWORD_FILE, REDIS_SENTINEL_USERNAME,
 * REDIS_SENTINEL_PASSWORD_FILE, REDIS_TLS_CA_FILE, REDIS_TLS_CERT_FILE, REDIS_TLS_KEY_FILE, REDIS_TLS_SERVERNAME, REDIS_IAM_CACHE.
 * Reads each file once, so that a start finds what is missing.
 * @throws AppError REDIS_URL_INVALID, which names the variable
 */
export async function accessFromEnvironment(options: EnvironmentAccessOptions): Promise<RedisAccess> {
  const { env, onSecret, tokens: tokensOf = tokensByIam } = options;
  const address = parseRedisUrl(options.url);
  if (address.password !== undefined) onSecret(address.password, undefined);
  const set = (name: string) => env[name] || undefined;
  const file = (name: string, isSecret = false) => {
    const path = set(name);
    if (path === undefined) return undefined;
    const found = new RereadFile({ name, path, logger: options.logger, onRead: isSecret ? onSecret : () => undefined });
    found.read();
    return found;
  };
  const passwordFile = file('REDIS_PASSWORD_FILE', true);
  const sentinelFile = file('REDIS_SENTINEL_PASSWORD_FILE', true);
  const files = {
    ca: file('REDIS_TLS_CA_FILE'),
    cert: file('REDIS_TLS_CERT_FILE'),
    key: file('REDIS_TLS_KEY_FILE'),
  };
  const servername = set('REDIS_TLS_SERVERNAME');
  if (!address.tls && (Object.values(files).some(Boolean) || servername !== undefined))
    throw invalid('REDIS_TLS_…', 'is set, and REDIS_URL does not begin with rediss:// or rediss+sentinel://');
  if ((files.cert === undefined) !== (files.key === undefined))
    throw invalid('REDIS_TLS_CERT_FILE', 'and REDIS_TLS_KEY_FILE go together: set both, or none');
  const username = set('REDIS_USERNAME') ?? address.username;
  const hasTokens = set('REDIS_IAM_CACHE') !== undefined;
  if (hasTokens && (username === undefined || passwordFile || address.password !== undefined))
    throw invalid('REDIS_IAM_CACHE', 'asks for tokens in place of a password: set REDIS_USERNAME, and no password');
  if (hasTokens && !address.tls) throw invalid('REDIS_IAM_CACHE', 'needs TLS: begin REDIS_URL with rediss://');
  if (sentinelFile && address.master === undefined)
    throw invalid('REDIS_SENTINEL_PASSWORD_FILE', 'is set, and REDIS_URL does not begin with redis+sentinel://');
  const tokens = hasTokens ? tokensOf(env, username!) : undefined;
  let shown: string | undefined;
  return {
    async credentials() {
      if (tokens) {
        const password = await tokens.token();
        onSecret(password, shown);
        shown = password;
        return { username, password };
      }
      return { username, password: passwordFile?.read() ?? address.password };
    },
    async sentinelCredentials() {
      const password = sentinelFile?.read();
      return password === undefined ? undefined : { username: set('REDIS_SENTINEL_USERNAME'), password };
    },
    async tls() {
      const [ca, cert, key] = [files.ca?.read(), files.cert?.read(), files.key?.read()];
      return {
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined || key === undefined ? {} : { cert, key }),
        ...(servername === undefined ? {} : { servername }),
      };
    },
    ...(tokens ? { renewMs: tokenRenewMs } : {}),
  };
}

function invalid(name: string, problem: string): AppError {
  return new AppError('REDIS_URL_INVALID', `${name} ${problem}`);
}

/** @throws AppError REDIS_URL_INVALID */
function tokensByIam(env: Environment, user: string): RedisTokens {
  const service = env['REDIS_IAM_SERVICE'] || 'elasticache';
  if (service !== 'elasticache' && service !== 'memorydb')
    throw invalid('REDIS_IAM_SERVICE', `must be elasticache or memorydb, not ${JSON.stringify(service)}`);
  const region = env['AWS_REGION'];
  if (!region) throw invalid('REDIS_IAM_CACHE', 'needs AWS_REGION, the Region of the cache');
  const serverless = env['REDIS_IAM_SERVERLESS'] === '1' || env['REDIS_IAM_SERVERLESS'] === 'true';
  const cache = env['REDIS_IAM_CACHE']!;
  return iamTokens({ service, cache, serverless, user, region, credentials: ambientCredentials() });
}
