// Manifests for Kubernetes, ECS and systemd, as far as this machine can try them: kustomize where kubectl is installed, systemd-analyze
// where systemd is. What needs neither is checked everywhere: names that lead somewhere, secrets by reference, limits.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments, type ScalarTag } from 'yaml';
import { parseConfig } from '#config/load.ts';
import { settingsShape } from '#config/settings.ts';
import { durationMs } from '#domain/duration.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const shutdownMs = durationMs(settingsShape.shutdown_window.parse(undefined));
const documentsOf = (text: string): any[] => parseAllDocuments(text).map((document) => document.toJS());
const has = (program: string, ...args: string[]) => spawnSync(program, args).status === 0;

describe('Kubernetes', () => {
  const base = documentsOf(read('deploy/kubernetes/autopilot.yaml'));
  const doctor = documentsOf(read('deploy/kubernetes/doctor.yaml'));
  const pods = [...base, ...doctor].flatMap(({ spec }) => spec?.template?.spec ?? []);

  test('no pod has a token of the cluster, and Redis comes from a Secret', () => {
    expect(pods).toHaveLength(2);
    for (const pod of pods) {
      expect(pod.automountServiceAccountToken).toBe(false);
      const [{ env }] = pod.containers;
      expect(env.find(({ name }: { name: string }) => name === 'REDIS_URL')).toEqual({
        name: 'REDIS_URL',
        valueFrom: { secretKeyRef: { name: 'ivs-autopilot', key: 'redis_url' } },
      });
    }
    expect(base.find(({ kind }) => kind === 'ServiceAccount').automountServiceAccountToken).toBe(false);
  });

  test('a NetworkPolicy lets in only the port of the API, and out only what the daemon calls', () => {
    const { spec } = base.find(({ kind }) => kind === 'NetworkPolicy');
    const deployment = base.find(({ kind }) => kind === 'Deployment').spec.template;

    expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(deployment.metadata.labels).toMatchObject(spec.podSelector.matchLabels);
    expect(spec.ingress.flatMap(({ ports }: any) => ports)).toEqual([{ port: 'http' }]);
    expect(deployment.spec.containers[0].ports.map(({ name }: any) => name)).toContain('http');
    const out = spec.egress.flatMap(({ ports }: any) => ports.map(({ port }: any) => port));
    expect(out.toSorted((a: number, b: number) => a - b)).toEqual([53, 53, 80, 443, 6379]);
    // The machine's own metadata service, on the same port, would hand out the machine's role.
    const identity = spec.egress.filter(({ ports }: any) => ports.some(({ port }: any) => port === 80));
    expect(identity).toEqual([{ to: [{ ipBlock: { cidr: '169.254.170.23/32' } }], ports: [{ port: 80 }] }]);
  });

  test('the rules of the example to copy are valid', () => {
    expect(parseConfig(read('deploy/kustomize/autopilot.yaml'), 'autopilot.yaml')).toMatchObject({ ok: true });
  });

  test.skipIf(!has('kubectl', 'version', '--client'))('kubectl renders the base, and the example over it', () => {
    const render = (folder: string) => {
      const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', join(root, folder)], { encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
      return documentsOf(stdout);
    };
    const kinds = (documents: any[]): string[] => documents.map(({ kind }) => String(kind)).toSorted();

    expect(kinds(render('deploy/kubernetes'))).toEqual(kinds(base));
    const example = render('deploy/kustomize');
    expect(kinds(example)).toEqual([...kinds(base), 'ConfigMap'].toSorted());
    const { spec } = example.find(({ kind }) => kind === 'Deployment').spec.template;
    const map = example.find(({ kind }) => kind === 'ConfigMap').metadata.name;
    expect(spec.volumes.find(({ name }: any) => name === 'config').configMap.name).toBe(map);
    expect(spec.containers[0].env.map(({ name }: any) => name)).toContain('REDIS_URL');
    expect(new Set(example.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['live']));
  });
});

