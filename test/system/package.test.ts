// The package as npm makes it (`npm pack` builds it first) and installs it: in an empty folder, with its dependencies.
import { execFile, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSimulator } from '#simulator/server.ts';
import { ownRedis } from '#test/support/redis.ts';
import { allPages } from '../../docs-site/navigation.mjs';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
/** What the package is made from. Without the lock file the copy does not touch the checkout's node_modules. */
const sources = [
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CODE_OF_CONDUCT.md',
  'bin',
  'config',
  'docs',
  'examples',
  'scripts',
  'simulator',
  'src',
  'web',
  'workers',
];
/** npm's messages for a registry that it cannot reach, if its cache is incomplete too. */
const noRegistry = /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/;

const cue = '{"v":1,"items":[{"id":"a","t":1,"d":{"n":1}},{"id":"b","t":2,"d":"zwei"}]}';
const readTwice = `const reader = new CueReader();
const twice = [reader.read(${JSON.stringify(cue)}), reader.read(${JSON.stringify(cue)})].map((items) => items.map(({ data }) => data));`;
const eachOnce = [[{ n: 1 }, 'zwei'], []];

let folder: string;
let tarball: string;
let files: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autopilot-package-'));
  const source = join(folder, 'source');
  await mkdir(source);
  for (const name of sources) await cp(join(root, name), join(source, name), { recursive: true });
  await symlink(join(root, 'node_modules'), join(source, 'node_modules'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: source });
  // The build's output comes before the JSON.
  const [packed] = JSON.parse(stdout.slice(stdout.search(/^\[/m))) as {
    filename: string;
    files: { path: string }[];
  }[];
  tarball = join(folder, packed!.filename);
  files = packed!.files.map(({ path }) => path);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the packed file contains the build, the page and the documents, and no sources', () => {
  expect(files).toEqual(
    expect.arrayContaining([
      'dist/cli.js',
      'dist/main.js',
      'dist/player.js',
      'dist/player.d.ts',
      'src/player/README.md',
      'simulator/README.md',
      'dist/simulator.js',
      'dist/simulator/index.d.ts',
      'examples/simulator/vitest/stop.test.ts',
      'examples/simulator/python/test_stop.py',
      'examples/simulator/go/stop_test.go',
      'SECURITY.md',
      'docs/rules.md',
      'docs/recipes.md',
      'docs/network.md',
      'docs/cli.md',
      'dist/client.js',
      'dist/client/client.d.ts',
      'src/client/README.md',
      'config/autopilot.starter.yaml',
      'docs/operations.md',
      'docs/errors.md',
      'docs/decisions/0001-tool-chain.md',
      'dist/web/index.html',
      'dist/web/app.js',
      'bin/node-build.mjs',
      'bin/node-builds.json',
      // The chart is not in the package, and neither is its page.
      ...allPages((name) => readdirSync(join(root, name))).filter((path) => !path.startsWith('deploy/')),
    ]),
  );
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
  expect(sources.filter((file) => !file.startsWith('examples/'))).toEqual([]);
});

