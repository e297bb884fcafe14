// The size of what is delivered, in bytes of files: `node scripts/run.mjs scripts/sizes.ts`. test/deploy.test.ts checks it against its
// budgets.
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isEntry } from '#runtime/entry.ts';

const root = join(import.meta.dirname, '..');

interface Locked {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

/** Bytes of the packages of a production install, without the Node that npm brings. */
export function productionPackages(): number {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  let bytes = 0;
  for (const [folder, { dev, optional, devOptional }] of Object.entries(lock.packages))
    if (folder !== '' && !dev && !optional && !devOptional) bytes += bytesIn(join(root, folder));
  return bytes;
}

/** Bytes of what the Dockerfile copies into the daemon's image: packages, sources without their tests, the bundled page. */
export function copiedByDockerfile(): number {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
  const runtime = dockerfile.split(/^FROM /m).find((stage) => /^\S+ AS runtime$/m.test(stage));
  if (runtime === undefined) throw new Error('the Dockerfile has no stage `runtime`');
  const sources = Array.from(runtime.matchAll(/^COPY (?:--from=page \/app\/)?(\S+) \S+$/gm), ([, source]) => source!);
  const copied = sources.filter((source) => !source.startsWith('--from'));
  return productionPackages() + copied.reduce((sum, source) => sum + bytesIn(join(root, source)), 0);
}

/** Bytes of a file, or of a folder's files; nested packages are counted separately, tests are not copied. */
function bytesIn(path: string): number {
  if (!existsSync(path)) return 0;
  const found = lstatSync(path);
  if (!found.isDirectory()) return found.size;
  return readdirSync(path)
    .filter((name) => name !== 'node_modules' && !(name.endsWith('.test.ts') && !path.includes('node_modules')))
    .reduce((sum, name) => sum + bytesIn(join(path, name)), 0);
}

if (isEntry(process.argv[1], import.meta.filename)) {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  console.log(`production packages without Node: ${megabytes(productionPackages())}`);
  console.log(`what the Dockerfile copies:       ${megabytes(copiedByDockerfile())}`);
}
