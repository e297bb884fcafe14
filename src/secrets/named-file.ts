// Files that somebody named: where they may be, and opening them so that the checked file is the one that is opened. Links are resolved
// first, and the place they lead to is checked; it is checked again after opening, so that a link that was swapped meanwhile is noticed.
import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat, statfs } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { AppError } from '#domain/errors.ts';

/** Where a file may be. Without bounds, the path comes from the configuration itself, and may be anywhere. */
export interface FileBounds {
  /** It is below one of these. */
  readonly folders: readonly string[];
  /** The setting that allows folders, such as `secrets.read_folders`; undefined if a rule's path contains the folder. */
  readonly setting?: string | undefined;
  /** The daemon's own files, such as its tokens, and folders of them: never allowed, whatever folder they are in. */
  readonly never: readonly string[];
  /** Why a request may not name the file, if there are no folders. */
  readonly why?: string | undefined;
}

const onLinux = process.platform === 'linux';
/** Kernel interfaces that look like files: proc, sysfs, cgroup, cgroup2, debugfs, tracefs, securityfs. See statfs(2). */
const kernelFileSystems: ReadonlySet<number> = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x64626720, 0x74726163, 0x73636673,
]);

/**
 * Refuses a path that leads, through all its links, outside of the bounds, or to one of the daemon's own files. A file that does not exist
 * is checked by the folder it would be in.
 * @throws AppError FILE_NOT_ALLOWED
 */
export async function assertWithin(path: string, bounds: FileBounds): Promise<void> {
  const real = await finalPath(path).catch(() => undefined);
  if (real === undefined || !(await isBelow(bounds.folders, real))) throw outside(path, bounds);
  if (await isOrIsBelow(bounds.never, real)) throw notAllowed(path, 'is one of the daemon’s own files', bounds);
}

/**
 * Reads a regular file of at most `mostBytes`.
 * @throws AppError FILE_NOT_ALLOWED; Error with a plain message: missing, not regular, too large
 */
export async function readNamedFile(path: string, mostBytes: number, bounds?: FileBounds): Promise<Buffer> {
  if (bounds) await assertWithin(path, bounds);
  const real = await realpath(path);
  // Checked before it is opened, because opening a device or a pipe can have an effect.
  assertRegular(await stat(real));
  if (onLinux && kernelFileSystems.has((await statfs(real)).type)) throw new Error('it is a file of the kernel');
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    assertRegular(found);
    if (bounds) {
      if (found.nlink > 1) throw notAllowed(path, 'has a second name (a hard link)', bounds);
      const opened = await placeOf(file, real);
      if (!(await isBelow(bounds.folders, opened)) || (await isOrIsBelow(bounds.never, opened)))
        throw outside(path, bounds);
    }
    return await readAtMost(file, mostBytes);
  } finally {
    await file.close();
  }
}

/** A folder that is held open, and the name of one file in it. */
export interface NamedPlace extends AsyncDisposable {
  /** The file's path without links. */
  readonly path: string;
  /** The path to use for a name in the folder: it stays in this very folder, even if the folder's path is changed to lead elsewhere. */
  at(name: string): string;
  readonly name: string;
  /** Makes changes of names in the folder durable. */
  sync(): Promise<void>;
}

/** Opens the folder of a file that is to be written. @throws AppError FILE_NOT_ALLOWED; Error of the file system */
export async function openPlace(path: string, bounds?: FileBounds): Promise<NamedPlace> {
  if (bounds) await assertWithin(path, bounds);
  const name = basename(resolve(path));
  const real = await realpath(dirname(resolve(path)));
  const folder = await open(real, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const opened = join(await placeOf(folder, real), name);
    if (bounds && !(await isBelow(bounds.folders, opened))) throw outside(path, bounds);
    const base = onLinux ? `/proc/self/fd/${folder.fd}` : real;
    return {
      path: opened,
      name,
      at: (other) => join(base, other),
      sync: () => folder.sync(),
      [Symbol.asyncDispose]: () => folder.close(),
    };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

function assertRegular(found: { isFile(): boolean }): void {
  if (!found.isFile()) throw new Error('it is not a regular file');
}

async function readAtMost(file: FileHandle, most: number): Promise<Buffer> {
  const buffer = Buffer.alloc(most + 1);
  let length = 0;
  while (length <= most) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  throw new Error(`it is larger than ${most} bytes`);
}

/** Where the opened file is now. */
async function placeOf(file: FileHandle, path: string): Promise<string> {
  const own = onLinux ? await realpath(`/proc/self/fd/${file.fd}`).catch(() => undefined) : undefined;
  return own ?? realpath(path);
}

/** The path without links; for a missing file, of the part that exists. */
async function finalPath(path: string): Promise<string> {
  const whole = resolve(path);
  try {
    return await realpath(whole);
  } catch (error) {
    const parent = dirname(whole);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === whole) throw error;
    return join(await finalPath(parent), basename(whole));
  }
}

/** Whether a path without links is below one of the folders. */
async function isBelow(folders: readonly string[], real: string): Promise<boolean> {
  for (const folder of folders) {
    const rest = relative(await finalPath(folder).catch(() => resolve(folder)), real);
    if (rest !== '' && rest !== '..' && !rest.startsWith(`..${sep}`) && !isAbsolute(rest)) return true;
  }
  return false;
}

/** Whether a path without links is one of the places, or below one. */
async function isOrIsBelow(places: readonly string[], real: string): Promise<boolean> {
  const finals = await Promise.all(places.map((place) => finalPath(place).catch(() => resolve(place))));
  return finals.includes(real) || isBelow(places, real);
}

function outside(path: string, bounds: FileBounds): AppError {
  const { folders, setting, why: given } = bounds;
  const names = folders.join(', ');
  if (setting === undefined)
    return notAllowed(path, `leads out of ${names}, the folder that the rule spells out`, bounds);
  const why =
    folders.length === 0
      ? (given ?? `a request may not name such a file: ${setting} allows no folder`)
      : `is not below ${setting} (${names}), after following links`;
  return notAllowed(path, why, bounds);
}

function notAllowed(path: string, why: string, { setting }: FileBounds): AppError {
  return new AppError('FILE_NOT_ALLOWED', `${path.replaceAll('\0', '\\0')}: ${why}`, {
    details: setting === undefined ? {} : { setting },
  });
}
