// The files in deploy/ are examples that people copy: the names in them must exist. No Docker, cluster or Prometheus is needed.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseConfig } from '#config/load.ts';
import { settingsShape } from '#config/settings.ts';
import { durationMs } from '#domain/duration.ts';
import { actionUses } from '#ops/config-uses.ts';
import { daemonPolicy, setupPolicy } from '#ops/permissions.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { simulatorCommand } from '#simulator/cli.ts';
import { environmentOf } from '#test/support/compose.ts';

import { copiedByDockerfile, productionPackages } from '../scripts/sizes.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const dockerfile = read('Dockerfile');
const shutdownMs = durationMs(settingsShape.shutdown_window.parse(undefined));

/** Metrics that Prometheus itself adds. */
const notOurs = new Set(['up']);

async function metricNames(): Promise<Map<string, ReadonlySet<string>>> {
  const { registry } = createMetrics();
  const names = new Map<string, ReadonlySet<string>>();
  for (const { name } of await registry.getMetricsAsJSON()) {
    const { labelNames } = registry.getSingleMetric(name) as unknown as { labelNames: readonly string[] };
    for (const suffix of ['', '_bucket', '_sum', '_count']) names.set(name + suffix, new Set([...labelNames, 'le']));
  }
  return names;
}

/** Checks that every metric and label in a PromQL expression exists. */
async function unknownIn(expression: string): Promise<string[]> {
  const known = await metricNames();
  const found: string[] = [];
  for (const [, metric, , matchers = ''] of expression.matchAll(/\b(autopilot_[a-z_]+|up)\b(\{([^}]*)\})?/g)) {
    if (notOurs.has(metric!)) continue;
    const labels = known.get(metric!);
    if (!labels) found.push(metric!);
    for (const [label] of matchers.matchAll(/[a-z_]+(?=\s*(?:=~|!~|!=|=)")/g))
      if (!labels?.has(label)) found.push(`${metric}{${label}}`);
  }
  const everyLabel = new Set(known.values().flatMap((labels) => [...labels]));
  for (const [, list = ''] of expression.matchAll(/\bby \(([^)]*)\)/g))
    for (const label of list.split(',').map((part) => part.trim()))
      if (!everyLabel.has(label)) found.push(`by (${label})`);
  return found;
}

/** Names of the variables that a compose file fills in. */
const variablesOf = (text: string): string[] => Array.from(text.matchAll(/\$\{(\w+)/g), ([, name]) => name!);

describe('compose.yaml', () => {
  interface ComposeService {
    readonly image: string;
    readonly command?: readonly string[];
    readonly environment?: Readonly<Record<string, string | null>>;
    readonly secrets?: readonly string[];
    readonly volumes?: readonly string[];
    readonly ports?: readonly string[];
    readonly read_only?: boolean;
    readonly stop_grace_period?: string;
    readonly healthcheck?: unknown;
    readonly profiles?: readonly string[];
    readonly depends_on?: Readonly<Record<string, unknown>>;
  }
  const compose = parse(read('deploy/compose.yaml'), { merge: true }) as {
    services: Record<string, ComposeService>;
    secrets: Record<string, { file: string }>;
    volumes: Record<string, unknown>;
    'x-daemon': { build: { context: string } };
  };
  const { autopilot, redis, simulator } = compose.services as Record<
    'autopilot' | 'redis' | 'simulator',
    ComposeService
  >;

  test('builds the Dockerfile of this repository and mounts files that exist', () => {
    expect(existsSync(resolve(root, 'deploy', compose['x-daemon'].build.context, 'Dockerfile'))).toBe(true);
    for (const volume of autopilot.volumes ?? []) {
      // A default in the file itself counts as a value.
      const [from] = volume.replace(/\$\{\w+:-([^}]+)\}/g, '$1').split(':');
      // A name is a volume of the file, a path is in the repository.
      if (!from!.includes('/')) expect(Object.keys(compose.volumes)).toContain(from);
      else expect(existsSync(resolve(root, 'deploy', from!)), from).toBe(true);
    }
    for (const secret of autopilot.secrets ?? []) expect(compose.secrets).toHaveProperty(secret);
    expect(autopilot.environment?.['AUTOPILOT_API_TOKEN_FILE']).toBe('/run/secrets/api_token');
  });

  test('gives Redis an append-only file and no eviction, and everything a health check', () => {
    expect(redis.command?.join(' ')).toContain('--appendonly yes');
    expect(redis.command?.join(' ')).toContain('--maxmemory-policy noeviction');
    expect(redis.volumes?.[0]?.split(':')[0]).toBe(Object.keys(compose.volumes)[0]);
    expect(redis.healthcheck).toBeDefined();
    expect(simulator.healthcheck).toBeDefined();
    expect(dockerfile).toContain('HEALTHCHECK');
  });

  test('opens ports on loopback only, and for the daemon the port of the image', () => {
    for (const { ports = [] } of Object.values(compose.services))
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    const port = /AUTOPILOT_HTTP_PORT=(\d+)/.exec(dockerfile)?.[1];
    expect(autopilot.ports).toEqual([`127.0.0.1:${port}:${port}`]);
  });

  test('has a stop timeout longer than the daemon’s own window, and a read-only tree', () => {
    expect(durationMs(autopilot.stop_grace_period!)).toBeGreaterThan(shutdownMs);
    expect(autopilot.read_only).toBe(true);
  });

  test('names only environment variables that are read', () => {
    const sources = [
      'src/main.ts',
      'src/app.ts',
      'src/runtime/egress.ts',
      'src/api/tokens.ts',
      'config/accounts.ts',
      'Dockerfile',
    ]
      .map(read)
      .join('\n');
    for (const name of Object.keys(autopilot.environment ?? {}))
      if (!/^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|ENDPOINT_URL_[A-Z_]+)$/.test(name))
        expect(sources, name).toContain(name);
    for (const line of read('deploy/simulator.env')
      .split('\n')
      .filter((each) => /^[A-Z]/.test(each)))
      expect([...Object.keys(autopilot.environment ?? {}), ...variablesOf(read('deploy/compose.yaml'))]).toContain(
        line.split('=')[0],
      );
  });

  test('starts the simulator with options that it has, and the daemon only after Redis and the simulator are healthy', () => {
    const command = simulatorCommand({ print: () => undefined, signal: new AbortController().signal });
    const known = command.options.map(({ long }) => long);
    for (const option of simulator.command?.filter((part) => part.startsWith('--')) ?? [])
      expect(known).toContain(option.split('=')[0]);
    expect(simulator.profiles).toEqual(['simulator']);
    expect(autopilot.depends_on).toEqual({
      validate: { condition: 'service_completed_successfully' },
      redis: { condition: 'service_healthy' },
      simulator: { condition: 'service_healthy', required: false },
    });
  });

  test('points every client of the daemon at the simulator and its SQS, where they listen', () => {
    const option = (name: string) =>
      simulator.command?.find((part) => part.startsWith(`--${name}=`))?.slice(name.length + 3);
    const env = environmentOf(read('deploy/simulator.env'));
    for (const service of ['IVS', 'EVENTBRIDGE', 'SECRETS_MANAGER', 'SSM', 'STS'])
      expect(env[`AWS_ENDPOINT_URL_${service}`], service).toBe(`http://simulator:${option('port')}`);
    expect(env['AWS_ENDPOINT_URL_SQS']).toBe(`http://simulator:${option('sqs-port')}`);
    expect(env['AUTOPILOT_QUEUE_URL']).toBe(`${env['AWS_ENDPOINT_URL_SQS']}/000000000000/ivs-events`);
  });
});

