// Who calls: bearer tokens with roles, compared in constant time. Each route says which role it needs (server.ts). People whom a proxy
// signs in are in auth-proxy.ts.
import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '#domain/errors.ts';
import { withoutToken } from '#domain/person.ts';
import { Secret } from '#domain/secret.ts';

/** Each role includes the roles before it. */
export const tokenRoles = ['viewer', 'operator', 'admin'] as const;
export type TokenRole = (typeof tokenRoles)[number];

/** Characters; a shorter token could be guessed. */
export const minTokenLength = 16;

/** A token that the API accepts. `name` identifies its holder in logs, limits and the audit. */
export interface ApiToken {
  readonly name: string;
  readonly role: TokenRole;
  readonly value: Secret;
}

/** Who sent a request. */
export interface Caller {
  readonly name: string;
  readonly role: TokenRole;
  /** The person that the request names. */
  readonly person?: string | undefined;
  /** A trusted proxy has signed this person in: `name` is the person's, not a token's. */
  readonly proxied?: true | undefined;
}

/** The name of the token in AUTOPILOT_API_TOKEN. */
export const adminName = 'admin';

/** Names that would make a token's holder look like somebody else in logs and the audit. */
const keptNames: Readonly<Record<string, string | undefined>> = {
  [withoutToken]: 'requests without a token',
  [adminName]: 'the token in AUTOPILOT_API_TOKEN',
};

/** The header that names the person who sends the request, percent-encoded. It is a claim: only a token is proof. */
export const personHeader = 'x-autopilot-as';

/**
 * The person whom a request names as its sender; undefined if it names nobody.
 * @throws AppError REQUEST_INVALID for a name that reads as another kind of caller, or cannot be shown
 */
