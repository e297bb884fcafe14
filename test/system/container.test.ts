// The image, as far as a machine without Docker can test it: its entry point, on a tree that it may not write to, as another user.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { broadcast, quickSettings, testCredentials } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';

const root = join(import.meta.dirname, '..', '..');
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
/** The JSON array of an instruction. */
const arrayOf = (instruction: RegExp): string[] => JSON.parse(instruction.exec(dockerfile)![1]!) as string[];

/** The user nobody, if we may become it; otherwise the user who runs the tests. */
const stranger = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

test('the entry point runs as another user on a read-only tree, compiles nothing; the health check sees it; SIGTERM ends it', async () => {
  await using platform = await broadcast();
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-container-'));
  const config = join(folder, 'autopilot.yaml');
  await writeFile(config, `${quickSettings}rules: []\n`);
  await chmod(folder, 0o777);
  const [, ...entryPoint] = arrayOf(/^ENTRYPOINT (\[.*\])$/m);
  const command = arrayOf(/^CMD (\[.*\])$/m);
  const env = {
    NODE_ENV: 'production',
    AUTOPILOT_CONTAINER: '1',
    AUTOPILOT_CONFIG: config,
    AUTOPILOT_NAMESPACE: platform.scope.namespace,
    AUTOPILOT_QUEUE_URL: platform.queueUrl,
    AUTOPILOT_HTTP_PORT: '0',
    AWS_REGION: 'us-west-2',
    AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
    AWS_ENDPOINT_URL_IVS: platform.simulator.url,
    AWS_ENDPOINT_URL_SQS: platform.sqs.endpoint,
  };
  const options = { cwd: root, ...stranger };
  const compiled = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const [, ...compiler] = arrayOf(/^RUN (\["node", "--input-type=module".*\])$/m);
  const compile = compiler.map((argument) => argument.replaceAll('/app/', `${root}/`));
  expect(spawnSync(process.execPath, compile, { ...options, env: compiled }).status).toBe(0);

  const withoutRedis = spawnSync(process.execPath, [...entryPoint, ...command], { ...options, env, encoding: 'utf8' });
  const child = spawn(process.execPath, [...entryPoint, ...command], {
    ...options,
    // Node says which sources it finds compiled. https://nodejs.org/api/cli.html#node_debug_nativecategory
    env: { ...env, ...compiled, REDIS_URL: platform.scope.url, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise((done) => child.once('close', done));
  let [log, said] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const sourcesOf = (what: string) =>
    Array.from(said.matchAll(new RegExp(`${what} for StrippedTypeScript (\\S+)`, 'g')), ([, source]) => source);
  try {
    await eventually(() => log.includes('ivs-autopilot runs'));
    const port = /"url":"http:\/\/127\.0\.0\.1:(\d+)","docs"/.exec(log)?.[1];
    const [, ...healthCheck] = arrayOf(/^ {2}CMD (\["node", "-e".*\])$/m);
    const check = (healthPort: string) =>
      spawnSync(process.execPath, healthCheck, { ...options, env: { AUTOPILOT_HTTP_PORT: healthPort } }).status;
    const healthy = check(port!);
    const nobodyThere = check('9');
    child.kill('SIGTERM');

    expect([healthy, nobodyThere, await exit]).toEqual([0, 1, 0]);
    expect(sourcesOf('retrieving transpile cache').length).toBeGreaterThan(100);
    expect(sourcesOf('no transpile cache')).toEqual([]);
    expect(withoutRedis.status).toBe(1);
    expect(withoutRedis.stdout).toContain('REDIS_NOT_CONFIGURED');
    expect(withoutRedis.stdout).toContain('set REDIS_URL');
  } finally {
    child.kill('SIGKILL');
    await exit;
    await rm(folder, { recursive: true, force: true });
  }
});

test('the daemon’s image has no simulator: its command says where to get one, and every other command exists', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-image-'));
  try {
    const stage = dockerfile.split(/^FROM /m).find((text) => /^\S+ AS runtime$/m.test(text))!;
    const copied = Array.from(stage.matchAll(/^COPY ([\w./-]+) \.\/(\S*)$/gm), ([, from, to]) => [from!, to!]);
    for (const [from, to] of copied)
      await cp(join(root, from!), join(folder, to!, to === from ? '' : from!.split('/').at(-1)!), { recursive: true });
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const [, ...entryPoint] = arrayOf(/^ENTRYPOINT (\[.*\])$/m);
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [...entryPoint, ...args], {
        cwd: folder,
        env: { PATH: process.env['PATH'], AUTOPILOT_CONTAINER: '1' },
        encoding: 'utf8',
      });

    const [simulator, help] = [run('simulator'), run('simulator', '--help')];

    expect([simulator.status, simulator.stdout]).toEqual([1, '']);
    expect(simulator.stderr).toBe(
      'the simulator is not part of this image: use the image ivs-autopilot-simulator (target `simulator` of the Dockerfile), or `npx ivs-autopilot simulator`\n',
    );
    expect([help.status, help.stdout]).toEqual([0, expect.stringContaining('--scenario')]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
