// Bundles the operator's page (web/) into a folder: one script, the style sheet, the icon. `node scripts/page.ts [folder]`. scripts/run.mjs
// calls it when the sources have changed, `npm run build` for the package, the Dockerfile for the image.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const root = join(import.meta.dirname, '..');
const names = ['app.css', 'icon.svg', 'index.html'];

if (process.argv[1] === import.meta.filename) await buildPage(resolve(process.argv[2] ?? join(root, 'dist', 'web')));

/** Writes the page into `folder`. */
export async function buildPage(folder: string): Promise<void> {
  const build = await rolldown({
    cwd: root,
    input: 'web/main.tsx',
    platform: 'browser',
    logLevel: 'warn',
    tsconfig: false,
    transform: {
      jsx: { runtime: 'automatic', importSource: 'preact' },
      define: { 'process.env.NODE_ENV': '"production"' },
    },
  });
  const { output } = await build.generate({ format: 'esm', minify: true });
  await build.close();
  if (output.length !== 1) throw new Error('the page must be one script');

  mkdirSync(folder, { recursive: true });
  place(join(folder, 'app.js'), output[0].code);
  for (const name of names) place(join(folder, name), readFileSync(join(root, 'web', name)));
}

/** Whole or not at all: a daemon that starts at this moment reads either the old file or the new one. */
function place(file: string, content: string | Buffer): void {
  const next = `${file}.${process.pid}`;
  writeFileSync(next, content);
  renameSync(next, file);
}
