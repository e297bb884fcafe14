// This program's package: its location and its version.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder with package.json: some levels above src/ in a checkout and the image, one level above dist/, the package's bundle. */
export const packageRoot: string = folderAbove(import.meta.dirname);

/** As in package.json. */
export const packageVersion: string = (
  JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
).version;

function folderAbove(folder: string): string {
  const above = dirname(folder);
  if (above === folder) throw new Error(`there is no package.json above ${import.meta.dirname}`);
  return existsSync(join(above, 'package.json')) ? above : folderAbove(above);
}
