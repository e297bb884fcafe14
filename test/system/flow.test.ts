import { describe, expect, test } from 'vitest';
import { broadcast } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';

const slate = `
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    for: 1s
    actions: [{put_metadata: {payload: {type: slate, show: true}}}]
    on_resolve: [{put_metadata: {payload: {type: slate, show: false}}}]
`;

describe('the flow from intake to acting', () => {
  test('a starving channel gets its slate, and loses it when it recovers', async () => {
    await using platform = await broadcast();
    const [channel] = await platform.simulator.control.createChannels(1);
    await platform.simulator.control.goLive(channel!.arn);
    await platform.daemon({ rules: slate });

    await platform.simulator.control.starve(channel!.arn);
    const shown = await platform.simulator.control.waitForCall({ operation: 'PutMetadata' });
    await platform.simulator.control.recover(channel!.arn);
    await eventually(async () => (await platform.simulator.control.cues()).length === 2);

    const cues = await platform.simulator.control.cues();
    expect(shown.channelArn).toBe(channel!.arn);
    expect(cues.map(({ metadata }) => JSON.parse(metadata).items[0].d.show)).toEqual([true, false]);
  });
});
