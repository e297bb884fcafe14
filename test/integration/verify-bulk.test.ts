// A bulk action is verified through the real client: what somebody else changed meanwhile is reported, once, even after a failure.
import { expect, test } from 'vitest';
import type { ActionJob } from '#domain/action.ts';
import { kinds } from '#domain/state-registry.ts';
import { auditEntries } from '#journal/audit.ts';
import { systemClock } from '#runtime/clock.ts';
import { startSimulator } from '#simulator/server.ts';
import { actionRig } from '#test/support/action-rig.ts';
import { quietLogger, seededRandom } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';
import { createBulk } from '#workers/bulk.ts';
import { finishedActionRecorder } from '#workers/finished-action.ts';
import type { JobRun } from '#workers/host.ts';
import { upkeep } from '#workers/upkeep.ts';
import { bindVerifyBulk } from '#workers/verify-bulk.ts';

async function setup() {
  const resources = new AsyncDisposableStack();
  const simulator = resources.use(await startSimulator({ enforcement: 'off' }));
  const scope = resources.use(await redisScope());
  let down = false;
  const rig = resources.use(
    await actionRig({
      simulatorUrl: simulator.url,
      redis: scope.redis,
      prefix: scope.prefix,
      hook: (name, call) =>
        down && name === 'ivs.getChannels' ? Promise.reject(new Error('the process died')) : call(),
    }),
  );
  const arns = (await simulator.control.createChannels(3)).map(({ arn }) => arn);
  const { state } = rig;
  const finished = finishedActionRecorder({
    state,
    clock: systemClock,
    random: seededRandom(1),
    configHash: () => 'h',
  });
  const jobs = () => Array.from(state.view.entries(kinds.job), ([, job]) => job);
  const signal = AbortSignal.timeout(120_000);
  const verify = bindVerifyBulk({ state, ivs: rig.ports.ivs });
  return {
    rig,
    state,
    arns,
    signal,
    fail: (fails: boolean) => {
      down = fails;
    },
    bulk: async (params: object) => {
      const items = arns.map((channelArn) => ({ channelArn, params }));
      const cause = { kind: 'operator', who: 'token mara', reason: 'finals' } as const;
      const id = await createBulk(state, {
        action: 'tag',
        items,
        cause,
        dryRun: false,
        mostOpen: 5,
        adBreakSpacingMs: 1_000,
      });
      await state.transact(upkeep);
      for (const { jobId, payload } of jobs()) {
        const job = payload as unknown as ActionJob;
        const result = await rig.run(jobId, job);
        await finished({ jobId, name: job.action, payload, outcome: result.outcome, result, error: undefined });
        await state.transact((tx) => tx.delete(kinds.job.of(jobId)));
      }
      return id!;
    },
    verify: async () => {
      await state.transact(upkeep);
      const [job] = jobs();
      expect(job?.name).toBe('verify-bulk');
      return verify(job!.payload, { jobId: job!.jobId, signal, logger: quietLogger() } as unknown as JobRun);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

test('reports a channel that is not as the bulk left it with the bulk, in the audit and as an alert', async () => {
  await using t = await setup();
  const id = await t.bulk({ set: { show: 'finals' }, remove: ['old'] });
  await t.rig.ports.ivs.tagResource(t.arns[1]!, { show: 'quiz', other: 'x' }, { signal: t.signal });

  t.fail(true);
  await expect(t.verify()).rejects.toThrow('died');
  t.fail(false);
  expect(await t.verify()).toMatchObject({ outcome: 'done', checked: 3, differing: 1 });

  const difference = {
    channelArn: t.arns[1],
    expected: { tags: { show: 'finals', old: null } },
    found: { tags: { show: 'quiz', old: null } },
  };
  expect(t.state.view.get(kinds.bulk.of(id))).toMatchObject({
    state: 'finished',
    verification: { state: 'done', checked: 3, differing: 1, differs: [difference] },
  });
  expect(t.state.view.count(kinds.bulkCheck)).toBe(0);
  const told = [];
  for await (const entry of auditEntries(t.state, { what: 'verify tag' })) told.push(entry);
  expect(told).toMatchObject([{ outcome: 'differs', who: 'token mara', why: 'finals' }]);
  const alerts = [...t.state.view.entries(kinds.alert)].map(([, alert]) => alert);
  expect(alerts).toMatchObject([{ kind: 'failed_job', code: 'CHANNELS_DIFFER', count: 1 }]);
});

test('reports that all channels of a bulk are as it left them; a channel that is gone does not differ', async () => {
  await using t = await setup();
  const id = await t.bulk({ set: { show: 'finals' } });
  await t.rig.ports.ivs.deleteChannel(t.arns[0]!, { signal: t.signal });

  await t.verify();
  expect(t.state.view.get(kinds.bulk.of(id))?.verification).toEqual({
    state: 'done',
    checked: 3,
    differing: 0,
    differs: [],
  });
  expect(t.state.view.count(kinds.alert)).toBe(0);
});
