// The package as npm would publish it, unpacked in an empty folder and used there: the player helper needs nothing beside it.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

async function packed() {
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-package-'));
  const source = join(folder, 'source');
  const installed = join(folder, 'app', 'node_modules', 'ivs-autopilot');
  // Packed from a copy of what the package lists, so that nothing else in the checkout is touched.
  await mkdir(source, { recursive: true });
  for (const name of ['package.json', 'README.md', 'LICENSE', 'bin', 'web', 'config'])
    if (existsSync(join(root, name))) await cp(join(root, name), join(source, name), { recursive: true });
  await run(process.execPath, [join(root, 'scripts', 'build.ts'), join(source, 'dist')]);
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: source,
  });
  const [tarball] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, tarball!.filename), '-C', installed, '--strip-components=1']);
  return {
    app: join(folder, 'app'),
    installed,
    files: tarball!.files.map(({ path }) => path),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

test('the packed file holds the program and the player helper, and both run where nothing else is', async () => {
  await using pack = await packed();
  await writeFile(
    join(pack.app, 'player.mjs'),
    `import { CueReader } from 'ivs-autopilot/player';
const reader = new CueReader();
const cue = '{"v":1,"items":[{"id":"a","t":1,"d":{"n":1}},{"id":"b","t":2,"d":"zwei"}]}';
console.log(JSON.stringify([reader.read(cue), reader.read(cue)].map((items) => items.map(({ data }) => data))));`,
  );

  const player = await run(process.execPath, ['player.mjs'], { cwd: pack.app });
  // What npm would have installed beside it.
  for (const name of readdirSync(join(root, 'node_modules')))
    await symlink(join(root, 'node_modules', name), join(pack.app, 'node_modules', name)).catch(() => undefined);
  const program = await run(process.execPath, [join(pack.installed, 'bin', 'ivs-autopilot.mjs'), '--help'], {
    cwd: pack.app,
  });
  const wrong = await run(
    process.execPath,
    [join(pack.installed, 'bin', 'ivs-autopilot.mjs'), 'validate', 'none.yaml'],
    {
      cwd: pack.app,
    },
  ).catch((error: unknown) => error as { code: number; stderr: string });

  expect(player.stdout.trim()).toBe('[[{"n":1},"zwei"],[]]');
  expect(pack.files).toEqual(
    expect.arrayContaining(['dist/cli.js', 'dist/main.js', 'dist/player.js', 'dist/player.d.ts']),
  );
  expect(pack.files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([]);
  expect(program.stdout).toContain('Usage: ivs-autopilot');
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('none.yaml') });
}, 60_000);
