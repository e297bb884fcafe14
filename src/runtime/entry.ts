// Whether a file is the program that was started. Not import.meta.main: Node 24.0 and 24.1 lack it.
import { realpathSync } from 'node:fs';

/** True for the module (its import.meta.filename) that the command line names, also through a symlink. */
export function isEntry(filename: string): boolean {
  const program = process.argv[1];
  if (program === undefined) return false;
  try {
    return realpathSync(program) === realpathSync(filename);
  } catch {
    return false;
  }
}
