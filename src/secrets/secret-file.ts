// Secrets in files: reading tokens, addresses and HMAC keys that the configuration names, and delivering a key into one.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, lstat, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, normalize, sep } from 'node:path';
import { AppError, messageOf } from '#domain/errors.ts';
import { Secret } from '#domain/secret.ts';
import type { SecretSink } from './sink.ts';

const mostBytes = 65_536;

/** The text of a file without the line end. Read at each use, so that a new file is taken up. @throws AppError SECRET_FILE_UNREADABLE */
export async function readSecretFile(path: string): Promise<Secret> {
  try {
    const { size } = await stat(path);
    if (size > mostBytes) throw new Error(`it is larger than ${mostBytes} bytes`);
    const text = (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
    if (text === '') throw new Error('it is empty');
    return new Secret(text);
  } catch (error) {
    throw new AppError('SECRET_FILE_UNREADABLE', `${path}: ${messageOf(error)}`);
  }
}

/** A file of mode 0600, replaced in one step: a reader sees the old value or the new one, never a part. */
export function fileSink(path: string): SecretSink {
  const description = `file ${path}`;
  const directory = dirname(path);
  const checkPath = () => {
    // Paths may hold a channel's name or tags: none of them may lead out of the directory that was meant.
    if (path.includes('\0') || normalize(path).split(sep).includes('..') || path.split(/[\\/]/).includes('..'))
      throw new AppError('SECRET_SINK_REFUSED', `${description}: the path must not contain ".."`);
  };
  return {
    description,
    async check() {
      checkPath();
      await assertOurs(path, description);
      await access(directory, constants.W_OK).catch((error: unknown) => {
        throw new AppError('SECRET_SINK_FAILED', `${description}: ${messageOf(error)}`);
      });
    },
    async deliver({ value }, signal) {
      checkPath();
      await assertOurs(path, description);
      signal.throwIfAborted();
      const draft = join(directory, `.${basename(path)}.${randomBytes(6).toString('hex')}`);
      try {
        const file = await open(
          draft,
          constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
          0o600,
        );
        try {
          await file.writeFile(value.reveal());
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(draft, path);
        await syncDirectory(directory);
      } catch (error) {
        await rm(draft, { force: true }).catch(() => undefined);
        throw new AppError('SECRET_SINK_FAILED', `${description}: ${messageOf(error)}`);
      }
    },
  };
}

/** Only what an earlier delivery can have made is replaced, so that no setting or request overwrites another file. */
async function assertOurs(path: string, description: string): Promise<void> {
  const known = await lstat(path).catch(() => undefined);
  if (known === undefined || (known.isFile() && (known.mode & 0o077) === 0)) return;
  throw new AppError(
    'SECRET_SINK_REFUSED',
    `${description} exists and is no file of mode 0600, so it was not made by a delivery: remove it, or use another path`,
  );
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
