// What deploy/ gives to containers, without containers: the commands and variables of Compose and of the ECS template, as processes of this
// machine. Only host names, ports and the mounted files belong to this machine.
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { connectRedis, disconnectRedis } from '#runtime/redis.ts';
import { accessFromEnvironment } from '#runtime/redis-environment.ts';
import { startLocalSqs, startSimulator } from '#simulator/index.ts';
import { authority } from '#test/support/certificates.ts';
import { parseTemplate, workedOut } from '#test/support/cloudformation.ts';
import { environmentOf, serviceEnvironment } from '#test/support/compose.ts';
import { addressIn, containerProcess } from '#test/support/container.ts';
import { lastingPort } from '#test/support/ports.ts';
import { eventually, quietLogger } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const compose = parse(read('deploy/compose.yaml'), { merge: true }) as {
  services: Record<'autopilot' | 'simulator', { command?: string[]; environment: Record<string, string | null> }>;
};

async function ownFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'autopilot-deploy-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test('with the simulator profile the events of its evening reach the daemon through the queue', async () => {
  await using scope = await redisScope();
  const given = environmentOf(read('deploy/simulator.env'));
  const { autopilot, simulator } = compose.services;
  const onLoopback = simulator.command!.map((part) =>
    part.replace(/(port)=\d+|0\.0\.0\.0/, (found, port) => (port ? 'port=0' : found.replace('0.0.0.0', '127.0.0.1'))),
  );
  await using ivs = containerProcess([...onLoopback, '--json'], serviceEnvironment(simulator.environment, given));
  await eventually(() => ivs.lines.length > 0);
  const { url, sqsEndpoint, queueUrl } = JSON.parse(ivs.lines[0]!) as Record<
    'url' | 'sqsEndpoint' | 'queueUrl',
    string
  >;
  const env = serviceEnvironment(autopilot.environment, given);
  const here = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      value.replace(given['AWS_ENDPOINT_URL_IVS']!, url).replace(given['AWS_ENDPOINT_URL_SQS']!, sqsEndpoint),
    ]),
  );

  await using daemon = containerProcess(['run'], {
    ...here,
    REDIS_URL: scope.url,
    AUTOPILOT_NAMESPACE: scope.namespace,
    AUTOPILOT_CONFIG: join(root, 'deploy', given['AUTOPILOT_RULES']!),
    AUTOPILOT_API_TOKEN_FILE: '',
    AUTOPILOT_HTTP_PORT: '0',
  });

  expect(here['AUTOPILOT_QUEUE_URL']).toBe(queueUrl);
  await eventually(() => addressIn(daemon.lines) !== undefined);
  await eventually(async () => {
    const metrics = await (await fetch(`${addressIn(daemon.lines)}/metrics`)).text();
    return /^autopilot_events_total\{[^}]*Stream State Change[^}]*\} [1-9]/m.test(metrics);
  });
});

