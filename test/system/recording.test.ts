import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { broadcast } from '#test/support/broadcast.ts';
import { commandLine } from '#test/support/command-line.ts';

const slate = `
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    match: {tags: {tier: [gold]}}
    for: 1s
    actions: [{put_metadata: {payload: {type: slate}}}]
`;

test('a recording of a daemon can be replayed with its rules, and leads to the same actions', async () => {
  await using platform = await broadcast();
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-recording-'));
  const file = join(folder, 'observations.jsonl');
  const { control } = platform.simulator;
  const [gold, bronze] = await control.createChannels(2, { tags: { tier: 'gold' } });
  for (const channel of [gold!, bronze!]) await control.goLive(channel.arn);
  const daemon = await platform.daemon({ rules: slate, env: { AUTOPILOT_RECORD: file } });
  await control.starve(gold!.arn);
  await control.waitForCall({ operation: 'PutMetadata' });
  await daemon.app.stop();

  const { code, text } = await commandLine(['replay', file, '--config', daemon.configFile, '--json']);
  await rm(folder, { recursive: true });

  expect(code, text).toBe(0);
  expect(JSON.parse(text).actions).toEqual([
    expect.objectContaining({ rule: 'slate', channel: gold!.arn.split('/')[1], action: 'put_metadata' }),
  ]);
});
