// Which tokens the API accepts: the admin's from AUTOPILOT_API_TOKEN (or _FILE), further ones from AUTOPILOT_TOKENS_FILE.
import { readFileSync } from 'node:fs';
import { AppError, messageOf } from '#domain/errors.ts';
import { Secret } from '#domain/secret.ts';
import { type ApiToken, parseTokenFile } from '#intake/http/auth.ts';
import type { Scrubber } from '#runtime/logger.ts';

/** Where the API listens. */
export interface ApiEnvironment {
  readonly host: string;
  readonly port: number;
}

/** Reads the tokens and hides them from every log line. @throws AppError CONFIG_INVALID naming the variable or the file's line */
export function readTokens(env: Readonly<Record<string, string | undefined>>, scrubber: Scrubber): ApiToken[] {
  const file = env['AUTOPILOT_API_TOKEN_FILE'];
  const admin =
    env['AUTOPILOT_API_TOKEN'] ?? (file === undefined ? undefined : read('AUTOPILOT_API_TOKEN_FILE', file).trim());
  const more = env['AUTOPILOT_TOKENS_FILE'];
  const tokens = [
    ...(admin === undefined || admin === ''
      ? []
      : [{ name: 'admin', role: 'admin' as const, value: new Secret(admin) }]),
    ...(more === undefined ? [] : parseTokenFile(read('AUTOPILOT_TOKENS_FILE', more), more)),
  ];
  for (const { value } of tokens) scrubber.hide(value, 'token');
  return tokens;
}

function read(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new AppError('CONFIG_INVALID', `${variable}: ${file} cannot be read (${messageOf(error)})`, { cause: error });
  }
}
