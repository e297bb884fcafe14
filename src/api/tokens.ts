// Which tokens the API accepts: the admin's from AUTOPILOT_API_TOKEN (or _FILE), further ones from AUTOPILOT_TOKENS_FILE.
import { readFileSync } from 'node:fs';
import { AppError, messageOf } from '#domain/errors.ts';
import { Secret } from '#domain/secret.ts';
import type { Scrubber } from '#runtime/logger.ts';
import { type ApiToken, minTokenLength, parseTokenFile } from './auth.ts';

/** Where the API listens. */
export interface ApiEnvironment {
  readonly host: string;
  readonly port: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the tokens and hides them from every log line; an empty variable is one that is not set.
 * @throws AppError CONFIG_INVALID naming the variable or the file's line; also for a file without any token, which would open the API.
 */
export function readTokens(env: Environment, scrubber: Scrubber): ApiToken[] {
  const more = env['AUTOPILOT_TOKENS_FILE'];
  const tokens = [...adminToken(env), ...(more ? furtherTokens('AUTOPILOT_TOKENS_FILE', more) : [])];
  for (const { value } of tokens) scrubber.hide(value, 'token');
  return tokens;
}

function adminToken(env: Environment): ApiToken[] {
  const file = env['AUTOPILOT_API_TOKEN_FILE'];
  const token = env['AUTOPILOT_API_TOKEN'] || (file ? read('AUTOPILOT_API_TOKEN_FILE', file).trim() : undefined);
  if (token === undefined) return [];
  const place = env['AUTOPILOT_API_TOKEN'] ? 'AUTOPILOT_API_TOKEN' : `AUTOPILOT_API_TOKEN_FILE: ${file}`;
  if (token === '') throw new AppError('CONFIG_INVALID', `${place} is empty: write the token into it`);
  if (token.length < minTokenLength)
    throw new AppError('CONFIG_INVALID', `${place}: the token has fewer than ${minTokenLength} characters`);
  return [{ name: 'admin', role: 'admin', value: new Secret(token) }];
}

function furtherTokens(variable: string, file: string): ApiToken[] {
  const tokens = parseTokenFile(read(variable, file), file);
  if (tokens.length > 0) return tokens;
  throw new AppError(
    'CONFIG_INVALID',
    `${variable}: ${file} holds no token: write "<name> <role> <token>" lines into it`,
  );
}

function read(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new AppError('CONFIG_INVALID', `${variable}: ${file} cannot be read (${messageOf(error)})`, { cause: error });
  }
}
