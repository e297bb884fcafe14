// Who calls: bearer tokens with roles, compared in constant time. What a role may do is said by each route (server.ts); who comes by a
// proxy that signs people in is in auth-proxy.ts.
import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '#domain/errors.ts';
import { withoutToken } from '#domain/person.ts';
import { Secret } from '#domain/secret.ts';

/** Each role may also do what the roles before it may. */
export const tokenRoles = ['viewer', 'operator', 'admin'] as const;
export type TokenRole = (typeof tokenRoles)[number];

/** Characters; a shorter token could be guessed. */
export const minTokenLength = 16;

/** A token that the API accepts. `name` is what logs, limits and the audit call its holder. */
export interface ApiToken {
  readonly name: string;
  readonly role: TokenRole;
  readonly value: Secret;
}

/** Who sent a request. */
export interface Caller {
  readonly name: string;
  readonly role: TokenRole;
  /** The person, as the request says. */
  readonly person?: string | undefined;
  /** A person whom a trusted proxy has signed in: `name` is theirs, and no token's. */
  readonly proxied?: true | undefined;
}

/** The name of the token in AUTOPILOT_API_TOKEN. */
export const adminName = 'admin';

/** Names that would make a token's holder look like somebody else in log and audit. */
const keptNames: Readonly<Record<string, string | undefined>> = {
  [withoutToken]: 'requests without a token',
  [adminName]: 'the token in AUTOPILOT_API_TOKEN',
};

/** The header in which a request says which person it comes from, percent-encoded. A claim: only a token is proof. */
export const personHeader = 'x-autopilot-as';

/**
 * The person a request says it comes from; undefined where it says nothing.
 * @throws AppError REQUEST_INVALID for a name that would be read as another kind of caller, or cannot be shown
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

/** Whether a name would be read as another kind of caller. */
export function isKeptName(name: string): boolean {
  return /^(token|user|rule)(\s|$)|^loopback\b/i.test(name);
}

/**
 * The caller as audit, holds, silences and pauses name them: `token mara`, `user mara` of whom a proxy signed in, or the person's name;
 * `loopback` only where nobody gave one.
 */
export function actorOf({ name, person, proxied }: Caller): string {
  if (proxied) return `user ${name}`;
  if (name === withoutToken) return person ?? name;
  return person === undefined || person === name ? `token ${name}` : `${person} (token ${name})`;
}

/** The caller as a token, a trusted proxy or the lack of both proves it: for what a claim must not decide. */
export function provenNameOf({ name, proxied }: Caller): string {
  if (proxied) return `user ${name}`;
  return name === withoutToken ? name : `token ${name}`;
}

/** Whose requests and streams are counted together. No token's name has a space. */
export function callerKey({ name, proxied }: Pick<Caller, 'name' | 'proxied'>): string {
  return proxied ? `user ${name}` : name;
}

/** What messages to the caller call them. */
export function callerName({ name, proxied }: Pick<Caller, 'name' | 'proxied'>): string {
  return proxied ? name : `the token ${name}`;
}

/** Whether `role` includes `needed`. */
export function mayActAs(role: TokenRole, needed: TokenRole): boolean {
  return tokenRoles.indexOf(role) >= tokenRoles.indexOf(needed);
}

/**
 * Reads a file of further tokens: one `<name> <role> <token>` per line, `#` starts a comment.
 * @param file only named in errors.
 * @throws AppError CONFIG_INVALID with file and line; the token itself is never in the message.
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
    if (kept) throw new AppError('CONFIG_INVALID', `${place} the name ${name} is kept for ${kept}: choose another`);
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

/** Finds the caller of a request by its Authorization header. The tokens can be others after a reload. */
export class Authenticator {
  #tokens: readonly KnownToken[] = [];
  /**
   * Without any token or proxy that signs people in the server is bound to loopback, and whoever can connect may do everything. This does
   * not change by a reload.
   */
  readonly open: boolean;

  constructor(tokens: readonly ApiToken[], { hasProxy = false }: { readonly hasProxy?: boolean } = {}) {
    this.open = tokens.length === 0 && !hasProxy;
    this.use(tokens);
  }

  /** From now on exactly these tokens are accepted; none at all are never taken over by a server that had some. */
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

  /** Whether the token that this caller came with is still accepted, with the same role. */
  accepts(caller: Caller): boolean {
    return this.open || caller.proxied === true || this.#tokens.some((token) => token.caller === caller);
  }

  /**
   * @param header the Authorization header. `Basic` is taken only when `allowBasic`: browsers send it unasked. `hint` is added to what is
   * said to whoever has no token.
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
        `the request has no bearer token; send \`Authorization: Bearer <token>\`${hint}`,
      );
    const given = digestOf(token);
    let found: Caller | undefined;
    // No early end: the time must not tell which token was nearly right.
    for (const candidate of this.#tokens) if (timingSafeEqual(candidate.digest, given)) found = candidate.caller;
    if (!found) throw new AppError('UNAUTHORIZED', 'the bearer token is not one of the configured tokens');
    return found;
  }

  /** What signs for this caller, by the token with that name; undefined of whoever has none. */
  keyOf({ name, proxied }: Caller): Buffer | undefined {
    return proxied ? undefined : this.#tokens.find(({ caller }) => caller.name === name)?.digest;
  }

  /** The caller whose key `signed` knows. */
  findByKey(signed: (key: Buffer) => boolean): Caller | undefined {
    return this.#tokens.find(({ digest }) => signed(digest))?.caller;
  }
}

interface KnownToken {
  /** The same object as long as name, role and token are. */
  readonly caller: Caller;
  readonly digest: Buffer;
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
