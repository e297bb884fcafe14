// The software bill of materials of the npm package, as CycloneDX: `npm run sbom -- [file]`. It covers a production install and the libraries
// that are bundled into the page; the Node builds of all platforms are optional, and npm installs at most one of them.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isEntry } from '#runtime/entry.ts';
import { bundledPackageIds } from './page.ts';

const root = join(import.meta.dirname, '..');

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly scope?: string;
}

/** The parts of a CycloneDX document that are used here. */
export interface Sbom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/** `name@version` of each package of a production install, including the Node builds of all platforms. */
export function productionPackageIds(): ReadonlySet<string> {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; dev?: boolean; devOptional?: boolean }>;
  };
  const marker = 'node_modules/';
  return new Set(
    Object.entries(lock.packages)
      .filter(([folder, { dev, devOptional }]) => folder !== '' && !dev && !devOptional)
      .map(([folder, { version }]) => `${folder.slice(folder.lastIndexOf(marker) + marker.length)}@${version}`),
  );
}

/**
 * Asks npm, which uses only the lock file, and keeps what production needs and what is in the page's script. npm's own `--omit=dev` leaves out packages that a development
 * package needs too (npm 11.19), so the lock file decides.
 * @throws Error when npm fails
 */
export async function sbom(): Promise<Sbom> {
  const npm = process.env['npm_execpath'];
  const [command, ...first] = npm ? [process.execPath, npm] : ['npm'];
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
  const result = spawnSync(command, [...first, ...args], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (result.status !== 0) throw new Error(`npm sbom failed: ${result.stderr || String(result.error)}`);
  const all = JSON.parse(result.stdout) as Sbom;
  const shipped = new Set([...productionPackageIds(), ...(await bundledPackageIds())]);
  const components = all.components.filter(({ name, version }) => shipped.has(`${name}@${version}`));
  const own = all.metadata.component;
  const kept = new Set([own, ...components].map((component) => component['bom-ref']));
  return {
    ...all,
    // npm uses the folder's name.
    metadata: { ...all.metadata, component: { ...own, name: 'ivs-autopilot' } },
    components,
    dependencies: all.dependencies
      .filter(({ ref }) => kept.has(ref))
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => kept.has(one)) })),
  };
}

if (isEntry(process.argv[1], import.meta.filename)) {
  const text = `${JSON.stringify(await sbom(), null, 2)}\n`;
  const file = process.argv[2];
  if (file === undefined) process.stdout.write(text);
  else writeFileSync(file, text);
}
