// The daemon as a separate process, killed and signalled as an operator or the kernel would.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Broadcast, broadcast, quickSettings, testCredentials } from '#test/support/broadcast.ts';
import { startCollector } from '#test/support/otlp-collector.ts';
import { eventually, untilPasses } from '#test/support/quiet.ts';
import { ownRedis } from '#test/support/redis.ts';

const root = join(import.meta.dirname, '..', '..');

interface Process extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly lines: Record<string, any>[];
  /** Writes the configuration file again. */
  rewrite(rules: string): Promise<void>;
  readonly url: string;
  /** Exit code, or the signal's name. */
  readonly exit: Promise<number | string>;
}

async function daemonProcess(platform: Broadcast, rules: string, env: Record<string, string> = {}): Promise<Process> {
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-process-'));
  const config = join(folder, 'autopilot.yaml');
  await writeFile(config, quickSettings + rules);
  const child = spawn(process.execPath, ['src/main.ts'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      AUTOPILOT_DATA_DIR: join(folder, 'data'),
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(root, 'node_modules', '.cache', 'node-compile'),
      REDIS_URL: platform.scope.url,
      AUTOPILOT_NAMESPACE: platform.scope.namespace,
      AUTOPILOT_CONFIG: config,
      AUTOPILOT_QUEUE_URL: platform.queueUrl,
      AUTOPILOT_HTTP_PORT: '0',
      AWS_REGION: 'us-west-2',
      AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
      AWS_ENDPOINT_URL_IVS: platform.simulator.url,
      AWS_ENDPOINT_URL_SQS: platform.sqs.endpoint,
      ...env,
    },
  });
  const lines: Record<string, any>[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop()!;
    for (const part of parts) lines.push(JSON.parse(part));
  });
  const exit = new Promise<number | string>((done) => child.once('exit', (code, signal) => done(code ?? signal!)));
  return {
    child,
    lines,
    rewrite: (text) => writeFile(config, quickSettings + text),
    exit,
    get url() {
      return lines.find(({ url, docs }) => url && docs)!['url'];
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exit;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const running = (daemon: Process) =>
  eventually(() => daemon.lines.some(({ message }) => message === 'ivs-autopilot runs'));

// What an empty ledger of permits waits for is as short as calls are.
const ending = `
limits: {request_timeout: 2s}
rules:
  - name: goodbye
    mode: enforce
    trigger: {event: {detail-type: [IVS Stream State Change], detail: {event_name: [Stream End]}}}
    actions: [{put_metadata: {targets: {channelArns: ["CHANNEL"]}, payload: {ended: "{{ channel.name }}"}, lane: urgent}}]
    guards: {cooldown: 0s, max_per_hour: 1000, max_live_percent: 100}
`;

describe.concurrent('the daemon as a process', () => {
  test('killed in the middle of its work, it loses no event and repeats no action', async () => {
    await using platform = await broadcast();
    const { control } = platform.simulator;
    const [stage] = await control.createChannels(1, { namePrefix: 'stage-' });
    const shows = await control.createChannels(30, { namePrefix: 'show-' });
    await control.goLive([stage!.arn, ...shows.map(({ arn }) => arn)]);
    const rules = ending.replace('CHANNEL', stage!.arn);
    await using first = await daemonProcess(platform, rules);
    await running(first);
    await eventually(async () => (await fetch(`${first.url}/readyz`)).ok);

    const ended = shows.map(({ arn }) => control.end(arn));
    await eventually(async () => (await control.cues()).length >= 1);
    first.child.kill('SIGKILL');
    await Promise.all(ended);
    await using second = await daemonProcess(platform, rules);
    await running(second);
    const names = async () =>
      (await control.cues()).flatMap(({ metadata }) =>
        JSON.parse(metadata).items.map(({ id, d }: any) => `${d.ended} ${id}`),
      );
    await eventually(async () => new Set((await names()).map((name) => name.split(' ')[0])).size === 30);

    // A cue whose answer was lost in the kill may be sent again, with the same id; no show is announced under two ids.
    expect(new Set(await names()).size).toBe(30);
    // Deletes are collected for a moment.
    await untilPasses(async () => expect(await platform.queueDepth()).toBe(0));
  });

  test('SIGTERM ends it orderly, with exit code 0', async () => {
    await using platform = await broadcast();
    await using daemon = await daemonProcess(platform, 'rules: []\n');
    await running(daemon);

    daemon.child.kill('SIGTERM');

    expect(await daemon.exit).toBe(0);
    expect(daemon.lines.at(-1)).toMatchObject({ message: 'ivs-autopilot stopped', failures: 0 });
  });

  test('SIGTERM from the process group and from the launcher is one request: it still drains; its metrics and traces had reached the collector', async () => {
    await using platform = await broadcast();
    await using collector = await startCollector();
    await using daemon = await daemonProcess(platform, 'rules: []\n', {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_METRIC_EXPORT_INTERVAL: '100',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    });
    await running(daemon);
    expect(daemon.lines).toContainEqual(
      expect.objectContaining({ message: 'OpenTelemetry is on', traces: collector.url, metrics: collector.url }),
    );
    await eventually(() => collector.metrics.get('autopilot_polls_total'));
    await eventually(() => collector.spans.find(({ name }) => name === 'ivs.ListStreams'));

    // Without a wait in between: on a busy machine a second one would come late enough to count as another request.
    for (let n = 0; n < 5; n += 1) daemon.child.kill('SIGTERM');

    expect(await daemon.exit).toBe(0);
    expect(daemon.lines.filter(({ message }) => message.startsWith('stopping;'))).toHaveLength(1);
  });

  test('SIGTERM ends it within the shutdown window while Redis is away', async () => {
    await using platform = await broadcast();
    await using redis = await ownRedis();
    await using daemon = await daemonProcess(platform, 'rules: []\n', { REDIS_URL: redis.url });
    await running(daemon);
    await redis.server.kill();

    daemon.child.kill('SIGTERM');

    // Redis never comes back: the test is that it ends. 1: the window was over, as on a machine that is busy.
    expect([0, 1]).toContain(await daemon.exit);
  });

  test('a configuration with mistakes is refused with their places, and exit code 1', async () => {
    await using platform = await broadcast();
    await using daemon = await daemonProcess(platform, 'rules:\n  - name: x\n    triger: {}\n');

    expect(await daemon.exit).toBe(1);
    const problem = daemon.lines.find(({ code, message }) => code === 'CONFIG_INVALID' && message.includes('triger'));
    expect(problem!['message']).toMatch(/autopilot\.yaml:7:5 rules\[0\]\.triger: .*did you mean.*trigger/i);
  });

  test('SIGHUP applies a valid file, and keeps the running one if the file is broken', async () => {
    await using platform = await broadcast();
    await using daemon = await daemonProcess(platform, 'rules: []\n');
    await running(daemon);
    const hash = async () => ((await (await fetch(`${daemon.url}/v1/config`)).json()) as { hash: string }).hash;
    const first = await hash();

    await daemon.rewrite('rules: [{name: broken}]\n');
    daemon.child.kill('SIGHUP');
    await eventually(() => daemon.lines.some(({ message }) => message.includes('the old one stays in force')));
    const whileBroken = await hash();
    await daemon.rewrite(ending.replace('CHANNEL', 'arn:aws:ivs:us-west-2:111122223333:channel/abc'));
    daemon.child.kill('SIGHUP');
    await eventually(() => daemon.lines.some(({ message }) => message === 'configuration loaded'));

    expect(whileBroken).toBe(first);
    expect(await hash()).not.toBe(first);

    // Forty that come together are one request; a daemon that gets no CPU for a while may count a few.
    const reloads = () => daemon.lines.filter(({ message }) => message === 'configuration loaded').length;
    const before = reloads();
    for (let n = 0; n < 40; n += 1) daemon.child.kill('SIGHUP');
    await eventually(() => reloads() > before);
    const second = await hash();
    await daemon.rewrite(`${ending.replace('CHANNEL', 'arn:aws:ivs:us-west-2:111122223333:channel/def')}\n`);
    daemon.child.kill('SIGHUP');
    await eventually(async () => (await hash()) !== second);
    expect(reloads() - before).toBeLessThan(6);
  });

  test('tokens change with their file and with SIGHUP; a file that is a pipe or has a mistake changes nothing', async () => {
    await using platform = await broadcast();
    const folder = await mkdtemp(join(tmpdir(), 'autopilot-tokens-'));
    await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
    const file = join(folder, 'tokens');
    // Not secrets: they open this test's own daemon, for as long as it runs.
    const [first, second, third] = ['viewer-one-of-a-test', 'viewer-two-of-a-test', 'viewer-three-of-a-test'] as const;
    await writeFile(file, `one viewer ${first}\n`);
    await using daemon = await daemonProcess(platform, 'rules: []\n', { AUTOPILOT_TOKENS_FILE: file });
    await running(daemon);
    const status = async (token: string) =>
      (await fetch(`${daemon.url}/v1/streams`, { headers: { authorization: `Bearer ${token}` } })).status;
    const refused = () => daemon.lines.filter(({ message }) => message.includes('the old one stays in force')).length;
    expect(await status(first)).toBe(200);

    // Replaced as by an editor or a mounted secret, without a signal.
    await writeFile(`${file}.new`, `two viewer ${second}\n`);
    await rename(`${file}.new`, file);
    await eventually(async () => (await status(first)) !== 200);
    expect(await status(second)).toBe(200);

    await rm(file);
    execFileSync('mkfifo', [file]);
    daemon.child.kill('SIGHUP');
    await eventually(() => refused() > 0);
    expect((await fetch(`${daemon.url}/healthz`)).status).toBe(200);
    expect(await status(second)).toBe(200);

    await rm(file);
    await writeFile(file, `three viewer ${third}\n`);
    daemon.child.kill('SIGHUP');
    await eventually(async () => (await status(second)) !== 200);
    expect(await status(third)).toBe(200);
    expect(daemon.lines.some((line) => JSON.stringify(line).includes('-of-a-test'))).toBe(false);
  });
});
