// Writes the generated documents; with `--check` only reports which are out of date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fillBlocks, generatedPages, partlyGenerated } from './docs/pages.ts';

const root = join(import.meta.dirname, '..');
const check = process.argv.includes('--check');
const read = (path: string) => {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return '';
  }
};

const filled = Object.entries(partlyGenerated()).map(([path, blocks]) => [path, fillBlocks(path, read(path), blocks)]);
const wanted: Record<string, string> = { ...(await generatedPages()), ...Object.fromEntries(filled) };
let stale = 0;
for (const [path, text] of Object.entries(wanted)) {
  if (read(path) === text) continue;
  stale += 1;
  if (check) console.error(`${path} is out of date: run \`npm run docs\``);
  else {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(`wrote ${path}`);
  }
}
process.exitCode = check && stale > 0 ? 1 : 0;
