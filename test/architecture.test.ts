// Enforces the import table: who may import whom, and who alone may import a package. docs/architecture.md prints the same table.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { longFiles } from '#test/support/longest-first.ts';

const root = join(import.meta.dirname, '..');

/**
 * Part → the parts it may import (always itself). Parts that are not listed may import everything: app, cli, test, bench, demo, scripts.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'src/domain': [],
  'src/runtime': ['src/domain'],
  'src/rules': ['src/domain', 'src/journal'],
  'src/journal': ['src/domain'],
  'src/streams': ['src/domain'],
  config: ['src/domain', 'src/rules'],
  'src/intake': ['src/domain', 'src/runtime', 'src/streams'],
  'src/jobs': ['src/domain', 'src/runtime'],
  'src/ivs': ['src/domain', 'src/runtime'],
  'src/store': ['src/domain', 'src/runtime'],
  'src/metadata': ['src/domain', 'src/runtime'],
  'src/secrets': ['src/domain', 'src/runtime'],
  'src/outbound': ['src/domain', 'src/runtime'],
  'src/notify': ['src/domain'],
  workers: [
    'src/domain',
    'src/runtime',
    'src/jobs',
    'src/secrets',
    'src/outbound',
    'src/notify',
    'src/journal',
    'src/report',
  ],
  'src/report': ['src/domain', 'src/journal', 'src/streams'],
  'src/ops': ['src/domain', 'src/runtime', 'src/ivs', 'config'],
  'src/client': [],
  'src/player': [],
  'src/pipeline.ts': ['src/domain'],
  'src/config-in-force.ts': ['src/domain', 'src/runtime', 'config', 'src/api'],
  'src/shard': [
    'src/domain',
    'src/runtime',
    'src/intake',
    'src/streams',
    'src/rules',
    'src/journal',
    'src/jobs',
    'src/ivs',
    'src/metadata',
    'src/secrets',
    'src/outbound',
    'src/store',
    'workers',
    'config',
    'src/pipeline.ts',
  ],
  'src/api': [
    'src/domain',
    'src/runtime',
    'src/intake',
    'src/streams',
    'src/rules',
    'src/journal',
    'src/jobs',
    'src/ivs',
    'src/store',
    'src/report',
    'workers',
    'config',
    'src/shard',
  ],
  /** Types, and pure functions of a few lines; the bundle contains nothing else of the daemon. */
  web: ['src/api', 'src/domain'],
  simulator: [],
};

/** Loaded if an endpoint is set. */
const telemetry = ['src/runtime/opentelemetry.ts', 'src/runtime/metrics-bridge.ts'];

/** Package → the only places that may import it. Tests and benches may import anything. */
const soleImporters: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-ivs': ['src/ivs'],
  '@aws-sdk/credential-providers': ['src/runtime'],
  '@smithy/core': ['src/runtime/aws-middleware.ts'],
  '@smithy/node-http-handler': ['src/runtime'],
  '@aws-sdk/client-sns': ['src/outbound/sns.ts'],
  '@opentelemetry/api': telemetry,
  '@opentelemetry/exporter-metrics-otlp-proto': telemetry,
  '@opentelemetry/exporter-trace-otlp-proto': telemetry,
  '@opentelemetry/resources': telemetry,
  '@opentelemetry/sdk-metrics': telemetry,
  '@opentelemetry/sdk-trace': telemetry,
  bottleneck: ['src/ivs/limiter.ts'],
  bullmq: ['src/jobs', 'workers'],
  fastify: ['src/api'],
  'https-proxy-agent': ['src/runtime/tunnel.ts'],
  ioredis: ['src/runtime'],
  pino: ['src/runtime'],
  preact: ['web'],
  uplot: ['web/parts/plot.tsx'],
  'openapi-fetch': ['src/client'],
  nodemailer: ['src/outbound/mail.ts'],
  'prom-client': ['src/runtime'],
  vitest: [],
};

interface Import {
  readonly file: string;
  readonly specifier: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => posix.join(...relative(root, join(entry.parentPath, entry.name)).split(/[\\/]/)));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^;'"`]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s*['"]([^'"]+)['"]/g;
  return Array.from(text.matchAll(pattern), (match) => ({ file, specifier: match[1] ?? match[2] ?? match[3] ?? '' }));
}

const importsMap = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { imports: Record<string, string> })
  .imports;

/** The repository's file that a specifier names, or undefined for a package. */
function targetOf({ file, specifier }: Import): string | undefined {
  if (specifier.startsWith('.')) return posix.normalize(posix.join(posix.dirname(file), specifier));
  if (!specifier.startsWith('#')) return undefined;
  const [key, folder] = Object.entries(importsMap).find(([name]) => specifier.startsWith(name.slice(0, -1))) ?? [];
  expect(folder, `${file}: ${specifier} is in the "imports" map of package.json`).toBeDefined();
  return posix.normalize(folder!.replace('*', specifier.slice(key!.length - 1)));
}