describe('installed in an empty folder', () => {
  let app: string;
  let program: string;
  let missing: string | undefined;

  beforeAll(async () => {
    app = join(folder, 'app');
    program = join(app, 'node_modules', '.bin', 'ivs-autopilot');
    await mkdir(app);
    await writeFile(join(app, 'package.json'), '{"private": true, "type": "module"}');
    const quick = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', ['install', ...quick, tarball], { cwd: app }).catch((error: { stderr: string }) => {
      if (process.env['CI'] || !noRegistry.test(error.stderr)) throw error;
      missing = 'npm reaches no registry, and its cache does not hold every package';
    });
  });

  test('a player gets each item once, with its types, in Node and in a browser', async ({ skip }) => {
    if (missing) skip(missing);
    const typed = `import { type CueItem, CueReader } from 'ivs-autopilot/player';\nexport const items: CueItem[] = new CueReader().read('x');`;
    await writeFile(
      join(app, 'player.mjs'),
      `import { CueReader } from 'ivs-autopilot/player';\n${readTwice}\nconsole.log(JSON.stringify(twice));`,
    );
    await writeFile(join(app, 'typed.ts'), typed);
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

    const inNode = await run(process.execPath, ['player.mjs'], { cwd: app });
    const types = await run(process.execPath, [tsc, '--noEmit', '--strict', '--module', 'nodenext', 'typed.ts'], {
      cwd: app,
    });
    const inBrowser = await browse(
      await readFile(join(app, 'node_modules', 'ivs-autopilot', 'dist', 'player.js'), 'utf8'),
    );

    expect(JSON.parse(inNode.stdout)).toEqual(eachOnce);
    expect(types.stdout).toBe('');
    expect(inBrowser).toEqual(eachOnce);
  });

  test('a program has the client of the API and the simulator, with their types, as the documents show them', async ({
    skip,
  }) => {
    if (missing) skip(missing);
    const page = await readFile(join(root, 'docs', 'http-api.md'), 'utf8');
    const [, program = ''] = /^```ts\n([\s\S]*?)^```/m.exec(page) ?? [];
    await writeFile(join(app, 'program.ts'), program);
    await writeFile(
      join(app, 'client.mjs'),
      `import { createClient } from 'ivs-autopilot/client';
const asked = [];
const fetch = async (request) => (asked.push(request.method + ' ' + request.url), Response.json({ streams: [] }));
await createClient({ url: 'http://x:1/below/', fetch }).GET('/v1/streams', { params: { query: { limit: 1 } } });
console.log(JSON.stringify(asked));`,
    );
    await cp(join(root, 'examples', 'simulator', 'vitest', 'stop.test.ts'), join(app, 'stop.test.ts'));
    await writeFile(
      join(app, 'simulator.mjs'),
      `import { builtInScenarios, startSimulator } from 'ivs-autopilot/simulator';
const simulator = await startSimulator({ seed: 'package' });
const [channel] = await simulator.control.createChannels(1);
console.log(JSON.stringify([simulator.seed, channel.name, builtInScenarios().includes('blip')]));
await simulator.close();`,
    );
    // The example is for Vitest, whose types are the checkout's.
    const paths = { vitest: [join(root, 'node_modules', 'vitest', 'dist', 'index.d.ts')] };
    await writeFile(
      join(app, 'example.json'),
      JSON.stringify({
        extends: './flags.json',
        compilerOptions: { skipLibCheck: true, paths },
        files: ['stop.test.ts'],
      }),
    );
    const flags = { noEmit: true, strict: true, target: 'es2024', lib: ['es2024', 'dom'], module: 'nodenext' };
    await writeFile(join(app, 'flags.json'), JSON.stringify({ compilerOptions: { ...flags, types: [] } }));
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = ['--noEmit', '--strict', '--target', 'es2024', '--module', 'nodenext', '--types', 'node'];

    const types = await run(
      process.execPath,
      [tsc, ...options, '--typeRoots', join(root, 'node_modules', '@types'), 'program.ts'],
      { cwd: app },
    ).catch((error: { stdout: string }) => error);
    const [inNode, simulator, example] = await Promise.all([
      run(process.execPath, ['client.mjs'], { cwd: app }),
      run(process.execPath, ['simulator.mjs'], { cwd: app }),
      run(process.execPath, [tsc, '--project', 'example.json'], { cwd: app }).catch(
        (error: { stdout: string }) => error,
      ),
    ]);

    expect(program).toContain('ivs-autopilot/client');
    expect(types.stdout).toBe('');
    expect(JSON.parse(inNode.stdout)).toEqual(['GET http://x:1/below/v1/streams?limit=1']);
    expect(JSON.parse(simulator.stdout)).toEqual(['package', 'channel-0001', true]);
    expect(example.stdout).toBe('');
  });

  test('the command line and the daemon run, with the page, from what npm has installed', async ({ skip }) => {
    if (missing) skip(missing);
    await using simulator = await startSimulator();
    await using redis = await ownRedis();
    const example = join(app, 'node_modules', 'ivs-autopilot', 'config', 'autopilot.example.yaml');

    const failed = (error: unknown) => error as { code: number; stdout: string; stderr: string };
    const [help, tests, wrong] = await Promise.all([
      run(program, ['--help'], { cwd: app }),
      run(program, ['test', example], { cwd: app }),
      run(program, ['validate', 'none.yaml'], { cwd: app }).catch(failed),
    ]);
    await using daemon = await started([program, 'run'], {
      cwd: app,
      env: {
        PATH: process.env['PATH'],
        AWS_REGION: 'us-west-2',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_ENDPOINT_URL_IVS: simulator.url,
        AUTOPILOT_CONFIG: example,
        AUTOPILOT_HTTP_PORT: '0',
        REDIS_URL: redis.url,
        // Nobody listens there, and nobody is called: its packages are not installed.
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
      },
    });
    const page = await fetch(daemon.url);
    const status = await run(program, ['status'], {
      cwd: app,
      env: { ...process.env, AUTOPILOT_URL: daemon.url },
    }).catch(failed);

    expect(help.stdout).toContain('Usage: ivs-autopilot');
    expect(tests.stdout).toMatch(/\d+ passed/);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('none.yaml') });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(status.stdout).toContain('Automation is on');
    expect(daemon.log.filter((line) => line.includes('"PACKAGE_MISSING"'))).toEqual([
      expect.stringContaining('npm install @opentelemetry/'),
    ]);
  });
});

/** Loads the helper as a web page would, and returns what it read. */
async function browse(helper: string): Promise<unknown> {
  const executablePath = process.env['CHROME_PATH'];
  if (!executablePath) throw new Error('no Chromium: run the tests with `npm test`, or set CHROME_PATH');
  const server = createServer((request, response) => {
    const isHelper = request.url === '/player.js';
    response.setHeader('content-type', isHelper ? 'text/javascript' : 'text/html');
    response.end(
      isHelper
        ? helper
        : `<!doctype html><script type="module">import { CueReader } from '/player.js';\n${readTwice}\nwindow.twice = twice;</script>`,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return await (await page.waitForFunction('window.twice')).jsonValue();
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}

/** Starts a Node program and waits for the address of its API. It is ended by force: how it stops is tested elsewhere. */
async function started(args: readonly string[], options: SpawnOptions) {
  const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const log: string[] = [];
  const listening = Promise.withResolvers<string>();
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on('line', (line) => {
      log.push(line);
      const url = /"url":"(http:[^"]+)"/.exec(line)?.[1];
      if (url && line.includes('the API listens')) listening.resolve(url);
    });
  const gone = once(child, 'exit');
  void gone.then(() => listening.reject(new Error(`it ended:\n${log.join('\n')}`)));
  return {
    url: await listening.promise,
    log,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
