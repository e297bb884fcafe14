// Secrets in files: reads tokens, addresses and HMAC keys, and delivers a key into a file.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, lstat, open, rename, rm, stat } from 'node:fs/promises';
import { AppError, messageOf } from '#domain/errors.ts';
import { Secret } from '#domain/secret.ts';
import { type FileBounds, type NamedPlace, openPlace, readNamedFile } from './named-file.ts';
import type { SecretSink } from './sink.ts';

const mostBytes = 65_536;

/**
 * The text of a regular file without the line end. Read at each use, so that a new file takes effect.
 * @param bounds where the file may be; undefined for a path that the configuration itself contains
 * @throws AppError SECRET_FILE_UNREADABLE, FILE_NOT_ALLOWED
 */
export async function readSecretFile(path: string, bounds?: FileBounds): Promise<Secret> {
  try {
    const text = (await readNamedFile(path, mostBytes, bounds)).toString('utf8').replace(/\r?\n$/, '');
    if (text === '') throw new Error('it is empty');
    return new Secret(text);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('SECRET_FILE_UNREADABLE', `${path}: ${messageOf(error)}`);
  }
}

/** Which files deliveries have written; implemented by the shared state. Paths are without links. */
export interface DeliveredFiles {
  /** Whether a delivery wrote the file, or was about to. `named` is the path as the delivery names it now. */
  has(path: string, named: string): Promise<boolean>;
  /** Recorded before the first write, so that no crash leaves an unknown file. */
  add(path: string): Promise<void>;
}

export interface FileSinkOptions {
  readonly path: string;
  /** Where the file may be; undefined for a path that the configuration itself contains. */
  readonly bounds?: FileBounds | undefined;
  /** The daemon's own files, which no delivery replaces. */
  readonly never: readonly string[];
  readonly delivered: DeliveredFiles;
}

/** A file of mode 0600, replaced atomically: a reader sees the old value or the new one, never a part. */
export function fileSink(options: FileSinkOptions): SecretSink {
  const { path } = options;
  return {
    description: `file ${path}`,
    check: () => withPlace(options, (place) => access(place.at('.'), constants.W_OK)),
    deliver: ({ value }, signal) => replaceFile(options, value.reveal(), signal),
  };
}

/**
 * Writes a file of mode 0600 atomically.
 * @throws AppError FILE_NOT_ALLOWED, SECRET_SINK_REFUSED: the file exists and no delivery created it, SECRET_SINK_FAILED
 */
export function replaceFile(options: FileSinkOptions, text: string, signal: AbortSignal): Promise<void> {
  return withPlace(options, async (place) => {
    signal.throwIfAborted();
    await options.delivered.add(place.path);
    const draft = place.at(`.${place.name.slice(0, 200)}.${randomBytes(6).toString('hex')}`);
    try {
      const file = await open(
        draft,
        constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
        0o600,
      );
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, place.at(place.name));
      await place.sync();
    } catch (error) {
      await rm(draft, { force: true }).catch(() => undefined);
      throw error;
    }
  });
}

async function withPlace(options: FileSinkOptions, use: (place: NamedPlace) => Promise<void>): Promise<void> {
  const { path, bounds } = options;
  try {
    await using place = await openPlace(path, bounds);
    await assertReplaceable(place, options);
    await use(place);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('SECRET_SINK_FAILED', `file ${path}: ${messageOf(error)}`);
  }
}

/** Replaces only a file that an earlier delivery created, so that no setting or request overwrites another file. */
async function assertReplaceable(place: NamedPlace, { path, never, delivered }: FileSinkOptions): Promise<void> {
  const found = await lstat(place.at(place.name)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isFile()) throw refused(`file ${path} exists but is not a regular file`);
  const own = await Promise.all(never.map((file) => stat(file).catch(() => undefined)));
  if (own.some((file) => file?.ino === found.ino && file.dev === found.dev))
    throw refused(`file ${path} is one of the daemon’s own files`);
  // Recorded at once, because a rotation replaces the record that identifies a file of an earlier version.
  if (await delivered.has(place.path, path)) return delivered.add(place.path);
  throw refused(`file ${path} exists, but no delivery is on record for it: remove it, or use another path`);
}

function refused(text: string): AppError {
  return new AppError('SECRET_SINK_REFUSED', text);
}
