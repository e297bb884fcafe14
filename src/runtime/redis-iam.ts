// Tokens with which an IAM user authenticates to ElastiCache and MemoryDB: a request that is signed and never sent, used as the password.
// https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html, https://docs.aws.amazon.com/memorydb/latest/devguide/auth-iam.html
import { createHash, createHmac } from 'node:crypto';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@aws-sdk/types';
import type { RedisTokens } from './redis-access.ts';

export interface IamTokenOptions {
  readonly service: 'elasticache' | 'memorydb';
  /** Name of the replication group, the serverless cache or the cluster. */
  readonly cache: string;
  readonly serverless: boolean;
  readonly user: string;
  readonly region: string;
  readonly credentials: AwsCredentialIdentity | AwsCredentialIdentityProvider;
  /** Epoch ms; default: the system's. */
  readonly now?: () => number;
}

/** The longest that is accepted. */
const expiresInSeconds = 900;
/** Connections that are made together use the same token. */
const keptMs = 300_000;

/** Signs tokens without any call except to the credentials provider. */
export function iamTokens({ credentials, now = Date.now, ...asked }: IamTokenOptions): RedisTokens {
  let last: { readonly token: string; readonly at: number } | undefined;
  return {
    async token() {
      if (last === undefined || performance.now() - last.at > keptMs) {
        const identity = typeof credentials === 'function' ? await credentials() : credentials;
        last = { token: signed(asked, identity, new Date(now())), at: performance.now() };
      }
      return last.token;
    },
  };
}

/** A URL without its scheme, signed by Signature Version 4 in its query. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function signed(
  { service, cache, serverless, user, region }: Omit<IamTokenOptions, 'credentials' | 'now'>,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentialIdentity,
  at: Date,
): string {
  // The name takes the place of the host; services compare it in lower case.
  const host = cache.toLowerCase();
  const moment = at.toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = [moment.slice(0, 8), region, service, 'aws4_request'];
  const query = Object.entries({
    Action: 'connect',
    User: user,
    ...(serverless ? { ResourceType: 'ServerlessCache' } : {}),
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': [accessKeyId, ...scope].join('/'),
    'X-Amz-Date': moment,
    'X-Amz-Expires': String(expiresInSeconds),
    ...(sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken }),
    'X-Amz-SignedHeaders': 'host',
  })
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .join('&');
  const request = ['GET', '/', query, `host:${host}`, '', 'host', sha256('')].join('\n');
  const text = ['AWS4-HMAC-SHA256', moment, scope.join('/'), sha256(request)].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  return `${host}/?${query}&X-Amz-Signature=${hmac(key, text).toString('hex')}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
