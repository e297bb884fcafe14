// Manifests for Kubernetes, ECS and systemd, as far as this machine can try them: kustomize if kubectl is installed, systemd-analyze if
// systemd is. What needs neither is checked everywhere: valid names, secrets by reference, limits.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseConfig } from '#config/load.ts';
import { settingsShape } from '#config/settings.ts';
import { durationMs } from '#domain/duration.ts';
import { namesIn, parseTemplate, workedOut } from '#test/support/cloudformation.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const shutdownMs = durationMs(settingsShape.shutdown_window.parse(undefined));
const documentsOf = (text: string): any[] => parseAllDocuments(text).map((document) => document.toJS());
const has = (program: string, ...args: string[]) => spawnSync(program, args).status === 0;

describe('Kubernetes', () => {
  const base = documentsOf(read('deploy/kubernetes/autopilot.yaml'));
  const doctor = documentsOf(read('deploy/kubernetes/doctor.yaml'));
  const pods = [...base, ...doctor].flatMap(({ spec }) => spec?.template?.spec ?? []);

  test('no pod has a service-account token, and Redis comes from a Secret', () => {
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

    const groups = render('deploy/kustomize/groups');
    expect(kinds(groups)).toEqual([...kinds(base), ...kinds(base)].toSorted());
    const deployments = groups.filter(({ kind }) => kind === 'Deployment');
    const accountsOf = ({ env }: any) => env.find(({ name }: any) => name === 'AUTOPILOT_ACCOUNTS').value;
    expect(
      deployments.map(({ metadata, spec: { template } }) => [
        metadata.name,
        accountsOf(template.spec.initContainers[0]),
        accountsOf(template.spec.containers[0]),
      ]),
    ).toEqual([
      ['ivs-autopilot-eu', 'eu-*', 'eu-*'],
      ['ivs-autopilot-us', 'us-*', 'us-*'],
    ]);
    // No group's Service or budget counts the pods of another one.
    const [eu, us] = deployments.map(({ spec: { template } }) => template.metadata.labels);
    for (const { metadata, spec } of groups.filter(({ kind }) => kind === 'Service'))
      expect(
        [eu, us].filter((labels) => Object.entries(spec.selector).every(([key, value]) => labels[key] === value)),
      ).toEqual([metadata.name.endsWith('-eu') ? eu : us]);
  });
});

