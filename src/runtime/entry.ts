// Whether a file is the program that was started. Not import.meta.main: Node 24.0 and 24.1 lack it.
import { realpathSync } from 'node:fs';

/** True for the module (its import.meta.filename) that `program` names, the command line's argv[1], also through a symlink. */
export function isEntry(program: string | undefined, filename: string): boolean {
  if (program === undefined) return false;
  try {
    return realpathSync(program) === realpathSync(filename);
  } catch {
    return false;
  }
}
