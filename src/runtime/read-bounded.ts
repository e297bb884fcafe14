// Reads a small file at once.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/**
 * The text of a regular file: a pipe would block the daemon until somebody writes, and a device has no end.
 * @throws Error of the file system, or with a plain message: not regular, too large
 */
export function readBounded(file: string, mostBytes: number): string {
  const opened = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(opened).isFile()) throw new Error('it is not a regular file');
    const bytes = Buffer.alloc(mostBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(opened, bytes, length, bytes.length - length, length);
    if (length > mostBytes) throw new Error(`it is larger than ${mostBytes} bytes`);
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(opened);
  }
}
