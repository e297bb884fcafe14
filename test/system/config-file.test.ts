// The rules file of a running daemon changes: a valid one is applied automatically, a broken one leaves the running rules in force.
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { daemonProcess } from '#test/support/daemon-process.ts';
import { eventually } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';

const rulesNamed = (name: string) =>
  `version: 1\nrules:\n  - name: ${name}\n    trigger: {state: {health: [STARVING]}}\n    actions: [{put_metadata: {payload: x}}]\n`;
const broken = `${rulesNamed('second')}    fro: 30s\n`;

/** A daemon with a file that is mounted as Kubernetes mounts a ConfigMap. */
async function setup() {
  const scope = await redisScope();
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-mount-'));
  const file = join(folder, 'autopilot.yaml');
  let versions = 0;
  const swap = async (text: string) => {
    versions += 1;
    await mkdir(join(folder, `..v${versions}`));
    await writeFile(join(folder, `..v${versions}`, 'autopilot.yaml'), text);
    await symlink(`..v${versions}`, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  await swap(rulesNamed('first'));
  await symlink('..data/autopilot.yaml', file);
  const daemon = await daemonProcess({
    config: '',
    env: {
      AUTOPILOT_CONFIG: file,
      REDIS_URL: scope.url,
      AUTOPILOT_NAMESPACE: scope.namespace,
      AWS_ENDPOINT_URL_IVS: 'http://127.0.0.1:9',
    },
  });
  const config = async () => (await daemon.ask('GET', '/v1/config')).body;
  return {
    daemon,
    swap,
    config,
    /** The old content is replaced in one step, as editors do it. */
    async replace(text: string) {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    },
    rules: async () => (await daemon.ask('GET', '/v1/rules')).body.rules.map(({ name }: { name: string }) => name),
    metric: async (line: string) => (await (await fetch(`${daemon.url}/metrics`)).text()).includes(line),
    attempted: (outcome: string, after: string) =>
      eventually(async () => {
        const { lastAttempt } = await config();
        return lastAttempt.outcome === outcome && lastAttempt.at > after;
      }),
    async [Symbol.asyncDispose]() {
      await daemon.kill();
      await rm(folder, { recursive: true });
      await scope[Symbol.asyncDispose]();
    },
  };
}

test('applies a swapped mount; a broken file is refused, reported and changes nothing; a repaired one is applied again', async () => {
  await using it = await setup();
  const atStart = await it.config();
  expect(atStart.lastAttempt).toEqual({ at: atStart.loadedAt, outcome: 'loaded' });

  await it.swap(rulesNamed('second'));
  await it.attempted('loaded', atStart.loadedAt);
  const second = await it.config();
  expect(await it.rules()).toEqual(['second']);
  expect(second.hash).not.toBe(atStart.hash);

  await it.replace(broken);
  await it.attempted('refused', second.loadedAt);
  const refused = await it.config();
  expect(await it.rules()).toEqual(['second']);
  expect(refused).toMatchObject({ hash: second.hash, loadedAt: second.loadedAt });
  expect(refused.lastAttempt.error).toMatch(
    /autopilot\.yaml:6:5 rules\[0\]\.fro: unknown key fro \(did you mean for\?\)/,
  );
  expect(await it.metric('autopilot_config_loads_total{outcome="refused"} 1')).toBe(true);
  expect(await it.metric(`autopilot_config_last_load_timestamp_seconds{hash="${second.hash}"}`)).toBe(true);
  expect(await it.metric('autopilot_config_last_attempt_timestamp_seconds{outcome="refused"}')).toBe(true);
  expect(it.daemon.log.find((line) => line.includes('the old one stays in force'))).toContain('did you mean for?');
  await eventually(() =>
    it.daemon.log.some((line) => line.includes('"message":"an alert began"') && line.includes('"kind":"config"')),
  );

  // Restored to the old text: nothing changes, and the complaint is over.
  await it.replace(rulesNamed('second'));
  await it.attempted('loaded', refused.lastAttempt.at);
  expect((await it.config()).lastAttempt).not.toHaveProperty('error');

  await it.replace(rulesNamed('third'));
  await eventually(async () => (await it.rules())[0] === 'third');
});
