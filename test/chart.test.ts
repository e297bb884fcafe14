// The Helm chart. If Helm is installed, the chart is rendered and the result is checked. Otherwise that part is skipped by name, and the
// values, the schema and the names in the templates are still checked.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseConfig } from '#config/load.ts';
import { settingsShape } from '#config/settings.ts';
import { durationMs } from '#domain/duration.ts';

const root = join(import.meta.dirname, '..');
const chart = join(root, 'deploy', 'helm', 'ivs-autopilot');
const read = (path: string) => readFileSync(join(chart, path), 'utf8');
const templates = readdirSync(join(chart, 'templates'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
const schema = JSON.parse(read('values.schema.json')) as Schema;
const defaults = parse(read('values.yaml')) as Record<string, unknown>;
const example = parse(read('ci/values.yaml')) as Record<string, any>;
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly items?: Schema;
  readonly $ref?: string;
}
const resolved = (one: Schema): Schema => (one.$ref ? schema.definitions![one.$ref.split('/').at(-1)!]! : one);

/** Values merged as in Helm: maps are merged, everything else is replaced. */
function over(below: any, above: any): any {
  if (typeof below !== 'object' || typeof above !== 'object' || Array.isArray(above) || !below || !above) return above;
  const merged = { ...below };
  for (const [key, value] of Object.entries(above)) merged[key] = key in below ? over(below[key], value) : value;
  return merged;
}
const wrong = (values: object) => {
  validate(over(defaults, values));
  return (validate.errors ?? []).map(({ instancePath, keyword }) => `${instancePath} ${keyword}`);
};

describe('values', () => {
  test('the schema accepts the defaults and the example', () => {
    expect(wrong({})).toEqual([]);
    expect(wrong(example)).toEqual([]);
  });

  test.each([
    [{ replica: 3 }, ' additionalProperties'],
    [{ replicas: 0 }, '/replicas minimum'],
    [{ image: { repository: 'registry.example.com/ivs-autopilot:1.0.0' } }, '/image/repository pattern'],
    [{ image: { digest: 'sha256:abc' } }, '/image/digest pattern'],
    [{ redis: { url: 'redis://redis:6379' } }, '/redis additionalProperties'],
    [{ extraEnv: [{ name: 'REDIS_URL', value: 'redis://x' }] }, '/extraEnv/0/name not'],
    [{ extraEnv: [{ name: 'AUTOPILOT_API_TOKEN', value: 'x' }] }, '/extraEnv/0/name not'],
    [{ logLevel: 'verbose' }, '/logLevel enum'],
    [{ groups: [{ replicas: 2 }] }, '/groups/0 required'],
    [{ accounts: 'Main' }, '/accounts pattern'],
    [{ groups: [{ name: 'west', accounts: 'us-*,' }] }, '/groups/0/accounts pattern'],
    [{ groups: [{ name: 'Main' }] }, '/groups/0/name pattern'],
    // The pods of `helm test` have this component: such a group's Service would select them.
    [{ groups: [{ name: 'doctor' }] }, '/groups/0/name not'],
    [{ secretMounts: ['autopilot'] }, '/secretMounts/0 not'],
    [{ secretMounts: ['redis-tls'] }, '/secretMounts/0 not'],
    [{ redis: { tls: { existingSecret: 'x', caFile: 'ca.crt' } } }, '/redis/tls additionalProperties'],
    [{ redis: { tls: { caKey: '../ca.crt' } } }, '/redis/tls/caKey pattern'],
    [{ groups: [{ name: 'west', redis: { tls: { serverName: 'a b' } } }] }, '/groups/0/redis/tls/serverName pattern'],
  ])('%j is refused', (values, problem) => {
    expect(wrong(values)).toContain(problem);
  });

  test('the schema and values.yaml name the same values', () => {
    const named = (one: Schema, value: unknown, path: string): string[] => {
      const { properties } = resolved(one);
      if (!properties) return [];
      const [inSchema, inValues] = [Object.keys(properties), Object.keys(value ?? {})];
      return [
        ...inSchema
          .filter((key) => !inValues.includes(key) && key !== 'global')
          .map((key) => `${path}${key} has no default`),
        ...inSchema.flatMap((key) =>
          inValues.includes(key)
            ? named(properties[key]!, (value as Record<string, unknown>)[key], `${path}${key}.`)
            : [],
        ),
      ];
    };

    expect(named(schema, defaults, '')).toEqual([]);
  });

  test('the rules file of the example is valid', () => {
    expect(parseConfig(example['config'] as string, 'ci/values.yaml')).toMatchObject({ ok: true });
  });
});

describe('templates', () => {
  const all = templates.join('\n');

  test('read values that the schema has, and helpers that are defined', () => {
    const paths = Array.from(
      all.matchAll(/(?:\.Values|\$daemon|\$values|\$root\.Values)\.([\w.]+)/g),
      ([, path]) => path!,
    );
    const own = new Set(['fullname', 'groupName']);
    const unknown = paths.filter((path) => {
      let one: Schema | undefined = schema;
      for (const key of path.split('.')) {
        if (own.has(key)) return false;
        one = one && resolved(one).properties?.[key];
        if (one && !resolved(one).properties) return false;
      }
      return one === undefined;
    });
    expect(paths.length).toBeGreaterThan(40);
    expect(unknown).toEqual([]);

    const defined = new Set(Array.from(all.matchAll(/define "([^"]+)"/g), ([, name]) => name));
    const included = Array.from(all.matchAll(/include "([^"]+)"/g), ([, name]) => name!);
    expect(included.filter((name) => !defined.has(name))).toEqual([]);
    expect([...defined].filter((name) => !included.includes(name!))).toEqual([]);
  });

  test('close what they open', () => {
    for (const text of templates) {
      const actions = Array.from(text.matchAll(/\{\{-?\s*(?:\/\*[\s\S]*?\*\/|(\w+))/g), ([, word]) => word);
      const opened = actions.filter((word) => ['if', 'range', 'with', 'define'].includes(word ?? '')).length;
      expect(opened).toBe(actions.filter((word) => word === 'end').length);
    }
  });

  test('name variables, commands, probes and a port that exist in the program', () => {
    const sources = [
      'src/main.ts',
      'src/app.ts',
      'src/runtime/egress.ts',
      'src/api/tokens.ts',
      'config/accounts.ts',
      'docs/network.md',
      'src/runtime/redis-environment.ts',
    ]
      .concat(readdirSync(join(root, 'src', 'cli')).map((name) => `src/cli/${name}`))
      .filter((path) => /\.(ts|md)$/.test(path))
      .map((path) => readFileSync(join(root, path), 'utf8'))
      .join('\n');
    const variables = Array.from(all.matchAll(/name: ([A-Z_]{4,})/g), ([, name]) => name!);
    expect(new Set(variables).size).toBeGreaterThan(6);
    expect(variables.filter((name) => !sources.includes(name))).toEqual([]);
    const ops = readFileSync(join(root, 'src/api/ops.ts'), 'utf8');
    for (const [, path] of all.matchAll(/path: (\/\w+)[,}]/g)) expect(ops).toContain(`'${path}'`);
    expect(all).toContain(
      `containerPort: ${/AUTOPILOT_HTTP_PORT=(\d+)/.exec(readFileSync(join(root, 'Dockerfile'), 'utf8'))?.[1]}`,
    );
    const [, seconds] = /terminationGracePeriodSeconds: (\d+)/.exec(all)!;
    expect(Number(seconds) * 1000).toBeGreaterThan(durationMs(settingsShape.shutdown_window.parse(undefined)));
  });

  test('contain no secret: Redis and the token are references', () => {
    expect(all).not.toMatch(/kind: Secret\b/);
    expect(all).toMatch(/secretKeyRef: \{name: \{\{ \.redis\.existingSecret \}\}/);
  });

  test('mount the Secret of redis.tls where its variables say, in the daemon and in `doctor`', () => {
    const files = Array.from(
      all.matchAll(/name: (REDIS_TLS_\w+_FILE), value: (\/run\/secrets\/redis-tls)\//g),
      ([, name]) => name,
    );
    expect(files).toEqual(['REDIS_TLS_CA_FILE', 'REDIS_TLS_CERT_FILE', 'REDIS_TLS_KEY_FILE']);
    expect(all).toContain('- {name: redis-tls, mountPath: /run/secrets/redis-tls, readOnly: true}');
    expect(all).toMatch(/- name: redis-tls\n\s+secret: \{secretName: \{\{ \.redis\.tls\.existingSecret \}\}/);
    for (const part of ['env', 'mounts', 'volumes'])
      expect(
        Array.from(all.matchAll(new RegExp(`include "ivs-autopilot\\.${part}" \\$daemon`, 'g'))).length,
      ).toBeGreaterThan(1);
  });

  test('give every pod and container the rights of deploy/kubernetes, and no service-account token', () => {
    const count = (pattern: RegExp) => Array.from(all.matchAll(pattern)).length;
    const [pods, containers] = [count(/^\s*serviceAccountName: /gm), count(/^\s*image: /gm)];
    expect([pods, containers]).toEqual([2, 3]);
    expect(count(/^\s*serviceAccountName: .*\n\s*automountServiceAccountToken: false$/gm)).toBe(pods);
    expect(all).toMatch(/^kind: ServiceAccount\n[\s\S]*^automountServiceAccountToken: false$/m);
    expect(count(/^\s*securityContext: \{\{- include "ivs-autopilot\.podSecurity"/gm)).toBe(pods);
    expect(count(/^\s*securityContext: \{\{- include "ivs-autopilot\.containerSecurity"/gm)).toBe(containers);

    const defined = (name: string): unknown =>
      parse(new RegExp(`define "ivs-autopilot\\.${name}" -\\}\\}\\n([\\s\\S]*?)\\{\\{- end`).exec(all)![1]!);
    const manifest = parseAllDocuments(readFileSync(join(root, 'deploy/kubernetes/autopilot.yaml'), 'utf8'));
    const { spec } = manifest.map((one) => one.toJS()).find(({ kind }) => kind === 'Deployment').spec.template;
    expect(defined('podSecurity')).toEqual(spec.securityContext);
    expect(defined('containerSecurity')).toEqual(spec.containers[0].securityContext);
  });

  test('open port 80 only to EKS Pod Identity: the machine’s metadata service would hand out its role', () => {
    const policy = all.slice(all.indexOf('kind: NetworkPolicy'));
    expect(Array.from(policy.matchAll(/(.*)\n.*\{port: 80[,}]/g), ([, to]) => to!.trim())).toEqual([
      '- to: [{ipBlock: {cidr: 169.254.170.23/32}}]',
    ]);
  });
});

const helm = spawnSync('helm', ['version', '--short']).status === 0;

describe.skipIf(!helm)('rendered by Helm', () => {
  const render = (...flags: string[]) =>
    execFileSync('helm', ['template', 'live', chart, '--values', join(chart, 'ci', 'values.yaml'), ...flags], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  test('pass lint without findings', () => {
    execFileSync('helm', ['lint', '--strict', chart, '--values', join(chart, 'ci', 'values.yaml')], { stdio: 'pipe' });
  });

  test('each group has its replicas, Service, budget and policy, with valid references', () => {
    const documents = parseAllDocuments(render())
      .map((document) => document.toJS())
      .filter(Boolean);
    const of = (kind: string) => documents.filter((document) => document.kind === kind);

    expect(of('Deployment').map(({ metadata, spec }) => [metadata.name, spec.replicas])).toEqual([
      ['live-ivs-autopilot-west', 2],
      ['live-ivs-autopilot-europe', 3],
    ]);
    for (const kind of ['Service', 'PodDisruptionBudget', 'NetworkPolicy', 'ConfigMap'])
      expect(of(kind)).toHaveLength(2);
    expect([of('ServiceMonitor').length, of('ServiceAccount').length, of('Secret').length]).toEqual([1, 1, 0]);
    for (const { spec } of of('Deployment')) {
      const pod = spec.template.spec;
      const volumes = pod.volumes.map(({ name }: { name: string }) => name);
      for (const container of [...pod.initContainers, ...pod.containers]) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        for (const { name } of container.volumeMounts) expect(volumes).toContain(name);
      }
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    }
  });

  test('Redis with a private authority and a client certificate', () => {
    const europe = parseAllDocuments(render())
      .map((document) => document.toJS())
      .find((one) => one?.kind === 'Deployment' && one.metadata.name.endsWith('europe')).spec.template.spec;
    const env = Object.fromEntries(europe.containers[0].env.map(({ name, value }: any) => [name, value]));

    expect(env).toMatchObject({
      REDIS_TLS_CA_FILE: '/run/secrets/redis-tls/ca.crt',
      REDIS_TLS_CERT_FILE: '/run/secrets/redis-tls/tls.crt',
      REDIS_TLS_KEY_FILE: '/run/secrets/redis-tls/tls.key',
    });
    expect(europe.volumes.find(({ name }: any) => name === 'redis-tls').secret.secretName).toBe(
      'ivs-autopilot-redis-tls',
    );
  });

  test('groups with one Redis say which accounts they carry', () => {
    const flags = [
      '--set=groups[1].redis.existingSecret=ivs-autopilot',
      '--set=groups[0].accounts=us-*',
      '--set=groups[1].accounts=eu-*',
    ];
    const deployments = parseAllDocuments(render(...flags))
      .map((document) => document.toJS())
      .filter((document) => document?.kind === 'Deployment');
    const accountsOf = ({ env = [] }: { env?: { name: string; value: string }[] }) =>
      env.find(({ name }) => name === 'AUTOPILOT_ACCOUNTS')?.value;
    expect(
      deployments.map(({ spec: { template } }) => [
        ...template.spec.initContainers.map(accountsOf),
        ...template.spec.containers.map(accountsOf),
      ]),
    ).toEqual([
      ['us-*', 'us-*'],
      ['eu-*', 'eu-*'],
    ]);
    expect(() => render(...flags.slice(0, 2))).toThrow('the same Redis');
  });

  test.each([
    ['certKey and keyKey go together', '--set=groups[1].redis.tls.keyKey='],
    ['image.repository', '--set=image.repository='],
    ['redis.existingSecret', '--set=redis.existingSecret='],
    ['the same Redis', '--set=groups[1].redis.existingSecret=ivs-autopilot'],
    ['give the rules file', '--set=config='],
  ])('reports a missing value: %s', (message, flag) => {
    expect(() => render(flag)).toThrow(message);
  });
});

test('the files that Helm reads exist', () => {
  for (const file of [
    'Chart.yaml',
    'values.yaml',
    'values.schema.json',
    'templates/NOTES.txt',
    'README.md',
    '.helmignore',
  ])
    expect(existsSync(join(chart, file))).toBe(true);
});