describe('the Kubernetes example', () => {
  const documents = parseAllDocuments(read('deploy/kubernetes/autopilot.yaml')).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as { kind: string; spec?: Record<string, any> };
  });
  const deployment = documents.find(({ kind }) => kind === 'Deployment')!.spec!;
  const pod = deployment['template'].spec;
  const [container] = pod.containers;

  test('runs two replicas, as a user, on a read-only tree, with a window longer than the daemon’s', () => {
    expect(deployment['replicas']).toBe(2);
    expect(pod.securityContext.runAsNonRoot).toBe(true);
    expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(shutdownMs);
  });

  test('probes addresses that the daemon has, on its port', () => {
    const ops = read('src/api/ops.ts');
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
      expect(ops).toContain(`'${container[probe].httpGet.path}'`);
    expect(container.ports[0].containerPort).toBe(Number(/AUTOPILOT_HTTP_PORT=(\d+)/.exec(dockerfile)?.[1]));
    expect(container.livenessProbe.httpGet.path).toBe('/healthz');
    expect(container.readinessProbe.httpGet.path).toBe('/readyz');
  });

  test('reads its token from a file, and mounts every volume it names', () => {
    const mounts = container.volumeMounts.map(({ name }: { name: string }) => name);
    expect(pod.volumes.map(({ name }: { name: string }) => name).toSorted()).toEqual(mounts.toSorted());
    const file = container.env.find(({ name }: { name: string }) => name === 'AUTOPILOT_API_TOKEN_FILE').value;
    expect(container.volumeMounts.some(({ mountPath }: { mountPath: string }) => dirname(file) === mountPath)).toBe(
      true,
    );
  });
});

