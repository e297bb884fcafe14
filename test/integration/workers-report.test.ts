// The action `report` with the real client, state and sender: to webhooks and into files, once each, wherever it is interrupted.
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { ChannelArn } from '#domain/channel.ts';
import { kinds, logs } from '#domain/state-registry.ts';
import { startSimulator } from '#simulator/server.ts';
import { applyObservation } from '#streams/changes.ts';
import { actionRig, operatorJob } from '#test/support/action-rig.ts';
import { eventually } from '#test/support/quiet.ts';
import { receiverOf } from '#test/support/receivers.ts';
import { redisScope } from '#test/support/redis.ts';

async function setup() {
  const resources = new AsyncDisposableStack();
  const simulator = resources.use(await startSimulator({ enforcement: 'off', timings: { sessionToStartMs: 0 } }));
  const scope = resources.use(await redisScope());
  const folder = await mkdtemp(join(tmpdir(), 'reports-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const received: { readonly path: string; readonly id: string; readonly body: any }[] = [];
  const server = createServer((request, response) => {
    void textOf(request).then((body) => {
      const id = String(request.headers['x-autopilot-delivery']);
      received.push({ path: request.url ?? '', id, body: JSON.parse(body) });
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  resources.defer(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  /** Fails the n-th call that leaves the process, before or after it took effect. */
  let fault: { left: number; readonly when: 'before' | 'after' } | undefined;
  let calls = 0;
  const rig = resources.use(
    await actionRig({
      simulatorUrl: simulator.url,
      redis: scope.redis,
      prefix: scope.prefix,
      hookCommits: true,
      receivers: [
        receiverOf({
          name: 'noc',
          webhook_configs: [{ url: `${url}/json` }, { url: `${url}/slack`, format: 'slack' }],
        }),
      ],
      async hook(_name, call) {
        calls += 1;
        const falls = fault !== undefined && (fault.left -= 1) === 0;
        if (falls && fault?.when === 'before') throw new Error('killed before the call');
        const answer = await call();
        if (falls) throw new Error('killed after the call');
        return answer;
      },
    }),
  );
  const channel = await simulator.control.createChannel({ name: 'studio-a', type: 'BASIC' });
  const media = { width: 1920, height: 1080, framerate: 30, videoBitrate: 6_000_000 };
  const [streamId] = await simulator.control.goLive(channel.arn, { media });
  await eventually(async () => (await simulator.control.channels(channel.arn))[0]?.phase === 'live');
  await rig.state.transact((tx) => {
    // AWS allows no such name; whatever answers, the report shows it as text.
    const [name, arn] = ['<b>studio</b>', channel.arn as ChannelArn];
    const settings = { type: 'BASIC', latencyMode: 'LOW', recordingConfigurationArn: '', tags: {} };
    tx.set(kinds.channel.of(arn), { arn, name, ...settings });
    const listed = { channelArn: channel.arn, streamId: streamId!, health: 'HEALTHY', viewerCount: 7 } as const;
    const streams = [{ ...listed, startTimeMs: tx.nowMs - 60_000 }] as never;
    const sweep = { kind: 'poll', scope: 'all', pollId: 'p', complete: true, pages: 1, streams } as const;
    applyObservation(tx, { ...sweep, startedAtMs: tx.nowMs, finishedAtMs: tx.nowMs }, { retentionMs: 86_400_000 });
  });
  return {
    rig,
    folder,
    received,
    channelArn: channel.arn,
    streamId: streamId!,
    callsOf: async (run: () => Promise<unknown>) => {
      calls = 0;
      await run();
      return calls;
    },
    break: (left: number, when: 'before' | 'after') => (fault = { left, when }),
    mend: () => (fault = undefined),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

test('a report reaches the receiver in its formats and the files, and captures the session for its hints', async () => {
  await using t = await setup();
  const file = join(t.folder, 'show');
  const job = operatorJob(
    'report',
    { receiver: 'noc', file, formats: ['md', 'html', 'json'] },
    { channelArn: t.channelArn, streamId: t.streamId },
  );

  expect(await t.rig.run('r1', job)).toMatchObject({
    outcome: 'done',
    sent: 2,
    files: ['md', 'html', 'json'].map((format) => `${file}.${format}`),
  });
  const [json, slack] = ['/json', '/slack'].map((path) => t.received.find((each) => each.path === path)!.body);
  expect(json).toMatchObject({
    receiver: 'noc',
    streamId: t.streamId,
    text: expect.stringMatching(/peak 7 viewers/),
    report: {
      json: {
        sessions: [
          { streamId: t.streamId, hints: [expect.stringMatching(/BASIC/)], viewers: { peak: { viewers: 7 } } },
        ],
      },
    },
  });
  expect(json.report.html).toBe(await readFile(`${file}.html`, 'utf8'));
  expect(json.report.md).toBe(await readFile(`${file}.md`, 'utf8'));
  expect(slack.text).toMatch(/^# Report/);
  for (const text of [slack.text, json.report.html]) expect(text).not.toContain('<b>');
  expect((await stat(`${file}.json`)).mode & 0o777).toBe(0o600);
  expect(await t.rig.state.readLog(logs.captures, { limit: 10 })).toHaveLength(1);
});

test('wherever it is interrupted, the next run ends with every file and every webhook served once', async () => {
  await using t = await setup();
  const jobOf = (name: string) =>
    operatorJob(
      'report',
      { receiver: 'noc', file: join(t.folder, name) },
      { channelArn: t.channelArn, streamId: t.streamId },
    );
  const calls = await t.callsOf(() => t.rig.run('whole', jobOf('whole')));
  expect(calls).toBeGreaterThan(4);

  for (let call = 1; call <= calls; call += 1)
    for (const when of ['before', 'after'] as const) {
      const name = `${when}-${call}`;
      t.break(call, when);
      await t.rig.run(name, jobOf(name)).catch(() => undefined);
      t.mend();
      expect(await t.rig.run(name, jobOf(name)), name).toMatchObject({ outcome: 'done' });
      expect(await readFile(join(t.folder, `${name}.md`), 'utf8')).toContain(t.streamId);
      const ids = t.received.filter(({ id }) => id.startsWith(`${name}-`)).map(({ id }) => id);
      expect(new Set(ids).size, name).toBe(2);
      expect(t.rig.state.view.get(kinds.notified.of(name))).toBeUndefined();
    }
});

test('a file that no report made stays as it is, and a dry run writes and sends nothing', async () => {
  await using t = await setup();
  const file = join(t.folder, 'mine');
  await writeFile(`${file}.md`, 'somebody wrote this');
  const job = operatorJob('report', { file }, { channelArn: t.channelArn });

  await expect(t.rig.run('1', job)).rejects.toMatchObject({
    message: expect.stringMatching(/no delivery is on record/),
  });
  expect(await readFile(`${file}.md`, 'utf8')).toBe('somebody wrote this');
  const dry = operatorJob('report', { receiver: 'noc', file }, { channelArn: t.channelArn, dryRun: true });
  expect(await t.rig.run('2', dry)).toMatchObject({
    outcome: 'skipped',
    calls: ['report noc: webhook_configs[0], webhook_configs[1]', `write ${file}.md`],
  });
  expect(t.received).toEqual([]);
});
