// The quick start with Docker, without Docker: the commands and variables of deploy/compose.yaml and simulator.env, as processes of
// this machine. Only host names, ports and the mounted files are this machine's.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { environmentOf, serviceEnvironment } from '#test/support/compose.ts';
import { eventually } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const compose = parse(read('deploy/compose.yaml'), { merge: true }) as {
  services: Record<'autopilot' | 'simulator', { command?: string[]; environment: Record<string, string | null> }>;
};

/** The image's entry point with these arguments. */
function container(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child: ChildProcess = spawn(process.execPath, ['src/cli/main.ts', ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'], AUTOPILOT_CONTAINER: '1', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const lines: string[] = [];
  createInterface(child.stdout!).on('line', (line) => lines.push(line));
  return {
    lines,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exit;
    },
  };
}

test('with the simulator profile the events of its evening reach the daemon through the queue', async () => {
  await using scope = await redisScope();
  const given = environmentOf(read('deploy/simulator.env'));
  const { autopilot, simulator } = compose.services;
  const onLoopback = simulator.command!.map((part) =>
    part.replace(/(port)=\d+|0\.0\.0\.0/, (found, port) => (port ? 'port=0' : found.replace('0.0.0.0', '127.0.0.1'))),
  );
  await using ivs = container([...onLoopback, '--json'], serviceEnvironment(simulator.environment, given));
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

  await using daemon = container(['run'], {
    ...here,
    REDIS_URL: scope.url,
    AUTOPILOT_NAMESPACE: scope.namespace,
    AUTOPILOT_CONFIG: join(root, 'deploy', given['AUTOPILOT_RULES']!),
    AUTOPILOT_API_TOKEN_FILE: '',
    AUTOPILOT_HTTP_PORT: '0',
  });

  expect(here['AUTOPILOT_QUEUE_URL']).toBe(queueUrl);
  const address = () => daemon.lines.map((line) => /"url":"(http:[^"]+)","docs"/.exec(line)?.[1]).find(Boolean);
  await eventually(() => address() !== undefined);
  await eventually(async () => {
    const metrics = await (await fetch(`${address()}/metrics`)).text();
    return /^autopilot_events_total\{[^}]*Stream State Change[^}]*\} [1-9]/m.test(metrics);
  });
});