describe('the ECS example', () => {
  const task = JSON.parse(read('deploy/ecs/task-definition.json')) as {
    family: string;
    containerDefinitions: Record<string, any>[];
  };
  const service = JSON.parse(read('deploy/ecs/service.json')) as { desiredCount: number; taskDefinition: string };

  test('runs two copies of the task, read-only, with a window longer than the daemon’s', () => {
    const [container] = task.containerDefinitions;
    expect(service).toMatchObject({ desiredCount: 2, taskDefinition: task.family });
    expect(container!['stopTimeout'] * 1000).toBeGreaterThan(shutdownMs);
    expect(container!['readonlyRootFilesystem']).toBe(true);
    expect(container!['healthCheck'].command.join(' ')).toContain('/healthz');
    expect(container!['environment'].map(({ name }: { name: string }) => name)).not.toContain('AUTOPILOT_API_TOKEN');
  });
});

describe('checks during a deployment', () => {
  const compose = parse(read('deploy/compose.yaml'), { merge: true }).services as Record<string, any>;
  const pod = (file: string, kind: string) =>
    parseAllDocuments(read(file))
      .map((document) => document.toJS() as { kind: string; spec: any })
      .find((document) => document.kind === kind)!.spec.template.spec;
  const kubernetes = pod('deploy/kubernetes/autopilot.yaml', 'Deployment');
  const job = pod('deploy/kubernetes/doctor.yaml', 'Job');
  const containersOf = (file: string) => JSON.parse(read(file)).containerDefinitions as Record<string, any>[];
  const [daemon, ...before] = containersOf('deploy/ecs/task-definition.json');
  const [ecsDoctor] = containersOf('deploy/ecs/doctor-task-definition.json');

  test('the daemon starts only after `validate` has passed, with the configuration that it reads', () => {
    expect(compose['validate'].command).toEqual(['validate']);
    expect(compose['validate'].volumes).toContain(compose['autopilot'].volumes[0]);
    expect(compose['validate'].restart).toBeUndefined();
    expect(kubernetes.initContainers.map(({ args }: any) => args)).toEqual([['validate', '/config/autopilot.yaml']]);
    expect(before.map(({ command, essential }) => [command, essential])).toEqual([
      [['validate', '/app/config/autopilot.yaml'], false],
    ]);
    expect(daemon!['dependsOn']).toEqual([{ containerName: 'validate', condition: 'SUCCESS' }]);
  });

  test('`doctor` is a separate job that nothing waits for, and checks the same account as the daemon', () => {
    expect(compose['doctor']).toMatchObject({ command: ['doctor'], profiles: ['doctor'] });
    expect(compose['doctor'].environment).toMatchObject(compose['autopilot'].environment);
    for (const { depends_on: waitsFor = {} } of Object.values(compose)) expect(waitsFor).not.toHaveProperty('doctor');
    expect([...kubernetes.initContainers, ...kubernetes.containers].map(({ args }: any) => args[0])).not.toContain(
      'doctor',
    );
    expect(job.containers[0].args).toEqual(['doctor']);
    expect(job.restartPolicy).toBe('Never');
    expect(job.serviceAccountName).toBe(kubernetes.serviceAccountName);
    expect(ecsDoctor!['command']).toEqual(['doctor']);
    const values = (env: { name: string; value: string }[]) => env.map(({ name, value }) => `${name}=${value}`);
    for (const [own, daemons] of [
      [job.containers[0].env, kubernetes.containers[0].env],
      [ecsDoctor!['environment'], daemon!['environment']],
    ])
      expect(values(own)).toEqual(
        expect.arrayContaining(values(daemons).filter((each) => !each.startsWith('LOG_LEVEL'))),
      );
  });

  test('a pod of the job belongs to no Service and no Deployment', () => {
    const document = parse(read('deploy/kubernetes/doctor.yaml'));
    expect(document.spec.template.metadata.labels.app).not.toBe('ivs-autopilot');
  });
});

