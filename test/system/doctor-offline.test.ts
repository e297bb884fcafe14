// `doctor --offline` as a process: local mistakes are reported with what to do, and nothing is called.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { badPeer } from '#test/support/bad-peer.ts';
import { commandLine } from '#test/support/command-line.ts';
import { runProcess } from '#test/support/run-process.ts';

interface Result {
  readonly name: string;
  readonly account?: string;
  readonly status: 'green' | 'warning' | 'red' | 'skipped';
  readonly text: string;
  readonly todo?: string;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doctor-offline-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const queueUrl = 'https://sqs.us-west-2.amazonaws.com/111122223333/events';
const good = (hook: string) => `version: 1
receivers:
  - {name: noc, webhook_configs: [{url_file: ${hook}}, {url: "https://hooks.example.test/a"}]}
rules:
  - name: note
    trigger: {state: {health: [STARVING]}}
    actions: [{notify: {receiver: noc, text: starving}}]
`;

const environment = { AWS_REGION: 'us-west-2', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

async function doctor(
  config: string,
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = ['--json', '--offline'],
) {
  const file = join(folder, 'autopilot.yaml');
  await writeFile(file, config);
  const ran = await commandLine(['doctor', file, ...flags], { env: { ...environment, ...env } });
  const { code: end, text: stdout } = ran;
  return { end, stdout, ...reportOf(flags.includes('--json') ? stdout : '{"results": []}') };
}

function reportOf(text: string) {
  const { results } = JSON.parse(text) as { results: readonly Result[] };
  const of = (name: string) =>
    results.filter((result) => result.name === name).map(({ status, text: said }) => `${status} ${said}`);
  return { results, of };
}

test('as a program it calls nobody, exits with 0, and says which proxy each host is reached through, without its password', async () => {
  await using peer = await badPeer();
  const hook = join(folder, 'hook');
  await writeFile(hook, 'https://pager.example.test/a-token-not-to-be-seen\n');
  const env = {
    AUTOPILOT_QUEUE_URL: queueUrl,
    AUTOPILOT_API_TOKEN: 'a token of sixteen letters',
    AUTOPILOT_URL: peer.url,
    REDIS_URL: `redis://:not-to-be-seen@127.0.0.1:${peer.port}`,
    HTTPS_PROXY: `http://svc:not-to-be-seen@127.0.0.1:${peer.port}`,
    NO_PROXY: '.amazonaws.com,hooks.example.test',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otlp.example.test/not-to-be-seen',
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=not-to-be-seen',
  };

  const file = join(folder, 'autopilot.yaml');
  await writeFile(file, good(hook));
  const { end, stdout } = await runProcess('src/cli/main.ts', ['doctor', '--offline', '--json', file], { env });
  const { results, of } = reportOf(stdout);

  expect(results.filter(({ status }) => status === 'red')).toEqual([]);
  expect(end).toBe(0);
  expect(peer.received).toBe(0);
  expect(stdout).not.toContain('not-to-be-seen');
  expect(of('Proxies')).toEqual([
    expect.stringMatching(/^green directly \(NO_PROXY\): ivs\.us-west-2\.amazonaws\.com.*hooks\.example\.test$/),
    `green by http://svc:***@127.0.0.1:${peer.port} (HTTPS_PROXY): pager.example.test, otlp.example.test`,
  ]);
  expect(of('Region and queue')).toEqual(['green us-west-2', `green the queue ${queueUrl}`]);
  expect(of('Redis address')).toEqual([`green redis://127.0.0.1:${peer.port}/0`]);
  expect(of('Webhooks')).toEqual(['green pager.example.test, hooks.example.test']);
  expect(of('OpenTelemetry')).toEqual([
    'green traces: https://otlp.example.test',
    'green metrics: https://otlp.example.test',
  ]);
});

test.each<readonly [string, Readonly<Record<string, string>>, RegExp]>([
  ['Redis address', { REDIS_URL: 'redis-cluster://h:1' }, /cluster/],
  ['AWS account', { AWS_REGION: 'Oregon' }, /AWS_REGION/],
  ['AWS account', { AUTOPILOT_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/111122223333/events' }, /eu-west-1/],
  ['API', { AUTOPILOT_API_TOKEN: 'short' }, /fewer than/],
  ['API', { AUTOPILOT_API_TOKEN_FILE: '/nonexistent' }, /cannot be read/],
  ['API', { AUTOPILOT_HTTP_PORT: '80800' }, /AUTOPILOT_HTTP_PORT/],
  ['Credentials', { AWS_SECRET_ACCESS_KEY: '' }, /half of a key/],
  ['Files', { AWS_WEB_IDENTITY_TOKEN_FILE: '/nonexistent' }, /AWS_WEB_IDENTITY_TOKEN_FILE/],
  ['Files', { NODE_EXTRA_CA_CERTS: '/nonexistent' }, /NODE_EXTRA_CA_CERTS/],
  ['Endpoints', { AWS_ENDPOINT_URL_IVS: 'localhost:4599' }, /AWS_ENDPOINT_URL_IVS/],
  ['OpenTelemetry', { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, /OTEL_EXPORTER_OTLP_ENDPOINT/],
  ['Proxies', { HTTPS_PROXY: 'socks5://proxy:1080' }, /socks5/],
  ['Proxies', { AWS_CA_BUNDLE: '/nonexistent' }, /AWS_CA_BUNDLE/],
  ['Proxies', { NO_PROXY: '10.0.0.0/99' }, /10\.0\.0\.0\/99/],
])('%s is red for %j, with what to do, and the other checks still run', async (name, env, text) => {
  const hook = join(folder, 'hook');
  await writeFile(hook, 'https://pager.example.test/a');

  const { end, results } = await doctor(good(hook), env);

  const bad = results.filter(({ status }) => status === 'red');
  expect(bad).toEqual([{ ...bad[0], name, text: expect.stringMatching(text), todo: expect.stringMatching(/\w/) }]);
  expect(end).toBe(1);
  expect(results.map((result) => result.name)).toEqual(expect.arrayContaining(['Configuration', 'Files', 'Proxies']));
});

test('checks files and addresses of the rules: missing, empty, and where no webhook may go', async () => {
  const empty = join(folder, 'empty');
  await writeFile(empty, '\n');
  const inside = join(folder, 'inside');
  await writeFile(inside, 'http://169.254.169.254/latest');
  const config = `version: 1
receivers:
  - {name: noc, webhook_configs: [{url_file: /nonexistent/url}, {url_file: ${empty}}, {url_file: ${inside}}, {url: "https://10.0.0.7/a"}]}
rules:
  - name: note
    trigger: {http: {name: go}}
    actions: [{webhook: {url_file: /nonexistent/hook, hmac_key_file: /nonexistent/hmac}}]
`;

  const { end, of, stdout } = await doctor(config, {});
  const { stdout: lines } = await doctor(config, {}, ['--offline']);

  expect(end).toBe(1);
  expect(of('Files')).toEqual([
    expect.stringMatching(/^red \/nonexistent\/url \(receiver noc\) cannot be read/),
    `red ${empty} (receiver noc) is empty`,
    expect.stringMatching(/^red \/nonexistent\/hook \(webhook\)/),
    expect.stringMatching(/^red \/nonexistent\/hmac \(webhook\)/),
  ]);
  expect(of('Webhooks')).toEqual([
    expect.stringMatching(/^red receiver noc: 169\.254\.169\.254 is a metadata address/),
    expect.stringMatching(/^red receiver noc: 10\.0\.0\.7 is a private address.*http\.allow_private_webhooks/),
  ]);
  expect(stdout).not.toContain('/latest');
  // Every red line is followed by what to do.
  const all = lines.split('\n');
  for (const [index, line] of all.entries()) if (line.startsWith('✗')) expect(all[index + 1]).toMatch(/^ {13}\S/);
  expect(all.at(-1)).toBe('6 checks need your attention.');
});

test('an unusable proxy is one red line of the full doctor too, and nothing is called without it', async () => {
  const { end, results } = await doctor('version: 1\nrules: []\n', { HTTPS_PROXY: 'socks5://proxy:1080' }, ['--json']);

  expect(end).toBe(1);
  expect(results.filter(({ status }) => status === 'red').map(({ name }) => name)).toEqual(['Proxies']);
  expect(results.at(-1)).toMatchObject({
    name: 'AWS',
    status: 'skipped',
    text: expect.stringContaining('HTTPS_PROXY'),
  });
});
