import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Scrubber } from '#runtime/logger.ts';
import { readTokens } from './tokens.ts';

const folder = mkdtempSync(join(tmpdir(), 'autopilot-tokens-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(text: string): string {
  const file = join(folder, `${text.length}.txt`);
  writeFileSync(file, text);
  return file;
}

const namesOf = (env: Record<string, string>) => readTokens(env, new Scrubber()).map(({ name }) => name);
const long = 'x'.repeat(16);

describe('the tokens of the API', () => {
  test('are read from regular files only, up to a limit', () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const large = fileOf(`#${' '.repeat(1_100_000)}\nnoc operator ${long}`);
    for (const [file, why] of [
      [pipe, 'not a regular file'],
      ['/dev/zero', 'not a regular file'],
      [folder, 'not a regular file'],
      [large, 'larger than'],
      [join(folder, 'none'), 'ENOENT'],
    ] as const) {
      expect(() => namesOf({ AUTOPILOT_TOKENS_FILE: file })).toThrow(why);
      expect(() => namesOf({ AUTOPILOT_API_TOKEN_FILE: file })).toThrow(why);
    }
  });

  test('come from the variable, its file and the file of further tokens', () => {
    expect(namesOf({ AUTOPILOT_API_TOKEN: long })).toEqual(['admin']);
    expect(
      namesOf({
        AUTOPILOT_API_TOKEN_FILE: fileOf(`${long}\n`),
        AUTOPILOT_TOKENS_FILE: fileOf(`# desk\nnoc operator ${long}y\n`),
      }),
    ).toEqual(['admin', 'noc']);
  });

  test('an empty variable counts as unset', () => {
    expect(namesOf({ AUTOPILOT_API_TOKEN: '', AUTOPILOT_API_TOKEN_FILE: '', AUTOPILOT_TOKENS_FILE: '' })).toEqual([]);
    expect(namesOf({ AUTOPILOT_API_TOKEN: '', AUTOPILOT_API_TOKEN_FILE: fileOf(long) })).toEqual(['admin']);
  });

  test.each<[string, Record<string, string>, string]>([
    ['an empty file of the token', { AUTOPILOT_API_TOKEN_FILE: fileOf(' \n') }, 'is empty'],
    ['a file of further tokens without any', { AUTOPILOT_TOKENS_FILE: fileOf('# none yet\n') }, 'holds no token'],
    ['a token that could be guessed', { AUTOPILOT_API_TOKEN: 'secret' }, 'AUTOPILOT_API_TOKEN: the token has fewer'],
  ])('refuses %s instead of opening the API', (_, env, message) => {
    expect(() => namesOf(env)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(message) }),
    );
  });
});
