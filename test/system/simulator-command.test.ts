// The simulator as a separate program: what a user types, what it prints, how it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ListStreamsCommand } from '@aws-sdk/client-ivs';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { SimulatorClient } from '#simulator/client.ts';
import { fauxqs } from '#simulator/sqs.ts';
import { fakeCredentials, ivsFor } from '#test/support/simulator-sdk.ts';

const MAIN = fileURLToPath(new URL('../../simulator/main.ts', import.meta.url));

const running: ChildProcess[] = [];
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

const start = (...flags: string[]) => startAt(MAIN, ...flags);

function startAt(main: string, ...flags: string[]): { child: ChildProcess; out: () => string; err: () => string } {
  const child = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return { child, out: () => out, err: () => err };
}

async function firstLine(run: { out: () => string; err: () => string }): Promise<string> {
  await expect.poll(() => run.out() + run.err()).toContain('\n');
  return run.out().split('\n')[0] ?? '';
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
}

describe('the simulator command', () => {
  it('serves channels, streams and events by itself, and exits with 0 on SIGTERM', async () => {
    const flags = ['--port', '0', '--channels', '20', '--live', '3', '--sqs', '--timings', 'quick', '--json'];
    const run = start(...flags);
    const { url, channels, queueUrl, sqsEndpoint } = JSON.parse(await firstLine(run));
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(channels).toBe(20);
    const ivs = ivsFor(url);
    expect((await ivs.send(new ListStreamsCommand({}))).streams).toHaveLength(3);
    ivs.destroy();
    const sqs = new SQSClient({ endpoint: sqsEndpoint, region: 'us-west-2', credentials: fakeCredentials });
    const count = new GetQueueAttributesCommand({
      QueueUrl: queueUrl,
      AttributeNames: ['ApproximateNumberOfMessages'],
    });
    await new SimulatorClient(url).settleEvents();
    expect((await sqs.send(count)).Attributes?.['ApproximateNumberOfMessages']).toBe('6');
    sqs.destroy();
    run.child.kill('SIGTERM');
    expect(await exitCode(run.child)).toBe(0);
    expect(run.err()).toBe('');
  });

  it('is installed without an SQS stand-in, says how to get one, and works without it', async () => {
    const root = join(MAIN, '..', '..');
    const { peerDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(`fauxqs@${peerDependencies.fauxqs}`).toBe(fauxqs);
    const folder = await mkdtemp(join(tmpdir(), 'autopilot-simulator-'));
    try {
      for (const part of ['simulator', 'config', 'package.json'])
        await cp(join(root, part), join(folder, part), { recursive: true });
      await mkdir(join(folder, 'node_modules'));
      for (const name of await readdir(join(root, 'node_modules')))
        if (name !== 'fauxqs' && !name.startsWith('.'))
          await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name));
      const main = join(folder, 'simulator', 'main.ts');

      const refused = startAt(main, '--port', '0', '--sqs');
      expect(await exitCode(refused.child)).toBe(1);
      expect(refused.err()).toContain(`npm install ${fauxqs}`);
      expect(refused.err()).not.toContain(' at ');
      const run = startAt(main, '--port', '0', '--channels', '2', '--json');
      expect(JSON.parse(await firstLine(run))).toMatchObject({ channels: 2 });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('plays a built-in scenario, at any speed and size', async () => {
    const run = start('--port', '0', '--scenario', 'blip', '--channels', '15', '--speed', '600', '--json');
    const { url, channels } = JSON.parse(await firstLine(run));
    expect(channels).toBe(15);
    const control = new SimulatorClient(url);
    await expect.poll(() => control.scenario()).toMatchObject({ name: 'blip', finished: true });
    expect(await control.events({ name: 'Starvation Start' })).toHaveLength(3);
  });

  it('with an unknown flag exits with 2 and says what was meant', async () => {
    const run = start('--port', '0', '--chanels', '5');
    expect(await exitCode(run.child)).toBe(2);
    expect(run.err()).toContain('Did you mean --channels?');
    expect(run.err()).not.toContain('    at ');
  });
});
