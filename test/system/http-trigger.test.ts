import { expect, test } from 'vitest';
import { broadcast } from '#test/support/broadcast.ts';
import { commandLine } from '#test/support/command-line.ts';
import { eventually } from '#test/support/quiet.ts';

const goal = `
rules:
  - name: goal
    mode: enforce
    trigger: {http: {name: goal, body: {home: [true]}}}
    actions: [{put_metadata: {payload: {type: goal, by: "{{ http.body.player }}"}}}]
    guards: {cooldown: 0s}
`;

test('a request triggers the rule that listens to its name, once per key; a hold by command stops it', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const [channel] = await control.createChannels(1);
  const channelArn = channel!.arn;
  await control.goLive(channelArn);
  const daemon = await platform.daemon({ rules: goal });
  const send = (body: object, key?: string) =>
    fetch(`${daemon.url}/v1/triggers/goal`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) },
      body: JSON.stringify({ channelArn, body }),
    });
  const cues = async () => (await control.cues()).map(({ metadata }) => JSON.parse(metadata).items[0].d.by as string);
  const run = async (...args: string[]) => (await commandLine(args, { env: { AUTOPILOT_URL: daemon.url } })).code;

  const answers = [
    await send({ home: true, player: 'Ana' }, 'k1'),
    await send({ home: true, player: 'Ana' }, 'k1'),
    await send({ home: false, player: 'Bo' }, 'k2'),
  ];
  await eventually(async () => (await cues()).length === 1);
  const held = await run('hold', channel!.name, '--reason', 'test');
  await send({ home: true, player: 'Cy' }, 'k3');
  const released = await run('hold', channelArn, '--release');
  await send({ home: true, player: 'Di' }, 'k4');
  await eventually(async () => (await cues()).length === 2);

  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  expect(await answers[0]!.json()).toEqual({ requestId: 'goal:k1', rules: ['goal'] });
  expect([held, released]).toEqual([0, 0]);
  expect(await cues()).toEqual(['Ana', 'Di']);
  expect(await run('status')).toBe(0);
  expect(await daemon.ask('POST', '/v1/triggers/gaol', {})).toMatchObject({
    status: 404,
    body: { code: 'NOT_FOUND', detail: 'no rule listens to the http trigger gaol (did you mean goal?)' },
  });
});