describe('CloudFormation', () => {
  const text = read('deploy/ecs/cloudformation.yaml');
  const named: string[] = [];
  /** The short forms of functions; each records the names that it asks for. */
  const tags: ScalarTag[] = [
    { tag: '!Ref', resolve: (name) => (named.push(name), { Ref: name }) },
    { tag: '!GetAtt', resolve: (name) => (named.push(name.split('.')[0]!), { GetAtt: name }) },
    {
      tag: '!Sub',
      resolve: (template) => {
        named.push(...Array.from(template.matchAll(/\$\{([\w:]+)\}/g), ([, name]) => name!));
        return { Sub: template };
      },
    },
  ];
  const template = parse(text, { customTags: tags, schema: 'core' }) as {
    Parameters: Record<string, { Type: string; Default?: unknown }>;
    Resources: Record<string, { Type: string; Properties: any }>;
  };
  const { Parameters: parameters, Resources: resources } = template;
  const [validate, daemon] = resources['TaskDefinition']!.Properties.ContainerDefinitions;

  test('names parameters and resources that it has, and uses every parameter', () => {
    const known = new Set([...Object.keys(parameters), ...Object.keys(resources)]);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !name.startsWith('AWS::') && !known.has(name))).toEqual([]);
    expect(Object.keys(parameters).filter((name) => !named.includes(name))).toEqual([]);
    // CloudFormation takes no YAML aliases.
    expect(text).not.toMatch(/[:[,] [&*]\w/);
  });

  test('its command names every parameter without a default', () => {
    const comment = text.slice(0, text.indexOf('AWSTemplateFormatVersion'));
    const asked = Object.keys(parameters).filter((name) => parameters[name]!.Default === undefined);

    expect(asked.filter((name) => !comment.includes(`${name}=`))).toEqual([]);
  });

  test('runs what the task definition in JSON runs', () => {
    const { containerDefinitions } = JSON.parse(read('deploy/ecs/task-definition.json')) as {
      containerDefinitions: any[];
    };
    const [json] = containerDefinitions;
    const names = (list: any[]): string[] => list.map((each) => String(each.Name ?? each.name)).toSorted();

    expect(names(daemon.Environment)).toEqual(names(json.environment));
    expect(names(daemon.Secrets)).toEqual(names(json.secrets));
    expect(names(daemon.Secrets)).toContain('REDIS_URL');
    expect(daemon.HealthCheck.Command).toEqual(json.healthCheck.command);
    expect([daemon.StopTimeout * 1000 > shutdownMs, daemon.ReadonlyRootFilesystem, daemon.User]).toEqual([
      true,
      true,
      '1000',
    ]);
    expect([validate.Command, validate.Essential]).toEqual([['validate', '/app/config/autopilot.yaml'], false]);
    expect(daemon.DependsOn).toEqual([{ ContainerName: 'validate', Condition: 'SUCCESS' }]);
  });

  test('mounts its data where the image says whose it is: ECS gives a volume to root otherwise', () => {
    const data = daemon.MountPoints.find(({ SourceVolume }: any) => SourceVolume === 'data').ContainerPath;

    expect(read('Dockerfile')).toMatch(new RegExp(`chown node .*${data}$[\\s\\S]*?^VOLUME ${data}$`, 'm'));
  });

  test('asks for two copies, no public address, and one secret each', () => {
    const service = resources['Service']!.Properties;
    const statement = resources['ExecutionRole']!.Properties.Policies[0].PolicyDocument.Statement[0];

    expect(parameters['DesiredCount']!.Default).toBe(2);
    expect(service.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp).toBe('DISABLED');
    expect(statement.Resource).toEqual([{ Ref: 'RedisUrlSecretArn' }, { Ref: 'ApiTokenSecretArn' }]);
  });
});

describe('systemd', () => {
  const unit = read('deploy/systemd/ivs-autopilot.service');
  const value = (key: string) => Array.from(unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm')), ([, text]) => text!);

  test('starts the command of the package, checks first, and stops later than the daemon’s own window', () => {
    const { bin } = JSON.parse(read('package.json')) as { bin: Record<string, string> };
    const command = '/opt/ivs-autopilot/bin/ivs-autopilot';

    expect(Object.keys(bin)).toEqual(['ivs-autopilot']);
    expect(value('ExecStart')).toEqual([`${command} run`]);
    expect(value('ExecStartPre')).toEqual([`${command} validate /etc/ivs-autopilot/autopilot.yaml`]);
    expect(Number(value('TimeoutStopSec')[0]) * 1000).toBeGreaterThan(shutdownMs);
    expect(value('ExecReload')).toEqual(['/bin/kill -HUP $MAINPID']);
  });

  test('gives the token as a credential and names variables that something reads', () => {
    const sources = ['src/main.ts', 'src/app.ts', 'src/api/tokens.ts', 'config/accounts.ts', 'Dockerfile']
      .map(read)
      .join('\n');
    const variables = [
      ...value('Environment').map((text) => text.split('=')[0]!),
      ...Array.from(read('deploy/systemd/environment').matchAll(/^([A-Z_]+)=/gm), ([, name]) => name!),
    ];

    expect(value('LoadCredential')).toEqual(['api_token:/etc/ivs-autopilot/api_token']);
    expect(variables).toContain('AUTOPILOT_API_TOKEN_FILE');
    expect(variables).not.toContain('AUTOPILOT_API_TOKEN');
    expect(variables.filter((name) => !sources.includes(name))).toEqual([]);
    expect(value('MemoryDenyWriteExecute')).toEqual([]);
  });

  test.skipIf(!has('systemd-analyze', '--version'))('systemd takes the unit', () => {
    const folder = mkdtempSync(join(tmpdir(), 'autopilot-unit-'));
    try {
      const file = join(folder, 'ivs-autopilot.service');
      // Any program that is there: the package is not installed here.
      writeFileSync(file, unit.replaceAll('/opt/ivs-autopilot/bin/ivs-autopilot', '/bin/true'));
      const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
      // Remarks on units of this machine are not about ours.
      const remarks = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('ivs-autopilot'));

      expect(remarks).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('Compose', () => {
  const text = read('deploy/compose.yaml');
  const { services, configs } = parse(text, { merge: true }) as {
    services: Record<string, any>;
    configs: Record<string, any>;
  };

  test('Redis asks for a password, which is on no command line, and which the daemon has', () => {
    expect(services['redis'].configs[0].target).toBe(services['redis'].command[1]);
    expect(configs['redis_password'].content).toMatch(/^requirepass \$\{REDIS_PASSWORD:\?/);
    expect(JSON.stringify(services['redis'].command)).not.toContain('REDIS_PASSWORD');
    expect(services['redis'].ports).toBeUndefined();
    for (const name of ['autopilot', 'doctor'])
      expect(services[name].environment.REDIS_URL).toContain(':${REDIS_PASSWORD:?');
    expect(read('deploy/simulator.env')).toMatch(/^REDIS_PASSWORD=/m);
  });

  test('builds the daemon and the simulator from their own stages', () => {
    const stages = Array.from(read('Dockerfile').matchAll(/^FROM .* AS (\w+)$/gm), ([, name]) => name);

    expect(services['autopilot'].build.target).toBe('daemon');
    expect(services['simulator'].build.target).toBe('simulator');
    for (const { build } of Object.values(services)) if (build) expect(stages).toContain(build.target);
    expect(stages.at(-1)).toBe('daemon');
  });
});
