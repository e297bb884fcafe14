// Compares the pins of the workflows with their tags: `npm run pins [-- --write] [--images] [--node]`. Needs the network, so no test of the
// project depends on its answers. `--images` asks the registry for the digest of the Dockerfile's base image; `--node` compares the Node
// that npm brings with what nodejs.org publishes.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isEntry } from '#runtime/entry.ts';
import { nodeBuilds } from '../bin/node-build.mjs';
import { publishedSha256 } from './node-archives.ts';

const root = join(import.meta.dirname, '..');

/** An action that a workflow uses. */
export interface Pin {
  /** Including the folder inside its repository, such as `github/codeql-action/init`. */
  readonly action: string;
  readonly commit: string;
  readonly tag: string;
}

const pinned = /uses: ([\w.-]+\/[\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$/gm;

/** Every pin of a workflow that has the form `owner/name@<commit> # <tag>`. */
export function pinsOf(workflow: string): Pin[] {
  return Array.from(workflow.matchAll(pinned), ([, action, commit, tag]) => ({
    action: action!,
    commit: commit!,
    tag: tag!,
  }));
}

/** Every `uses:` of a workflow that is pinned differently; actions of this repository (`./…`) need no pin. */
export function unpinned(workflow: string): string[] {
  const lines = workflow.split('\n').filter((line) => /^\s*(?:- )?uses:/.test(line) && !/uses: \.\//.test(line));
  return lines.map((line) => line.trim()).filter((line) => pinsOf(line).length === 0);
}

/** The workflow with another commit for each pin that `commits` names by action and tag. */
export function withCommits(workflow: string, commits: ReadonlyMap<string, string>): string {
  return workflow.replace(
    pinned,
    (_, action: string, commit: string, tag: string) =>
      `uses: ${action}@${commits.get(`${action} ${tag}`) ?? commit} # ${tag}`,
  );
}

/**
 * The commit that a tag of an action's repository points to; not the object of an annotated tag itself.
 * @throws Error if the repository cannot be reached or has no such tag
 */
export function commitOf({ action, tag }: Pin): string {
  const [owner, name] = action.split('/');
  const args = ['ls-remote', `https://github.com/${owner}/${name}`, `refs/tags/${tag}`, `refs/tags/${tag}^{}`];
  const { status, stdout, stderr, error } = spawnSync('git', args, {
    encoding: 'utf8',
    env: { ...process.env, GIT_TERMINAL_PROMPT: '0' },
  });
  if (status !== 0) throw new Error(`git could not ask for ${action}: ${stderr?.trim() || String(error)}`);
  const lines = stdout.trim().split('\n').filter(Boolean);
  const line = lines.find((one) => one.endsWith('^{}')) ?? lines[0];
  if (line === undefined) throw new Error(`${action} has no tag ${tag}`);
  return line.split('\t')[0]!;
}

/** The Dockerfile with this digest for its base image. */
export function withDigest(dockerfile: string, digest: string): string {
  return dockerfile.replace(/^(ARG BASE=[^@\n]+)(?:@sha256:[0-9a-f]{64})?$/m, `$1@${digest}`);
}

/** The present digest of the Dockerfile's base image in its registry. */
function digestOfBase(dockerfile: string): string {
  const [, image] = /^ARG BASE=([^@\n]+)/m.exec(dockerfile) ?? [];
  const args = ['buildx', 'imagetools', 'inspect', image!, '--format', '{{.Manifest.Digest}}'];
  const { status, stdout, stderr, error } = spawnSync('docker', args, { encoding: 'utf8' });
  const digest = stdout?.trim() ?? '';
  if (status !== 0 || !/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new Error(`docker could not ask for ${image}: ${stderr?.trim() || String(error)}`);
  return digest;
}

/** How many Node builds differ from what nodejs.org publishes; with `write` the published values are recorded. */
async function nodesDiffering(write: boolean): Promise<number> {
  const builds = nodeBuilds();
  const { optionalDependencies: versions } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  let differing = 0;
  for (const [name, build] of Object.entries(builds)) {
    const version = versions[name] ?? build.version;
    const published = await publishedSha256(name, { ...build, version });
    const same = published === build.sha256;
    if (!same) differing += 1;
    console.log(
      same
        ? `ok       ${name} ${version}`
        : `DIFFERS  ${name} ${version}: ${build.sha256}, nodejs.org has ${published}`,
    );
    builds[name] = { ...build, version, sha256: published };
  }
  if (write) writeFileSync(join(root, 'bin', 'node-builds.json'), `${JSON.stringify(builds, null, 2)}\n`);
  return differing;
}

async function main(args: readonly string[]): Promise<number> {
  const write = args.includes('--write');
  const folder = join(root, '.github', 'workflows');
  const files = readdirSync(folder).map((name) => join(folder, name));
  const pins = new Map(
    files
      .flatMap((file) => pinsOf(readFileSync(file, 'utf8')))
      .map((pin): [string, Pin] => [`${pin.action} ${pin.tag}`, pin]),
  );
  const commits = new Map<string, string>();
  let differing = 0;
  for (const [name, pin] of pins) {
    const commit = commitOf(pin);
    commits.set(name, commit);
    if (commit !== pin.commit) differing += 1;
    console.log(commit === pin.commit ? `ok       ${name}` : `DIFFERS  ${name}: ${pin.commit}, the tag says ${commit}`);
  }
  if (write) for (const file of files) writeFileSync(file, withCommits(readFileSync(file, 'utf8'), commits));
  if (args.includes('--images')) {
    const file = join(root, 'Dockerfile');
    const dockerfile = readFileSync(file, 'utf8');
    const digest = digestOfBase(dockerfile);
    console.log(`base     ${digest}`);
    if (write) writeFileSync(file, withDigest(dockerfile, digest));
  }
  if (args.includes('--node')) differing += await nodesDiffering(write);
  return differing > 0 && !write ? 1 : 0;
}

if (isEntry(process.argv[1], import.meta.filename)) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
