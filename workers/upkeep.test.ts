import { expect, test } from 'vitest';
import { systemClock } from '#runtime/clock.ts';
import { MemoryState } from '#store/memory-state.ts';
import { quietLogger, testMetrics } from '#test/support/quiet.ts';
import { clearAlerts, raiseAlert } from './alerts.ts';
import { ActionUpkeep } from './upkeep.ts';

const channelArn = 'arn:aws:ivs:us-west-2:111122223333:channel/a';

test('the alerts of one account stay in sight whatever the others say, and are 0 when they are mended', async () => {
  const metrics = testMetrics();
  const account = (shard: string) => {
    const state = new MemoryState({ now: () => 1_000_000 });
    const keep = new ActionUpkeep({
      shard,
      state,
      clock: systemClock,
      logger: quietLogger(),
      metrics,
      nudge: () => {},
    });
    return { state, keep };
  };
  const gauges = async () =>
    Object.fromEntries(
      (await metrics.alerts.get()).values.map(({ labels, value }) => [`${labels.shard} ${labels.kind}`, value]),
    );
  const [west, europe] = [account('west'), account('europe')];
  await west.state.transact((tx) => raiseAlert(tx, { kind: 'keyless', channelArn, text: 'no key', jobId: 'a' }));

  await west.keep.runOnce();
  await europe.keep.runOnce();
  const raised = await gauges();
  await west.state.transact((tx) => clearAlerts(tx, channelArn));
  await west.keep.runOnce();

  expect(raised).toMatchObject({ 'west keyless': 1, 'europe keyless': 0 });
  expect(await gauges()).toMatchObject({ 'west keyless': 0, 'europe keyless': 0 });
});
