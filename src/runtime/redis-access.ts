// How a connection to Redis authenticates and which certificates it accepts. Passwords and certificates may be in files, which are read
// again for each connection, so that they can be changed while the daemon runs; or a token replaces the password.
import type { SecureContextOptions } from 'node:tls';
import type { RedisAddress } from './redis-url.ts';

export interface RedisCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** Passwords that are valid for a short time. A port: ElastiCache and MemoryDB accept tokens signed with IAM credentials (redis-iam.ts). */
export interface RedisTokens {
  /** A token for the next few minutes. @throws the signer's error */
  token(): Promise<string>;
}

/** Like `tls.connect`; `servername` is the name that the certificate must be for, whichever host was connected to. */
export type RedisTls = Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> & { readonly servername?: string };

/** Called again for each connection. */
export interface RedisAccess {
  credentials(): Promise<RedisCredentials>;
  /** Returns those for the sentinels; undefined: none at first, then the servers' own if a sentinel requires some. */
  sentinelCredentials(): Promise<RedisCredentials | undefined>;
  tls(): Promise<RedisTls>;
  /** How long a connection may use the credentials that it was opened with. */
  readonly renewMs?: number | undefined;
}

/** What the address itself says. */
export function accessOf({ username, password }: RedisAddress): RedisAccess {
  return {
    credentials: async () => ({ username, password }),
    sentinelCredentials: async () => undefined,
    tls: async () => ({}),
  };
}