test('with compose.redis-tls.yaml Redis answers only over TLS, to its own health check and to the daemon', async () => {
  const text = read('deploy/compose.redis-tls.yaml');
  const { services } = parse(text, { merge: true }) as {
    services: Record<'redis' | 'autopilot', Record<string, any>>;
  };
  await using folder = await ownFolder();
  const own = join(folder.path, 'deploy', 'secrets', 'redis');
  await mkdir(own, { recursive: true });
  const [certFile, keyFile, caFile] = ['server.crt', 'server.key', 'ca.crt'].map((name) => join(own, name)) as [
    string,
    string,
    string,
  ];
  if (spawnSync('openssl', ['version']).status === 0) {
    // As the comment says; the certificate is its own authority.
    execFileSync('sh', ['-c', /^# +(openssl req .*)$/m.exec(text)![1]!], { cwd: folder.path, stdio: 'pipe' });
    await writeFile(caFile, await readFile(certFile));
  } else {
    const ours = authority();
    const { cert, key } = ours.issue('redis');
    await writeFile(certFile, cert);
    await writeFile(keyFile, key);
    await writeFile(caFile, ours.certificate);
  }
  await writeFile(join(folder.path, 'password.conf'), 'requirepass word\n');
  const port = await lastingPort();
  const here = (words: string) =>
    words
      .replaceAll('/run/secrets/redis_ca', caFile)
      .replaceAll('/run/secrets/redis_cert', certFile)
      .replaceAll('/run/secrets/redis_key', keyFile)
      .replaceAll('/etc/redis/password.conf', join(folder.path, 'password.conf'))
      .replace(/^6379$/, String(port));
  const program = process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server';
  const [, ...args] = services.redis['command'] as string[];
  const server = spawn(program, [...args.map(here), '--bind', '127.0.0.1', '--dir', folder.path], { stdio: 'ignore' });
  const gone = once(server, 'exit');
  try {
    const env = Object.fromEntries(
      Object.entries(services.autopilot['environment'] as Record<string, string>).map(([name, value]) => [
        name,
        here(value.replace(/\$\{REDIS_PASSWORD:[^}]*\}/, 'word')).replace('@redis:6379', `@127.0.0.1:${port}`),
      ]),
    );
    const url = env['REDIS_URL']!;
    expect(url).toMatch(/^rediss:/);
    const logger = quietLogger();
    const access = await accessFromEnvironment({
      // The certificate is for the service's name, which does not resolve on this machine.
      env: { ...env, REDIS_TLS_SERVERNAME: 'redis' },
      url,
      logger,
      onSecret: () => undefined,
    });
    const redis = connectRedis({ url, access, role: 'worker', logger });

    expect(await redis.ping()).toBe('PONG');
    const [, healthcheck] = services.redis['healthcheck'].test as [string, string];
    const check = here(healthcheck).replace('redis-cli', `${program.replace(/server$/, 'cli')} -p ${port}`);
    await promisify(execFile)('sh', ['-c', check], { env: { ...process.env, REDISCLI_AUTH: 'word' } });
    const plain = new Redis(`redis://:word@127.0.0.1:${port}`, {
      lazyConnect: true,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    plain.on('error', () => undefined);
    await expect(plain.connect()).rejects.toThrow();
    plain.disconnect();
    await disconnectRedis(redis);
  } finally {
    server.kill('SIGTERM');
    await gone;
  }
});

test('the containers of the ECS template check the rules, become healthy, and end when they are stopped', async () => {
  await using scope = await redisScope();
  await using simulator = await startSimulator({ seed: 'ecs' });
  await using sqs = await startLocalSqs();
  const { queueUrl } = await sqs.createQueue('ivs-events');
  await using folder = await ownFolder();
  const template = parseTemplate(read('deploy/ecs/cloudformation.yaml'));
  const [validate, daemon] = workedOut(
    template,
    template.Resources['TaskDefinition']!.Properties.ContainerDefinitions,
    {
      'AWS::Region': 'us-west-2',
      QueueUrl: queueUrl,
      RedisUrlSecretArn: scope.url,
      ApiTokenSecretArn: 'only-for-this-test',
    },
  );
  const inImage = (text: string) => text.replace(/^\/app\//, `${root}/`);
  await using check = containerProcess(validate.Command.map(inImage), {});

  expect(await check.exit).toBe(0);

  const variables = [
    ...daemon.Environment.map(({ Name, Value }: any) => [Name, inImage(Value)]),
    ...daemon.Secrets.map(({ Name, ValueFrom }: any) => [Name, ValueFrom]),
  ];
  const endpoints = ['IVS', 'EVENTBRIDGE', 'SECRETS_MANAGER', 'SSM', 'STS'].map((name) => [
    `AWS_ENDPOINT_URL_${name}`,
    simulator.url,
  ]);
  await using task = containerProcess(daemon.Command, {
    ...Object.fromEntries([...variables, ...endpoints]),
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    AUTOPILOT_NAMESPACE: scope.namespace,
    AUTOPILOT_DATA_DIR: folder.path,
    AUTOPILOT_HTTP_PORT: '0',
  });
  await eventually(() => addressIn(task.lines) !== undefined);
  const address = addressIn(task.lines)!;
  const [, , flag, script] = daemon.HealthCheck.Command as [string, string, string, string];
  const isHealthy = () =>
    promisify(execFile)(process.execPath, [flag, script.replace('http://127.0.0.1:8080', address)]).then(
      () => true,
      () => false,
    );

  expect(script).toContain('http://127.0.0.1:8080/healthz');
  expect(await isHealthy()).toBe(true);
  const refused = await fetch(`${address}/v1/streams`);
  await refused.text();
  expect(refused.status).toBe(401);
  expect(await task.stop()).toBe(0);
  expect(await isHealthy()).toBe(false);
});