/** The part of the table that a file belongs to. */
function partOf(file: string): string {
  const parts = Object.keys(mayImport).filter((part) => file === part || file.startsWith(`${part}/`));
  return parts.toSorted((a, b) => b.length - a.length)[0] ?? file;
}

const files = ['src', 'workers', 'config', 'simulator', 'web']
  .flatMap(sourceFiles)
  .filter((file) => !file.endsWith('.test.ts'));
const imports = files.flatMap(importsOf);

describe('the import table', () => {
  test('sees imports', () => {
    expect(imports.length).toBeGreaterThan(200);
  });

  test.each(Object.entries(mayImport))('%s imports only from itself and %j', (part, allowed) => {
    const crossings = imports
      .filter(({ file }) => partOf(file) === part)
      .map((found) => ({ ...found, target: targetOf(found) }))
      .filter(({ target }) => target !== undefined && partOf(target) !== part && !allowed.includes(partOf(target)));

    expect(crossings.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([]);
  });

  test('the table permits only what is used', () => {
    const used = new Set(imports.map((found) => `${partOf(found.file)} → ${partOf(targetOf(found) ?? '')}`));
    const idle = Object.entries(mayImport).flatMap(([part, allowed]) =>
      allowed.map((other) => `${part} → ${other}`).filter((arrow) => !used.has(arrow)),
    );

    expect(idle).toEqual([]);
  });

  test.each(Object.entries(soleImporters))('package %s is imported only by %j', (name, owners) => {
    const strangers = imports.filter(
      ({ file, specifier }) =>
        (specifier === name || specifier.startsWith(`${name}/`)) &&
        !file.startsWith('simulator/') &&
        !owners.some((owner) => file === owner || file.startsWith(`${owner}/`)),
    );

    expect(strangers.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([]);
  });

  test('no file imports itself through others, not even for types', () => {
    const graph = new Map(files.map((file) => [file, new Set<string>()]));
    for (const found of imports) {
      const target = targetOf(found);
      if (target !== undefined && graph.has(target)) graph.get(found.file)!.add(target);
    }

    expect(circlesIn(graph)).toEqual([]);
    expect(circlesIn(new Map(Object.entries({ a: ['b'], b: ['c'], c: ['a', 'd'], d: [] })))).toEqual([['a', 'b', 'c']]);
  });

  test('no part of the table may import itself through others', () => {
    expect(circlesIn(new Map(Object.entries(mayImport)))).toEqual([]);
  });

  test('the root of src contains only the main files', () => {
    const atRoot = files.filter((file) => /^src\/[^/]+$/.test(file));

    expect(atRoot.toSorted()).toEqual([
      'src/app.ts',
      'src/config-in-force.ts',
      'src/config-watch.ts',
      'src/main.ts',
      'src/pipeline.ts',
    ]);
  });

  test('the imports map is in order and names folders that exist', () => {
    const names = Object.keys(importsMap);

    expect(names).toEqual(names.toSorted());
    expect(Object.values(importsMap).filter((path) => !existsSync(join(root, path.replace('/*', ''))))).toEqual([]);
  });

  test('an import from another part is written with #, one within a part with ./', () => {
    const hidden = imports.filter((found) => {
      const target = found.specifier.startsWith('.') ? targetOf(found) : undefined;
      return target !== undefined && topOf(target) !== topOf(found.file);
    });

    expect(hidden.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([]);
  });

  test('what talks to other machines has a deadline: every client and every request is created in one place', () => {
    const makers: readonly (readonly [RegExp, readonly string[]])[] = [
      // For AWS: createAwsClient limits every call.
      [/\bnew (?:\w+\.)?(?:\w+Client|IVS|SQS|STS|SSM|SecretsManager|EventBridge|SNS)\(/, []],
      [
        /(?:extends|new) NodeHttpHandler\b|@aws-sdk\/credential-provider|fromNodeProviderChain|fromTemporaryCredentials/,
        ['src/runtime/aws-client.ts'],
      ],
      [/\bfrom 'undici'|\bfetch\(/, ['src/cli/support.ts', 'src/client/client.ts', 'src/ops/doctor/daemon.ts']],
      [
        /\bfrom 'node:https?'/,
        ['src/outbound/http-sender.ts', 'src/runtime/tunnel.ts', 'src/runtime/opentelemetry.ts', 'src/api/'],
      ],
      [
        /import [^;]*\b(?:connect|createConnection|Socket)\b[^;]*from 'node:(?:net|tls)'|from 'node:dgram'/,
        ['src/runtime/embedded-redis.ts', 'src/runtime/redis-connector.ts', 'src/runtime/tunnel.ts'],
      ],
      [/\bnew Redis\(/, ['src/runtime/redis.ts', 'src/runtime/embedded-redis.ts']],
    ];
    // The page runs in a browser; the simulator is not part of the daemon.
    const ours = files.filter((file) => !/^(?:simulator|web)\//.test(file));
    const strangers = makers.flatMap(([pattern, places]) =>
      ours
        .filter((file) => !places.some((place) => file.startsWith(place)))
        .filter((file) => pattern.test(readFileSync(join(root, file), 'utf8')))
        .map((file) => `${file}: ${pattern.source}`),
    );

    expect(strangers).toEqual([]);
  });

  test('keys of the shared state are spelled only in the registry', () => {
    const makers = files.filter((file) =>
      /import \{[^}]*(?<!type )\b(?:key|kind|pairKind|log)\b[^}]*\} from '[^']*\/state-key\.ts'|\bas Key<|\bas Log</.test(
        readFileSync(join(root, file), 'utf8'),
      ),
    );

    expect(makers.toSorted()).toEqual([
      'src/domain/state-key.ts',
      'src/domain/state-registry.ts',
      // What is read from Redis is checked by src/shard/stored-records.ts.
      'src/store/local-copy.ts',
    ]);
  });

  test('comments name only files that exist', () => {
    const known = ['src', 'workers', 'config', 'simulator', 'web', 'test', 'scripts', 'bench', 'demo'].flatMap(
      sourceFiles,
    );
    const exists = (name: string) => known.some((file) => file === name || file.endsWith(`/${name}`));
    const missing = files.flatMap((file) =>
      Array.from(
        readFileSync(join(root, file), 'utf8').matchAll(/(?:^|\s)\/\/.*|^\s*\/?\*.*/gm),
        ([comment]) => comment,
      )
        .flatMap(
          (comment) => comment.replace(/https?:\S+/g, '').match(/(?<![\w./<*{-])(?:[\w.-]+\/)*[\w.-]+\.tsx?\b/g) ?? [],
        )
        .filter((name) => !exists(name))
        .map((name) => `${file} names ${name}`),
    );

    expect(missing).toEqual([]);
    expect(exists('http-server/nothing.ts')).toBe(false);
  });

  test('only the process edge touches the process', () => {
    // Like the SDK, egress reads what is said about the process's own network.
    const egress = 'src/runtime/egress.ts';
    const edges = [egress, 'src/main.ts', 'src/runtime/uncaught.ts', 'src/cli/', 'simulator/main.ts', 'simulator/cli'];
    const strangers = files.filter(
      (file) =>
        /\bprocess\.(env|exit|on|once|stdout|stdin|argv)\b/.test(readFileSync(join(root, file), 'utf8')) &&
        !edges.some((edge) => file.startsWith(edge)),
    );

    expect(strangers).toEqual([]);
  });
});

/** Groups of nodes in which each can be reached from all others. */
function circlesIn(graph: ReadonlyMap<string, Iterable<string>>): string[][] {
  const reached = (from: string) => {
    const seen = new Set<string>();
    const open = [from];
    for (let node = open.pop(); node !== undefined; node = open.pop())
      for (const next of graph.get(node) ?? []) if (!seen.has(next)) open.push((seen.add(next), next));
    return seen;
  };
  const reach = new Map(Array.from(graph.keys(), (node) => [node, reached(node)]));
  const circles = new Map<string, string[]>();
  for (const [node, others] of reach) {
    if (!others.has(node)) continue;
    const circle = Array.from(others)
      .filter((other) => reach.get(other)?.has(node))
      .toSorted();
    circles.set(circle.join(' '), circle);
  }
  return Array.from(circles.values());
}

function topOf(file: string): string {
  const [first, second] = file.split('/');
  return first === 'src' && second?.endsWith('.ts') === false ? `${first}/${second}` : (first ?? '');
}

test('docs/architecture.md prints the same table', () => {
  const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  const rows = Array.from(text.matchAll(/^\| `([^`]+)` \| (nothing|(?:`[^`]+`(?:, )?)+) \|$/gm), ([, part, list]) => [
    part,
    Array.from(list!.matchAll(/`([^`]+)`/g), ([, name]) => name),
  ]);

  expect(Object.fromEntries(rows)).toEqual(mayImport);
});

test('the files listed as long-running exist', () => {
  expect(Object.keys(longFiles).filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test('docs/architecture.md and the decisions name files and folders that exist', () => {
  const decisions = readdirSync(join(root, 'docs/decisions')).map((name) => `docs/decisions/${name}`);
  const missing = ['docs/architecture.md', 'CONTRIBUTING.md', ...decisions].flatMap((document) =>
    (
      readFileSync(join(root, document), 'utf8').match(
        /(?<![\w./-])(?:src|workers|config|web|simulator|scripts|test)\/[\w./-]*\w/g,
      ) ?? []
    )
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `${document} names ${path}`),
  );

  expect(missing).toEqual([]);
});
