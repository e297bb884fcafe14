// Builds dist/ for the published package, since Node does not run TypeScript from node_modules: the program, the daemon, the simulator, the
// client, the player helper, the operator's page. Packages stay outside the bundles. `node scripts/build.ts [folder]`
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { buildPage } from './page.ts';

const root = join(import.meta.dirname, '..');
const folder = resolve(process.argv[2] ?? join(root, 'dist'));
const banner = '// Built by `npm run build`; the sources are TypeScript in the repository.';

rmSync(folder, { recursive: true, force: true });
await bundle({ cli: 'src/cli/main.ts', main: 'src/main.ts', simulator: 'simulator/index.ts' }, 'node');
declareSimulator();
await bundle({ player: 'src/player/cues.ts' }, 'browser');
declarePlayer();
await bundle({ client: 'src/client/client.ts' }, 'browser');
declareClient();
await buildPage(join(folder, 'web'));

/** One build; files shared by several entries become chunks next to them, so that paths relative to a file stay correct. */
async function bundle(input: Record<string, string>, platform: 'node' | 'browser'): Promise<void> {
  const build = await rolldown({ cwd: root, input, platform, external: isPackage, logLevel: 'warn' });
  await build.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunk-[name]-[hash].js',
    banner,
    comments: platform === 'browser',
  });
  await build.close();
}

/** Whether an import names a package or a built-in module, rather than one of our files. */
function isPackage(id: string): boolean {
  return !id.startsWith('.') && !id.startsWith('#') && !isAbsolute(id);
}

/** dist/player.d.ts */
function declarePlayer(): void {
  declare('src/player/cues.ts', folder);
  renameSync(join(folder, 'cues.d.ts'), join(folder, 'player.d.ts'));
  // A web page loads it as it is: it must not need anything.
  if (/^\s*import\b|\bimport\(/m.test(readFileSync(join(folder, 'player.js'), 'utf8')))
    throw new Error('the player helper must not import anything');
}

/** dist/client/ */
function declareClient(): void {
  const types = join(folder, 'client');
  declare('src/client/client.ts', types);
  nameBuiltFiles(types);
}

/** dist/simulator/ */
function declareSimulator(): void {
  const types = join(folder, 'simulator');
  declare('simulator/index.ts', types);
  nameBuiltFiles(types);
}

/** Declarations refer to each other by these names. */
function nameBuiltFiles(types: string): void {
  for (const name of readdirSync(types, { recursive: true }).map(String)) {
    if (!name.endsWith('.d.ts')) continue;
    const file = join(types, name);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replaceAll(/((?:from |import\()["']\.{1,2}\/[\w./-]+)\.ts(["'])/g, '$1.js$2'));
  }
}

/** Writes the declarations of a file and of its imports. */
function declare(file: string, into: string): void {
  const options = [
    '--declaration',
    '--emitDeclarationOnly',
    '--ignoreConfig',
    '--allowImportingTsExtensions',
    '--skipLibCheck',
  ];
  const modules = ['--strict', '--target', 'es2024', '--module', 'esnext', '--moduleResolution', 'bundler'];
  const language = [...modules, '--lib', 'es2024,dom,esnext.disposable,esnext.iterator', '--types', 'node'];
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(process.execPath, [tsc, ...options, ...language, '--outDir', into, join(root, file)], {
    stdio: 'inherit',
  });
  if (result.status !== 0) throw new Error(`the declarations of ${file} could not be made`);
}
