// The configuration file changes on disk, in every way in which editors and platforms change files.
import { appendFile, mkdir, mkdtemp, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { watchConfig } from '#src/config-watch.ts';
import { eventually, quietLogger } from '#test/support/quiet.ts';

async function watched(prepare: (folder: string) => Promise<string>) {
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-watch-'));
  const file = await prepare(folder);
  let changes = 0;
  const watcher = watchConfig({ file, logger: quietLogger(), settleMs: 30, onChange: () => (changes += 1) });
  return {
    folder,
    file,
    /** Resolves when a change after the given ones was noticed. */
    async noticed(act: () => Promise<unknown>) {
      const before = changes;
      await act();
      await eventually(() => changes > before);
    },
    changes: () => changes,
    async [Symbol.asyncDispose]() {
      watcher.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function plainFile(folder: string): Promise<string> {
  await writeFile(join(folder, 'autopilot.yaml'), 'one');
  return join(folder, 'autopilot.yaml');
}

test('notices each time that a file is written in place, replaced by a rename, and written in place again', async () => {
  await using config = await watched(plainFile);

  await config.noticed(() => writeFile(config.file, 'two'));
  await config.noticed(async () => {
    await writeFile(join(config.folder, '.autopilot.yaml.swp'), 'three');
    await rename(join(config.folder, '.autopilot.yaml.swp'), config.file);
  });
  await config.noticed(() => appendFile(config.file, '!'));
});

test('notices a deleted file when it is back', async () => {
  await using config = await watched(plainFile);

  await config.noticed(() => rm(config.file));
  await config.noticed(() => writeFile(config.file, 'again'));
});

test('notices every swap of a mounted ConfigMap’s ..data link', async () => {
  const version = async (folder: string, name: string) => {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'autopilot.yaml'), name);
  };
  await using config = await watched(async (folder) => {
    await version(folder, '..v1');
    await symlink('..v1', join(folder, '..data'));
    await symlink('..data/autopilot.yaml', join(folder, 'autopilot.yaml'));
    return join(folder, 'autopilot.yaml');
  });

  for (const name of ['..v2', '..v3'])
    await config.noticed(async () => {
      await version(config.folder, name);
      await symlink(name, join(config.folder, '..data_tmp'));
      await rename(join(config.folder, '..data_tmp'), join(config.folder, '..data'));
    });
});

test('notices a write to a file behind a link to another folder', async () => {
  await using config = await watched(async (folder) => {
    await mkdir(join(folder, 'elsewhere'));
    await mkdir(join(folder, 'config'));
    await writeFile(join(folder, 'elsewhere', 'rules.yaml'), 'one');
    await symlink('../elsewhere/rules.yaml', join(folder, 'config', 'autopilot.yaml'));
    return join(folder, 'config', 'autopilot.yaml');
  });

  await config.noticed(() => writeFile(join(config.folder, 'elsewhere', 'rules.yaml'), 'two'));
});

test('a folder that is never quiet delays no change, and changes of its other files do not count', async () => {
  await using config = await watched(plainFile);
  await writeFile(join(config.folder, 'recording.jsonl'), '');
  const noise = setInterval(() => void appendFile(join(config.folder, 'recording.jsonl'), '.'), 10);
  try {
    await eventually(async () => (await stat(join(config.folder, 'recording.jsonl'))).size > 30);
    expect(config.changes()).toBe(0);

    await config.noticed(() => writeFile(config.file, 'two'));

    expect(config.changes()).toBe(1);
  } finally {
    clearInterval(noise);
  }
});
