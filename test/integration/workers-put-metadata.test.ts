// put_metadata as a job: what it hands to the outbox, and what it says about channels that get nothing.
import { expect, test } from 'vitest';
import type { ActionJob } from '#domain/action.ts';
import type { Hold } from '#domain/control.ts';
import { AppError } from '#domain/errors.ts';
import { kinds } from '#domain/state-registry.ts';
import { startSimulator } from '#simulator/server.ts';
import { actionRig, operatorJob } from '#test/support/action-rig.ts';
import { channelArn } from '#test/support/metadata.ts';
import { redisScope } from '#test/support/redis.ts';

async function setup() {
  const resources = new AsyncDisposableStack();
  const simulator = resources.use(await startSimulator({ enforcement: 'off' }));
  const scope = resources.use(await redisScope());
  const rig = resources.use(await actionRig({ simulatorUrl: simulator.url, redis: scope.redis, prefix: scope.prefix }));
  return {
    rig,
    hold: (...names: string[]) =>
      rig.state.transact((tx) => {
        for (const name of names) tx.set(kinds.hold.of(channelArn(name)), {} as Hold);
      }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

type Params = ActionJob<'put_metadata'>['params'];
const job = (params: Partial<Params>, rest: Partial<ActionJob<'put_metadata'>> = {}) =>
  operatorJob('put_metadata', { payload: { type: 'slate' }, ...params }, rest);
const byRule = { cause: { kind: 'rule', rule: 'slate', decisionId: 'd-1' } } as unknown as Partial<
  ActionJob<'put_metadata'>
>;
const to = (...names: string[]) => ({ targets: { channelArns: names.map(channelArn) } });

test('the item goes to the targets, or to the channel of the trigger, and the same job again sends nothing twice', async () => {
  await using t = await setup();
  const named = job({ ...to('a', 'b'), key: 'slate', lane: 'urgent' });

  const results = [await t.rig.run('one', named), await t.rig.run('one', named)];
  const own = await t.rig.run('two', job({}, { channelArn: channelArn('c') }));

  expect(results[0]).toMatchObject({ outcome: 'done', channels: 2 });
  expect(results[1]).toEqual(results[0]);
  expect(own).toMatchObject({ outcome: 'done', channels: 1 });
  expect((await t.rig.outbox.depth()).items).toBe(3);
  expect(await t.rig.outbox.progress(results[0]!['batchId'] as string)).toMatchObject({
    lane: 'urgent',
    who: 'token test',
  });
});

test('without a channel it fails, or is skipped if the rule says so', async () => {
  await using t = await setup();

  const skipped = await t.rig.run('skip', job({ if_no_channel: 'skip' }));
  const failed = t.rig.run('fail', job({}));

  expect(skipped).toEqual({ outcome: 'skipped', reason: 'no_channel' });
  await expect(failed).rejects.toMatchObject({ code: 'ACTION_NEEDS_CHANNEL' });
  await expect(failed).rejects.toBeInstanceOf(AppError);
});

test('what is too old since the decision is no longer accepted', async () => {
  await using t = await setup();
  const late = job({ ...to('a'), expires: '10s' }, { decidedAtMs: t.rig.state.nowMs() - 11_000 });

  expect(await t.rig.run('late', late)).toEqual({ outcome: 'skipped', reason: 'expired' });
  expect((await t.rig.outbox.depth()).items).toBe(0);
});

test('what an earlier run handed over is done, although it is too old at the next one', async () => {
  await using t = await setup();
  const named = job({ ...to('a'), expires: '10s' }, { decidedAtMs: t.rig.state.nowMs() });
  const { batchId } = await t.rig.run('again', named);

  const again = await t.rig.run('again', { ...named, decidedAtMs: named.decidedAtMs - 11_000 });

  expect(again).toEqual({ outcome: 'done', reason: 'accepted', batchId });
});

test('a rule leaves out channels on hold and says so; an operator reaches them', async () => {
  await using t = await setup();
  await t.hold('a', 'b');
  const held = { reason: 'held', count: 2, examples: [channelArn('a'), channelArn('b')] };

  const some = await t.rig.run('some', job(to('a', 'b', 'c'), byRule));
  const none = await t.rig.run('none', job(to('a', 'b'), byRule));
  const operator = await t.rig.run('operator', job(to('a', 'b')));

  expect(some).toMatchObject({ outcome: 'done', channels: 1, skipped: [held] });
  expect(none).toMatchObject({ outcome: 'skipped', reason: 'held', skipped: [held] });
  expect(operator).toMatchObject({ outcome: 'done', channels: 2 });
  expect(operator).not.toHaveProperty('skipped');
});

test('several reasons for reaching nobody are reported as no channel, with each of them', async () => {
  await using t = await setup();
  await t.hold('a');
  const nobody = job({ targets: { channelArns: [channelArn('a'), channelArn('a')] } }, byRule);

  expect(await t.rig.run('nobody', nobody)).toMatchObject({
    outcome: 'skipped',
    reason: 'no_channel',
    skipped: [{ reason: 'duplicate' }, { reason: 'held' }],
  });
});

test('a dry run says what it would send and to how many, and accepts nothing', async () => {
  await using t = await setup();
  await t.hold('b');

  const result = await t.rig.run('dry', job({ ...to('a', 'b'), lane: 'bulk' }, { ...byRule, dryRun: true }));

  expect(result).toMatchObject({
    outcome: 'skipped',
    reason: 'dry_run',
    calls: ['PutMetadata on 1 channel(s), lane bulk'],
    skipped: [{ reason: 'held', count: 1 }],
  });
  expect((await t.rig.outbox.depth()).items).toBe(0);
});
