// Which tokens the API accepts: the admin's from AUTOPILOT_API_TOKEN (or _FILE), further ones from AUTOPILOT_TOKENS_FILE.

import { AppError, messageOf } from '#domain/errors.ts';
import { Secret } from '#domain/secret.ts';
import type { Environment } from '#runtime/egress.ts';
import type { Scrubber } from '#runtime/logger.ts';
import { readBounded } from '#runtime/read-bounded.ts';
import { type ApiToken, adminName, minTokenLength, parseTokenFile } from './auth.ts';

/** Where the API listens. */
export interface ApiEnvironment {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads the tokens and hides them from every log line; an empty variable counts as unset.
 * @throws AppError CONFIG_INVALID naming the variable or the file's line; also for a file without any token, which would open the API
 */
export function readTokens(env: Environment, scrubber: Scrubber): ApiToken[] {
  const more = env['AUTOPILOT_TOKENS_FILE'];
  const admin = adminToken(env);
  const further = more ? furtherTokens('AUTOPILOT_TOKENS_FILE', more) : [];
  const same = further.find(({ value }) => value.reveal() === admin[0]?.value.reveal());
  if (same)
    throw new AppError(
      'CONFIG_INVALID',
      `AUTOPILOT_TOKENS_FILE: ${more} ${same.name} has the same token as AUTOPILOT_API_TOKEN: create a token for each`,
    );
  const tokens = [...admin, ...further];
  for (const { value } of tokens) scrubber.hide(value, 'token');
  return tokens;
}

/** Whether the tokens are the same, with the same names and roles. */
export function sameTokens(some: readonly ApiToken[], others: readonly ApiToken[]): boolean {
  const text = (tokens: readonly ApiToken[]) =>
    JSON.stringify(tokens.map(({ name, role, value }) => [name, role, value.reveal()]));
  return text(some) === text(others);
}

/** The files that contain tokens, to be watched. */
export function tokenFiles(env: Environment): string[] {
  const admin = env['AUTOPILOT_API_TOKEN'] ? undefined : env['AUTOPILOT_API_TOKEN_FILE'];
  return [admin, env['AUTOPILOT_TOKENS_FILE']].filter((file) => file !== undefined && file !== '') as string[];
}

function adminToken(env: Environment): ApiToken[] {
  const file = env['AUTOPILOT_API_TOKEN_FILE'];
  const token = env['AUTOPILOT_API_TOKEN'] || (file ? read('AUTOPILOT_API_TOKEN_FILE', file).trim() : undefined);
  if (token === undefined) return [];
  const place = env['AUTOPILOT_API_TOKEN'] ? 'AUTOPILOT_API_TOKEN' : `AUTOPILOT_API_TOKEN_FILE: ${file}`;
  if (token === '') throw new AppError('CONFIG_INVALID', `${place} is empty: write the token into it`);
  if (token.length < minTokenLength)
    throw new AppError('CONFIG_INVALID', `${place}: the token has fewer than ${minTokenLength} characters`);
  return [{ name: adminName, role: 'admin', value: new Secret(token) }];
}

function furtherTokens(variable: string, file: string): ApiToken[] {
  const tokens = parseTokenFile(read(variable, file), file);
  if (tokens.length > 0) return tokens;
  throw new AppError(
    'CONFIG_INVALID',
    `${variable}: ${file} holds no token: write "<name> <role> <token>" lines into it`,
  );
}

const mostBytes = 1_048_576;

function read(variable: string, file: string): string {
  try {
    return readBounded(file, mostBytes);
  } catch (error) {
    throw new AppError('CONFIG_INVALID', `${variable}: ${file} cannot be read (${messageOf(error)})`, { cause: error });
  }
}
