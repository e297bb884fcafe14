// A reload in the whole daemon: what it applies at once, and what it reports as needing a restart.
import { expect, test } from 'vitest';
import { parseConfig } from '#config/load.ts';
import { systemClock } from '#runtime/clock.ts';
import { Scrubber } from '#runtime/logger.ts';
import { createApp } from '#src/app.ts';
import { quietLogger, testMetrics } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';

function configOf(settings: string) {
  const result = parseConfig(`version: 1\n${settings}`, 'f.yaml');
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

async function setup() {
  const scope = await redisScope();
  let file = '';
  const app = createApp({
    config: configOf(''),
    loadConfig: async () => configOf(file),
    redisUrl: scope.url,
    namespace: scope.namespace,
    role: 'api',
    env: { AWS_REGION: 'us-west-2', AUTOPILOT_HTTP_PORT: '0' },
    clock: systemClock,
    random: () => 0.5,
    logger: quietLogger(),
    metrics: testMetrics(),
    scrubber: new Scrubber(),
  });
  await app.start();
  const ask = async (method: string, path: string) =>
    (await (await fetch(`${app.url}${path}`, { method })).json()) as { needRestart: string[] };
  return {
    inForce: () => ask('GET', '/v1/config'),
    reload: (text: string) => {
      file = text;
      return ask('POST', '/v1/config/reload');
    },
    async [Symbol.asyncDispose]() {
      await app.stop();
      await scope[Symbol.asyncDispose]();
    },
  };
}

test('a setting that needs a restart is reported until the restart, or until it is reverted', async () => {
  await using daemon = await setup();

  const first = await daemon.reload('limits: {share: 0.5}');
  const second = await daemon.reload('limits: {share: 0.5}\nevents: {silent_after: 3m}');
  const asked = await daemon.inForce();
  const third = await daemon.reload('events: {silent_after: 3m, queue_url: q}');

  expect([first, second, asked, third].map(({ needRestart }) => needRestart)).toEqual([
    ['limits'],
    ['limits'],
    ['limits'],
    ['events.queue_url'],
  ]);
});