export function personOf(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  let name = '';
  try {
    name = decodeURIComponent(String(header)).trim();
  } catch {
    // Not percent-encoded: refused below.
  }
  if (!/^[\p{L}\p{N}][\p{L}\p{N}\p{M} ._@'’-]{0,63}$/u.test(name) || isKeptName(name))
    throw new AppError(
      'REQUEST_INVALID',
      `headers.${personHeader}: expected the name of a person: up to 64 letters, digits, spaces and . _ @ ' -, and not "token …", "user …", "rule …" or "loopback"`,
    );
  return name;
}

/** Whether a name reads as another kind of caller. */
export function isKeptName(name: string): boolean {
  return /^(token|user|rule)(\s|$)|^loopback\b/i.test(name);
}

/**
 * The caller's name in audit, holds, silences and pauses: `token mara`, `user mara` for a person whom a proxy signed in, or the name that
 * the person gave; `loopback` only if there is none of these.
 */
export function actorOf({ name, person, proxied }: Caller): string {
  if (proxied) return `user ${name}`;
  if (name === withoutToken) return person ?? name;
  return person === undefined || person === name ? `token ${name}` : `${person} (token ${name})`;
}

/** The caller as proven by a token, by a trusted proxy, or by the lack of both: for decisions that a claim must not influence. */
export function provenNameOf({ name, proxied }: Caller): string {
  if (proxied) return `user ${name}`;
  return name === withoutToken ? name : `token ${name}`;
}

/** The key under which requests and streams are counted. No token's name contains a space. */
export function callerKey({ name, proxied }: Pick<Caller, 'name' | 'proxied'>): string {
  return proxied ? `user ${name}` : name;
}

/** The caller's name in messages to the caller. */
export function callerName({ name, proxied }: Pick<Caller, 'name' | 'proxied'>): string {
  return proxied ? name : `the token ${name}`;
}

/** Whether `role` includes `needed`. */
export function mayActAs(role: TokenRole, needed: TokenRole): boolean {
  return tokenRoles.indexOf(role) >= tokenRoles.indexOf(needed);
}

/**
 * Reads a file of further tokens: one `<name> <role> <token>` per line, `#` starts a comment.
 * @param file is only used in errors
 * @throws AppError CONFIG_INVALID with file and line; the message never contains the token
 */
export function parseTokenFile(text: string, file: string): ApiToken[] {
  const tokens: ApiToken[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const place = `${file}:${index + 1}`;
    const [name, role, value, ...rest] = line.trim().split(/\s+/);
    const known = tokenRoles.find((candidate) => candidate === role);
    if (!name || !known || value === undefined || rest.length > 0)
      throw new AppError('CONFIG_INVALID', `${place} expected "<name> ${tokenRoles.join('|')} <token>"`);
    if (value.length < minTokenLength)
      throw new AppError('CONFIG_INVALID', `${place} the token of ${name} has fewer than ${minTokenLength} characters`);
    const kept = keptNames[name.toLowerCase()];
    if (kept) throw new AppError('CONFIG_INVALID', `${place} the name ${name} is reserved for ${kept}: choose another`);
    if (tokens.some((token) => token.name === name))
      throw new AppError('CONFIG_INVALID', `${place} the name ${name} is used twice`);
    const same = tokens.find((token) => token.value.reveal() === value);
    if (same)
      throw new AppError(
        'CONFIG_INVALID',
        `${place} ${name} has the same token as ${same.name}: the audit could not tell them apart; create a token for each`,
      );
    tokens.push({ name, role: known, value: new Secret(value) });
  }
  return tokens;
}

/** Finds the caller of a request by its Authorization header. A reload may replace the tokens. */
export class Authenticator {
  #tokens: readonly KnownToken[] = [];
  /**
   * Without any token or sign-in proxy, the server listens on loopback only, and everybody who can connect may do everything. A reload
   * does not change this.
   */
  readonly open: boolean;

  constructor(tokens: readonly ApiToken[], { hasProxy = false }: { readonly hasProxy?: boolean } = {}) {
    this.open = tokens.length === 0 && !hasProxy;
    this.use(tokens);
  }

  /** Accepts exactly these tokens from now on. A server that had tokens never accepts an empty set. */
  use(tokens: readonly ApiToken[]): void {
    if (tokens.length === 0 ? this.#tokens.length > 0 : this.open) return;
    this.#tokens = tokens.map(({ name, role, value }) => {
      const digest = digestOf(value.reveal());
      const same = this.#tokens.find(
        ({ caller, digest: other }) => caller.name === name && caller.role === role && timingSafeEqual(other, digest),
      );
      return same ?? { caller: { name, role }, digest };
    });
  }

  /** Whether this caller's token is still accepted, with the same role. */
  accepts(caller: Caller): boolean {
    return this.open || caller.proxied === true || this.#tokens.some((token) => token.caller === caller);
  }

  /**
   * @param header the Authorization header. `Basic` is accepted only with `allowBasic`, because browsers send it by themselves. `hint` is
   * added to the error for a request without a token.
   * @throws AppError UNAUTHORIZED
   */
  authenticate(
    header: string | undefined,
    { allowBasic = false, hint = '' }: { allowBasic?: boolean; hint?: string | undefined } = {},
  ): Caller {
    if (this.open) return { name: withoutToken, role: 'admin' };
    const token = tokenOf(header, allowBasic);
    if (token === undefined)
      throw new AppError(
        'UNAUTHORIZED',
        `the request has no bearer token; send the token as \`Authorization: Bearer <token>\`${hint}`,
      );
    const given = digestOf(token);
    let found: Caller | undefined;
    // No early exit: the time must not reveal which token was nearly right.
    for (const candidate of this.#tokens) if (timingSafeEqual(candidate.digest, given)) found = candidate.caller;
    if (!found) throw new AppError('UNAUTHORIZED', 'the bearer token is not one of the configured tokens');
    return found;
  }

  /** The key that signs for this caller, from the token of that name; undefined for a caller without a token. */
  keyOf({ name, proxied }: Caller): Buffer | undefined {
    return proxied ? undefined : this.#tokens.find(({ caller }) => caller.name === name)?.digest;
  }

  /** The caller whose key `signed` accepts. */
  findByKey(signed: (key: Buffer) => boolean): Caller | undefined {
    return this.#tokens.find(({ digest }) => signed(digest))?.caller;
  }
}

interface KnownToken {
  /** Returns the same object while name, role and token stay the same. */
  readonly caller: Caller;
  readonly digest: Buffer;
}

/** Whether the header contains a token at all, right or wrong. */
export function hasToken(header: string | undefined, allowBasic: boolean): boolean {
  return tokenOf(header, allowBasic) !== undefined;
}

function tokenOf(header: string | undefined, allowBasic: boolean): string | undefined {
  const bearer = /^Bearer +([^\s]+)$/i.exec(header ?? '');
  if (bearer) return bearer[1];
  const basic = allowBasic ? /^Basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? '') : null;
  if (!basic) return undefined;
  const pair = Buffer.from(basic[1]!, 'base64').toString('utf8');
  return pair.slice(pair.indexOf(':') + 1);
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