describe('the policies in deploy/iam', () => {
  const scope = { region: 'us-west-2', account: '111122223333' };

  test('are what `ivs-autopilot iam` prints for the example configuration', () => {
    const example = parseConfig(read('config/autopilot.example.yaml'), 'config/autopilot.example.yaml');
    if (!example.ok) throw new Error('the example configuration is not valid');
    const queueArn = 'arn:aws:sqs:us-west-2:111122223333:ivs-autopilot-events';
    expect(JSON.parse(read('deploy/iam/daemon-policy.json'))).toEqual(
      daemonPolicy(actionUses(example.config.ruleset), { ...scope, queueArn }),
    );
    expect(JSON.parse(read('deploy/iam/setup-policy.json'))).toEqual(setupPolicy(scope, 'ivs-autopilot'));
  });
});

describe('alert rules and dashboard', () => {
  const { groups } = parse(read('deploy/prometheus/alerts.yaml')) as {
    groups: {
      rules: {
        alert: string;
        expr: string;
        for: string;
        labels: { severity: string };
        annotations: Record<string, string>;
      }[];
    }[];
  };
  const alerts = groups.flatMap(({ rules }) => rules);
  const dashboard = JSON.parse(read('deploy/grafana/dashboard.json')) as {
    panels: { title: string; gridPos: { x: number; w: number }; targets?: { expr: string }[] }[];
  };

  test.each(alerts)(
    '$alert uses metrics and labels that exist, and has a section in the run book',
    async ({ expr, annotations, labels, for: wait }) => {
      expect(await unknownIn(expr)).toEqual([]);
      expect(['warning', 'critical']).toContain(labels.severity);
      expect(wait).toMatch(/^\d+[smh]$/);
      const [file, anchor] = annotations['runbook_url']!.split('#');
      const headings = Array.from(read(file!).matchAll(/^#+ (.+)$/gm), ([, text]) => anchorOf(text!));
      expect(headings).toContain(anchor);
    },
  );

  test('every section of the run book between the first minute and setting up belongs to an alert', () => {
    const sections = Array.from(read('docs/operations.md').matchAll(/^## (.+)$/gm), ([, text]) => anchorOf(text!));
    const ofAlerts = sections.slice(sections.indexOf('what-stops-what') + 1, sections.indexOf('setting-up-an-account'));
    const named = new Set(alerts.map(({ annotations }) => annotations['runbook_url']?.split('#')[1]));
    expect(ofAlerts.length).toBeGreaterThan(10);
    expect(ofAlerts.filter((section) => !named.has(section))).toEqual([]);
  });

  test('the dashboard uses metrics and labels that exist', async () => {
    const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(expressions.length).toBeGreaterThan(15);
    for (const expression of expressions) expect([expression, await unknownIn(expression)]).toEqual([expression, []]);
    for (const { gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });

  test('a metric that does not exist would be found', async () => {
    expect(await unknownIn('rate(autopilot_nonsense_total{a="b"}[5m])')).toContain('autopilot_nonsense_total');
    expect(await unknownIn('sum by (nonsense) (autopilot_alerts{sort="x"})')).toEqual([
      'autopilot_alerts{sort}',
      'by (nonsense)',
    ]);
  });
});

describe('what is delivered stays small', () => {
  test('a production install, without the Node that npm brings, and what the Dockerfile copies', () => {
    const [packages, copied] = [productionPackages() / 1e6, copiedByDockerfile() / 1e6];

    // It is not empty: an install without packages would be small, too.
    expect(packages).toBeGreaterThan(30);
    expect(copied).toBeGreaterThan(packages + 1);
    expect(packages).toBeLessThanOrEqual(60);
    expect(copied).toBeLessThanOrEqual(65);
  });

  test('the command prints its version with only its own file and package.json', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'autopilot-version-'));
    try {
      await cp(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
      await cp(join(root, 'package.json'), join(folder, 'package.json'));
      const { version } = JSON.parse(read('package.json')) as { version: string };
      for (const flag of ['--version', '-V']) {
        const { stdout } = await promisify(execFile)(process.execPath, [
          join(folder, 'bin', 'ivs-autopilot.mjs'),
          flag,
        ]);
        expect(stdout).toBe(`${version}\n`);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** Makes anchors from headings as GitHub does. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
    .trim()
    .replaceAll(/\s+/g, '-');
}