describe('Redis with TLS, for kustomize', () => {
  const component = (name: string) => parse(read(`deploy/kustomize/${name}/kustomization.yaml`));
  // As kubectl reads it: 0440 is octal.
  const patchOf = (name: string) => parse(component(name).patches[0].patch, { version: '1.1' }).spec.template.spec;

  test('the components name variables that the daemon reads, in files of the Secret that they mount', () => {
    const [authority, own] = [patchOf('redis-tls'), patchOf('redis-client-certificate')];
    const [{ mountPath }] = authority.containers[0].volumeMounts;
    const env: { name: string; value: string }[] = [...authority.containers[0].env, ...own.containers[0].env];

    expect(env.map(({ name }) => name)).toEqual(['REDIS_TLS_CA_FILE', 'REDIS_TLS_CERT_FILE', 'REDIS_TLS_KEY_FILE']);
    for (const { name, value } of env) {
      expect(read('src/runtime/redis-environment.ts')).toContain(`'${name}'`);
      expect(value).toMatch(new RegExp(`^${mountPath}/(ca|tls)\\.(crt|key)$`));
    }
    expect(authority.volumes[0]).toEqual({
      name: authority.containers[0].volumeMounts[0].name,
      secret: { secretName: 'ivs-autopilot-redis-tls', defaultMode: 0o440 },
    });
  });

  test.skipIf(!has('kubectl', 'version', '--client'))('kubectl renders them over the example to copy', () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'autopilot-kustomize-')));
    try {
      const example = join(root, 'deploy', 'kustomize');
      const below = join(folder, 'below');
      mkdirSync(below);
      const lead = (path: string) => relative(below, realpathSync(path));
      const components = ['redis-tls', 'redis-client-certificate'].map((name) => lead(join(example, name)));
      writeFileSync(join(below, 'kustomization.yaml'), JSON.stringify({ resources: [lead(example)], components }));
      const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', below], { encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
      const { spec } = documentsOf(stdout).find(({ kind }) => kind === 'Deployment').spec.template;

      expect(spec.containers[0].env.map(({ name }: any) => name)).toEqual(
        expect.arrayContaining(['REDIS_URL', 'REDIS_TLS_CA_FILE', 'REDIS_TLS_CERT_FILE', 'REDIS_TLS_KEY_FILE']),
      );
      const volumes = spec.volumes.map(({ name }: any) => name);
      expect(volumes).toEqual(expect.arrayContaining(['config', 'secrets', 'redis-tls']));
      expect(volumes.length).toBe(spec.containers[0].volumeMounts.length);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('CloudFormation', () => {
  const template = parseTemplate(read('deploy/ecs/cloudformation.yaml'));
  const { Parameters: parameters, Resources: resources } = template;
  const containers = (given: Readonly<Record<string, string>>) =>
    workedOut(template, resources['TaskDefinition']!.Properties.ContainerDefinitions, given);
  const [validate, daemon] = containers({});

  test.each(['deploy/ecs/cloudformation.yaml', 'deploy/ecs/redis.yaml'])(
    '%s names only existing parameters, resources and conditions, and uses every one',
    (file) => {
      const own = parseTemplate(read(file));
      const asked = namesIn(own);
      const given = Object.keys(own.Parameters);
      const known = new Set([...given, ...Object.keys(own.Resources)]);
      expect(asked.values.length).toBeGreaterThan(10);
      expect(asked.values.filter((name) => !name.startsWith('AWS::') && !known.has(name))).toEqual([]);
      expect(given.filter((name) => !asked.values.includes(name))).toEqual([]);
      expect(new Set(asked.conditions)).toEqual(new Set(Object.keys(own.Conditions ?? {})));
      // CloudFormation does not accept YAML aliases.
      expect(read(file)).not.toMatch(/[:[,] [&*]\w/);
      // Its command names what has no default.
      const comment = read(file).slice(0, read(file).indexOf('AWSTemplateFormatVersion'));
      const needed = given.filter((name) => own.Parameters[name]!.Default === undefined);
      expect(needed.filter((name) => !comment.includes(`${name}=`))).toEqual([]);
    },
  );

  test('redis.yaml creates what the daemon needs, and outputs what the other template takes', () => {
    const redis = parseTemplate(read('deploy/ecs/redis.yaml'));
    const { Redis: group, RedisUrl: url, ParameterGroup: settings } = redis.Resources;
    const secret = '{{resolve:secretsmanager:${Password}:SecretString}}';

    expect(group!.Properties).toMatchObject({
      TransitEncryptionEnabled: true,
      AtRestEncryptionEnabled: true,
      AutomaticFailoverEnabled: true,
      NumCacheClusters: 2,
      AuthToken: { Sub: secret },
    });
    expect(settings!.Properties.Properties).toEqual({ 'maxmemory-policy': 'noeviction' });
    expect(url!.Properties.SecretString.Sub).toBe(`rediss://:${secret}@\${Redis.PrimaryEndPoint.Address}:6379`);
    const outputs = Object.keys((redis as unknown as { Outputs: object }).Outputs);
    expect(outputs.filter((name) => !(name in parameters))).toEqual([]);
    expect(outputs).toContain('RedisUrlSecretArn');
    const groups = (id: string) =>
      workedOut(template, resources['Service']!.Properties.NetworkConfiguration.AwsvpcConfiguration.SecurityGroups, {
        RedisClientSecurityGroupId: id,
      });
    expect([groups(''), groups('sg-1')]).toEqual([['SecurityGroup'], ['SecurityGroup', 'sg-1']]);
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

  test('trusts the authority of Redis if one is named, and the usual ones otherwise', () => {
    const trusted = (given: Readonly<Record<string, string>>) =>
      containers(given)[1].Environment.filter(({ Name }: any) => Name.startsWith('REDIS_TLS_'));

    expect(trusted({})).toEqual([]);
    expect(trusted({ RedisTlsCaFile: '/app/config/redis-ca.crt' })).toEqual([
      { Name: 'REDIS_TLS_CA_FILE', Value: '/app/config/redis-ca.crt' },
    ]);
  });

  test('mounts its data at a path that the image owns: ECS gives a volume to root otherwise', () => {
    const data = daemon.MountPoints.find(({ SourceVolume }: any) => SourceVolume === 'data').ContainerPath;

    expect(read('Dockerfile')).toMatch(new RegExp(`chown node .*${data}$[\\s\\S]*?^VOLUME ${data}$`, 'm'));
  });

  test('has two copies, no public address, and one secret each', () => {
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

  test('starts the command of the package, checks first, and has a stop timeout longer than the daemon’s own window', () => {
    const { bin } = JSON.parse(read('package.json')) as { bin: Record<string, string> };
    const command = '/opt/ivs-autopilot/bin/ivs-autopilot';

    expect(Object.keys(bin)).toEqual(['ivs-autopilot']);
    expect(value('ExecStart')).toEqual([`${command} run`]);
    expect(value('ExecStartPre')).toEqual([`${command} validate /etc/ivs-autopilot/autopilot.yaml`]);
    expect(Number(value('TimeoutStopSec')[0]) * 1000).toBeGreaterThan(shutdownMs);
    expect(value('ExecReload')).toEqual(['/bin/kill -HUP $MAINPID']);
  });

  test('passes the token as a credential and names only variables that are read', () => {
    const sources = ['src/main.ts', 'src/app.ts', 'src/api/tokens.ts', 'config/accounts.ts', 'Dockerfile']
      .map(read)
      .join('\n');
    const variables = [
      ...value('Environment').map((text) => text.replace(/^"/, '').split('=')[0]!),
      ...Array.from(read('deploy/systemd/environment').matchAll(/^([A-Z_]+)=/gm), ([, name]) => name!),
    ];

    expect(value('LoadCredential')).toEqual(['api_token:/etc/ivs-autopilot/api_token']);
    expect(variables).toContain('AUTOPILOT_API_TOKEN_FILE');
    expect(variables).not.toContain('AUTOPILOT_API_TOKEN');
    // The last one is read by Node.
    expect(variables.filter((name) => !sources.includes(name))).toEqual(['NODE_OPTIONS']);
    expect(value('MemoryDenyWriteExecute')).toEqual([]);
  });

  test.skipIf(!has('systemd accepts the unit', '--version'))('systemd takes the unit', () => {
    const folder = mkdtempSync(join(tmpdir(), 'autopilot-unit-'));
    try {
      const file = join(folder, 'ivs-autopilot.service');
      // Any existing program: the package is not installed here.
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

  test('Redis requires a password, which is on no command line, and which the daemon has', () => {
    expect(services['redis'].configs[0].target).toBe(services['redis'].command[1]);
    expect(configs['redis_password'].content).toMatch(/^requirepass \$\{REDIS_PASSWORD:\?/);
    expect(JSON.stringify(services['redis'].command)).not.toContain('REDIS_PASSWORD');
    expect(services['redis'].ports).toBeUndefined();
    for (const name of ['autopilot', 'doctor'])
      expect(services[name].environment.REDIS_URL).toContain(':${REDIS_PASSWORD:?');
    expect(read('deploy/simulator.env')).toMatch(/^REDIS_PASSWORD=/m);
  });

  test('with compose.redis-tls.yaml Redis listens only with TLS, and the daemon trusts its certificate', () => {
    const tls = parse(read('deploy/compose.redis-tls.yaml'), { merge: true });
    const command: string[] = tls.services.redis.command;
    const after = (flag: string) => command[command.indexOf(flag) + 1];
    const files = (names: string[]) => names.map((name) => `/run/secrets/${name}`);

    // All settings for Redis in compose.yaml still apply.
    expect(command).toEqual(expect.arrayContaining(services['redis'].command));
    expect([after('--port'), after('--tls-port'), after('--tls-auth-clients')]).toEqual(['0', '6379', 'no']);
    expect(files(tls.services.redis.secrets)).toEqual(
      expect.arrayContaining([after('--tls-cert-file'), after('--tls-key-file')]),
    );
    for (const name of ['autopilot', 'doctor']) {
      const { environment, secrets } = tls.services[name];
      expect(environment.REDIS_URL).toBe(services[name].environment.REDIS_URL.replace('redis://', 'rediss://'));
      expect(files(secrets)).toEqual([environment.REDIS_TLS_CA_FILE]);
      // The key is Redis's own.
      expect(secrets).not.toContain('redis_key');
    }
    for (const { file } of Object.values<{ file: string }>(tls.secrets))
      expect(read('deploy/compose.redis-tls.yaml')).toMatch(
        new RegExp(`^#.* deploy${file.slice(1).replaceAll('.', '\\.')}`, 'm'),
      );
  });

  test('builds the daemon and the simulator from their own stages', () => {
    const stages = Array.from(read('Dockerfile').matchAll(/^FROM .* AS (\w+)$/gm), ([, name]) => name);

    expect(services['autopilot'].build.target).toBe('daemon');
    expect(services['simulator'].build.target).toBe('simulator');
    for (const { build } of Object.values(services)) if (build) expect(stages).toContain(build.target);
    expect(stages.at(-1)).toBe('daemon');
  });
});
